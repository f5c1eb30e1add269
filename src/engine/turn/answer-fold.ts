import type { AnswerMessage, ContentBlock, JsonObject } from '../../spec/messages.ts';
import type { TurnEvent } from '../../spec/turn-events.ts';

/** A raw event of the model's stream: every {@link TurnEvent} but the terminal ones. */
export type RawEvent = Exclude<TurnEvent, { type: 'message_stop' | 'failure' }>;

/** Folds the raw events of one answer into its message. */
export class AnswerFold {
  #message: AnswerMessage | undefined;
  /** By their index; one that never began leaves no hole in the message. */
  readonly #blocks = new Map<number, ContentBlock>();
  readonly #inputJson = new Map<number, string>();
  #hasBadJson = false;

  get hasStarted(): boolean {
    return this.#message !== undefined;
  }

  /** The message so far; complete once `stop_reason` is set. */
  get message(): AnswerMessage | undefined {
    return this.#message;
  }

  /** Whether the answer calls a tool with an input that is no JSON. A streaming client gets that input as text. */
  get isUnfoldable(): boolean {
    return this.#hasBadJson && this.#message?.stop_reason === 'tool_use';
  }

  add(event: RawEvent): void {
    if (event.type === 'message_start') {
      this.#message = { ...event.message, content: [] };
      this.#blocks.clear();
      return;
    }
    const message = this.#message;
    if (!message) return;
    switch (event.type) {
      case 'content_block_start':
        this.#begin(message, event.index, { ...event.content_block });
        return;
      case 'content_block_delta': {
        const block = this.#blocks.get(event.index);
        if (block) this.#addDelta(block, event.index, event.delta);
        return;
      }
      case 'content_block_stop':
        this.#completeInput(this.#blocks.get(event.index), event.index);
        return;
      case 'message_delta': {
        const { type: _, delta, usage, ...rest } = event;
        Object.assign(message, delta, rest);
        // A null count says nothing: the one of `message_start` stays.
        for (const [name, count] of Object.entries(usage ?? {})) {
          if (count !== null) message.usage = { ...message.usage, [name]: count };
        }
        return;
      }
    }
  }

  /**
   * Whether the CLI would call the model again by itself after this answer: it was cut by a limit or refused, shows nothing,
   * or calls a tool that the CLI cannot dispatch. The process must end before that call.
   *
   * @param declaredTools the names that the model was given
   */
  wouldGoOn(declaredTools: ReadonlySet<string>): boolean {
    if (!this.#message) return true;
    const { stop_reason, content } = this.#message;
    const calls = content.filter((block) => block.type === 'tool_use');
    if (stop_reason === 'tool_use') {
      return calls.length === 0 || this.#hasBadJson || calls.some((block) => !isDispatched(block, declaredTools));
    }
    if (stop_reason !== 'end_turn' && stop_reason !== 'stop_sequence') return true;
    return calls.length > 0 || !content.some((block) => block.type === 'text' && String(block.text).trim() !== '');
  }

  #begin({ content }: AnswerMessage, index: number, block: ContentBlock): void {
    const before = this.#blocks.get(index);
    this.#blocks.set(index, block);
    if (before) content[content.indexOf(before)] = block;
    else content.push(block);
  }

  #addDelta(block: ContentBlock, index: number, delta: JsonObject): void {
    switch (delta.type) {
      case 'text_delta':
        block.text = `${block.text ?? ''}${delta.text}`;
        return;
      case 'thinking_delta':
        block.thinking = `${block.thinking ?? ''}${delta.thinking}`;
        return;
      case 'signature_delta':
        block.signature = delta.signature;
        return;
      case 'citations_delta':
        block.citations = [...(Array.isArray(block.citations) ? block.citations : []), delta.citation];
        return;
      case 'input_json_delta':
        this.#inputJson.set(index, `${this.#inputJson.get(index) ?? ''}${delta.partial_json}`);
        return;
    }
  }

  #completeInput(block: ContentBlock | undefined, index: number): void {
    const json = this.#inputJson.get(index);
    if (!block || !json) return;
    try {
      block.input = JSON.parse(json);
    } catch {
      this.#hasBadJson = true;
    }
  }
}

function isDispatched({ name, input }: ContentBlock, declaredTools: ReadonlySet<string>): boolean {
  return declaredTools.has(String(name)) && typeof input === 'object' && input !== null && !Array.isArray(input);
}
