import type { AnswerMessage, ContentBlock, JsonObject } from '../../src/spec/messages.ts';
import type { TurnEvent } from '../../src/spec/turn-events.ts';

/** What an answer of {@link answer} has used. */
export const USAGE = { input_tokens: 5, cache_read_input_tokens: 7, cache_creation_input_tokens: 3, output_tokens: 11 };

/** A complete answer of these blocks; `deltas` of a call stand for its input, see {@link eventsOf}. */
export function answer(content: ContentBlock[], stop_reason = 'end_turn', more: JsonObject = {}): AnswerMessage {
  return {
    id: 'm',
    type: 'message',
    role: 'assistant',
    model: 'answered',
    content,
    stop_reason,
    stop_sequence: null,
    usage: USAGE,
    ...more,
  };
}

/** The events of an answer; `deltas` of a call stand for its input. */
export function eventsOf(message: AnswerMessage): TurnEvent[] {
  const blocks = message.content.flatMap(({ deltas, ...block }, index): TurnEvent[] => {
    const delta = (value: JsonObject): TurnEvent => ({ type: 'content_block_delta', index, delta: value });
    const parts =
      block.type === 'text'
        ? [delta({ type: 'text_delta', text: block.text })]
        : block.type === 'thinking'
          ? [
              delta({ type: 'thinking_delta', thinking: block.thinking }),
              delta({ type: 'signature_delta', signature: block.signature }),
            ]
          : ((deltas ?? []) as string[]).map((partial_json) => delta({ type: 'input_json_delta', partial_json }));
    const begun: ContentBlock = {
      ...block,
      ...(block.type === 'text' && { text: '' }),
      ...(block.type === 'thinking' && { thinking: '', signature: '' }),
    };
    return [
      { type: 'content_block_start', index, content_block: begun },
      ...parts,
      { type: 'content_block_stop', index },
    ];
  });
  return [
    { type: 'message_start', message: { ...message, content: [] } },
    ...blocks,
    { type: 'message_delta', delta: { stop_reason: message.stop_reason } },
    { type: 'message_stop', answer: message },
  ];
}
