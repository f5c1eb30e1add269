import type { AnswerMessage, ContentBlock, JsonObject } from '../../spec/messages.ts';
import type { MessageDelta } from '../../spec/turn-events.ts';
import { withCounts } from '../../spec/usage.ts';
import { AnswerFold, type RawEvent } from '../turn/answer-fold.ts';

/** What a client does not see of an agent's answers: its calls, and what came of them. */
const HIDDEN = /_use$|_tool_result$/;

/**
 * Folds the answers of an agent's turn into one: one `message_start`, the blocks of text and thinking with indices of their own,
 * one `message_delta` with the usage of all answers.
 */
export class ShownAnswer {
  readonly #fold = new AnswerFold();
  /** The index of a block for the client, by its index in the model's latest answer. */
  readonly #indices = new Map<number, number>();
  #blocks = 0;
  /** The block that has begun and not ended: its index in the model's latest answer. */
  #open: number | undefined;
  /** Of the answers that are complete. */
  #usage: JsonObject = {};
  /** Of the latest answer. */
  #latest: JsonObject = {};
  #delta: MessageDelta | undefined;

  /** The answer as far as the client has it; undefined before its beginning. */
  get message(): AnswerMessage | undefined {
    return this.#fold.message;
  }

  /** Takes an event of the model; returns what the client sees of it. */
  show(event: RawEvent): RawEvent[] {
    switch (event.type) {
      case 'message_start':
        this.#usage = sumOf(this.#usage, this.#latest);
        this.#latest = event.message.usage;
        this.#indices.clear();
        return this.#fold.hasStarted ? [] : this.#shown(event);
      case 'content_block_start':
        if (HIDDEN.test(event.content_block.type)) return [];
        this.#indices.set(event.index, this.#blocks);
        this.#open = event.index;
        return this.#shown({ ...event, index: this.#nextIndex() });
      case 'content_block_delta': {
        const index = this.#indices.get(event.index);
        return index === undefined ? [] : this.#shown({ ...event, index });
      }
      case 'content_block_stop':
        return event.index === this.#open ? this.#stopOpen() : [];
      case 'message_delta':
        this.#latest = withCounts(this.#latest, event.usage);
        this.#delta = event.delta;
        return [];
    }
  }

  /** Shows a text that is no model's. */
  say(text: string): RawEvent[] {
    const stopped = this.#stopOpen();
    const index = this.#nextIndex();
    const block: ContentBlock = { type: 'text', text: '' };
    return [
      ...stopped,
      ...this.#shown({ type: 'content_block_start', index, content_block: block }),
      ...this.#shown({ type: 'content_block_delta', index, delta: { type: 'text_delta', text } }),
      ...this.#shown({ type: 'content_block_stop', index }),
    ];
  }

  /** The usage of all answers. */
  get usage(): JsonObject {
    return sumOf(this.#usage, this.#latest);
  }

  /**
   * Ends the answer.
   *
   * @param stopReason in place of the latest answer's
   * @param more the usage of others, which the client pays for too
   */
  end(stopReason?: string, more: JsonObject = {}): RawEvent[] {
    const { stop_reason = null, ...rest } = this.#delta ?? {};
    const delta = { ...rest, stop_reason: stopReason ?? stop_reason };
    const stopped = this.#stopOpen();
    return [...stopped, ...this.#shown({ type: 'message_delta', delta, usage: sumOf(this.usage, more) })];
  }

  /** Ends the block that is open, for a turn that ends within it, too. */
  #stopOpen(): RawEvent[] {
    const index = this.#open === undefined ? undefined : this.#indices.get(this.#open);
    this.#open = undefined;
    return index === undefined ? [] : this.#shown({ type: 'content_block_stop', index });
  }

  #nextIndex(): number {
    this.#blocks += 1;
    return this.#blocks - 1;
  }

  #shown(event: RawEvent): RawEvent[] {
    this.#fold.add(event);
    return [event];
  }
}

/** The sum of two usages, field by field; what is no number is the later one's. */
function sumOf(one: JsonObject, other: JsonObject): JsonObject {
  const sum: JsonObject = { ...one };
  for (const [name, value] of Object.entries(other)) {
    const before = sum[name];
    if (typeof value === 'number') sum[name] = typeof before === 'number' ? before + value : value;
    else if (isObject(value)) sum[name] = isObject(before) ? sumOf(before, value) : value;
    else if (value !== null) sum[name] = value;
  }
  return sum;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
