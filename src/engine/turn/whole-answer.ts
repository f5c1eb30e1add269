import type { ContentBlock, JsonObject } from '../../spec/messages.ts';
import type { MessageDelta } from '../../spec/turn-events.ts';
import type { RawEvent } from './answer-fold.ts';
import type { AssistantMessage } from './upstream-failure.ts';

/**
 * The raw events of an answer that came whole: Claude Code asks a second time without a stream when its first call was a 404 or
 * led elsewhere. The SDK tells of such an answer in one assistant message a block. Each has the answer's id, stop reason and
 * usage; none says that it is the last.
 */
export class WholeAnswer {
  readonly #message: AssistantMessage['message'];
  #blocks = 0;

  /** @param message of its first block */
  constructor({ message }: AssistantMessage) {
    this.#message = message;
  }

  get id(): string {
    return this.#message.id;
  }

  /** What a stream tells before the first block; the rest of what the answer has is known at its end. */
  start(): RawEvent {
    const { id, type, role, model, usage } = this.#message;
    return {
      type: 'message_start',
      message: { id, type, role, model, content: [], stop_reason: null, stop_sequence: null, usage },
    } as unknown as RawEvent;
  }

  /** The events of the blocks of one message. */
  blocks({ message }: AssistantMessage): RawEvent[] {
    return (message.content as unknown as ContentBlock[]).flatMap((block): RawEvent[] => {
      const index = this.#blocks++;
      const { empty, deltas } = inParts(block);
      return [
        { type: 'content_block_start', index, content_block: empty },
        ...deltas.map((delta): RawEvent => ({ type: 'content_block_delta', index, delta })),
        { type: 'content_block_stop', index },
      ];
    });
  }

  end(): RawEvent {
    const { usage, context_management } = this.#message;
    const delta = Object.fromEntries(Object.entries(this.#message).filter(([name]) => !NOT_OF_THE_DELTA.has(name)));
    return {
      type: 'message_delta',
      delta: delta as MessageDelta,
      usage: usage as unknown as JsonObject,
      ...(context_management !== undefined && { context_management }),
    };
  }
}

/** What a stream tells before its end, or beside the delta that ends it. */
const NOT_OF_THE_DELTA: ReadonlySet<string> = new Set([
  'id',
  'type',
  'role',
  'model',
  'content',
  'usage',
  'context_management',
]);

/** A block as its stream would begin, and the deltas that make it whole; a kind without deltas begins whole. */
function inParts(block: ContentBlock): { empty: ContentBlock; deltas: JsonObject[] } {
  switch (block.type) {
    case 'text': {
      const { citations, ...rest } = block;
      const cited = Array.isArray(citations) ? citations : [];
      return {
        empty: { ...rest, text: '' },
        deltas: [
          { type: 'text_delta', text: block.text },
          ...cited.map((citation) => ({ type: 'citations_delta', citation })),
        ],
      };
    }
    case 'thinking':
      return {
        empty: { ...block, thinking: '', signature: '' },
        deltas: [
          { type: 'thinking_delta', thinking: block.thinking },
          { type: 'signature_delta', signature: block.signature },
        ],
      };
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use':
      return {
        empty: { ...block, input: {} },
        deltas: [{ type: 'input_json_delta', partial_json: JSON.stringify(block.input) }],
      };
    default:
      return { empty: block, deltas: [] };
  }
}
