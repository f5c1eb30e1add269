import type { AnswerMessage } from '../../src/spec/messages.ts';

/** A complete answer of one text, for unit tests. */
export function answerMessage(text: string): AnswerMessage {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 3, output_tokens: 2 },
  };
}
