import { FrameReader, isJson, isObject, NAMED_EVENTS, type StreamEvent, UngrammaticalStream } from './sse-frames.ts';

/** What a stream ended with: its stop reason, or the error in its place. */
export type StreamEnd =
  | { type: 'message_stop'; stop_reason: string }
  | { type: 'error'; error: { type: string; message: string }; request_id: string };

/** The deltas of a block type; a type that is not here takes any. */
const DELTAS: Record<string, readonly string[]> = {
  text: ['text_delta', 'citations_delta'],
  thinking: ['thinking_delta', 'signature_delta'],
  redacted_thinking: [],
  tool_use: ['input_json_delta'],
  server_tool_use: ['input_json_delta'],
};
/** What a block of a type, or a delta, says in which field. */
const FIELDS: Record<string, Record<string, string>> = {
  text: { text: 'string' },
  thinking: { thinking: 'string' },
  redacted_thinking: { data: 'string' },
  tool_use: { id: 'string', name: 'string', input: 'object' },
  text_delta: { text: 'string' },
  citations_delta: { citation: 'object' },
  thinking_delta: { thinking: 'string' },
  signature_delta: { signature: 'string' },
  input_json_delta: { partial_json: 'string' },
};
/** Stop reasons that may leave a tool's input unfinished. */
const CUTTING: readonly unknown[] = ['max_tokens', 'model_context_window_exceeded', 'refusal'];

type Place = 'before message_start' | 'between blocks' | 'inside a block' | 'after message_delta';

interface OpenBlock {
  type: string;
  json: string;
}

/**
 * The grammar of a Messages API stream, as an automaton that is written independently of the product:
 *
 *     (message_start block* message_delta message_stop | any beginning of it, then error), with pings anywhere before the end
 *     block = content_block_start content_block_delta* content_block_stop, with indices from 0
 *
 * It is fed with bytes as they come and throws {@link UngrammaticalStream} at the first departure. A client that leaves
 * early does not call {@link end}: what came until then was the beginning of a grammatical stream.
 */
export class SseGrammar {
  /** All events so far, pings too. */
  readonly events: StreamEvent[] = [];
  readonly #frames = new FrameReader(NAMED_EVENTS);
  #place: Place = 'before message_start';
  #blocks = 0;
  #open: OpenBlock = { type: '', json: '' };
  readonly #badInputs: string[] = [];
  #stopReason = '';
  #end: StreamEnd | undefined;

  write(chunk: Uint8Array): void {
    for (const event of this.#frames.read(chunk)) {
      this.#take(event);
      this.events.push(event);
    }
  }

  /** Says that no more bytes come, and tells what the stream ended with. */
  end(): StreamEnd {
    this.#frames.end();
    if (!this.#end) throw new UngrammaticalStream('end', `it ends ${this.#place}`);
    return this.#end;
  }

  #take(event: StreamEvent): void {
    if (this.#end) throw new UngrammaticalStream('order', `\`${event.type}\` after \`${this.#end.type}\``);
    switch (event.type) {
      case 'ping':
        break;
      case 'error':
        this.#takeError(event);
        break;
      case 'message_start':
        this.#expect('before message_start', event);
        this.#startMessage(event);
        break;
      case 'content_block_start':
        this.#expect('between blocks', event);
        this.#startBlock(event);
        break;
      case 'content_block_delta':
        this.#expect('inside a block', event);
        this.#takeDelta(event);
        break;
      case 'content_block_stop':
        this.#expect('inside a block', event);
        this.#stopBlock(event);
        break;
      case 'message_delta':
        this.#expect('between blocks', event);
        this.#takeMessageDelta(event);
        break;
      case 'message_stop':
        this.#expect('after message_delta', event);
        this.#end = { type: 'message_stop', stop_reason: this.#stopReason };
        break;
      default:
        throw new UngrammaticalStream('order', `there is no event \`${event.type}\``);
    }
  }

  #expect(place: Place, { type }: StreamEvent): void {
    if (this.#place !== place) throw new UngrammaticalStream('order', `\`${type}\` ${this.#place}`);
  }

  #checkIndex({ type, index }: StreamEvent): void {
    if (index !== this.#blocks)
      throw new UngrammaticalStream('index', `\`${type}\` of block ${index} in place of ${this.#blocks}`);
  }

  #startMessage({ message }: StreamEvent): void {
    const isFresh =
      isObject(message) &&
      message.type === 'message' &&
      message.role === 'assistant' &&
      typeof message.id === 'string' &&
      typeof message.model === 'string' &&
      Array.isArray(message.content) &&
      message.content.length === 0 &&
      message.stop_reason === null &&
      isObject(message.usage);
    if (!isFresh) throw new UngrammaticalStream('field', `a message begins as ${JSON.stringify(message)}`);
    this.#place = 'between blocks';
  }

  #startBlock(event: StreamEvent): void {
    this.#checkIndex(event);
    const { type } = checkFields(event.content_block, 'content_block');
    this.#open = { type, json: '' };
    this.#place = 'inside a block';
  }

  #takeDelta(event: StreamEvent): void {
    this.#checkIndex(event);
    const delta = checkFields(event.delta, 'delta');
    const fitting = DELTAS[this.#open.type];
    if (fitting && !fitting.includes(delta.type)) {
      throw new UngrammaticalStream('delta', `a \`${delta.type}\` inside a block of type \`${this.#open.type}\``);
    }
    if (delta.type === 'input_json_delta') this.#open.json += String(delta.partial_json);
  }

  #stopBlock(event: StreamEvent): void {
    this.#checkIndex(event);
    if (!isJson(this.#open.json || '{}')) this.#badInputs.push(this.#open.json);
    this.#blocks += 1;
    this.#place = 'between blocks';
  }

  #takeMessageDelta({ delta, usage }: StreamEvent): void {
    const reason = isObject(delta) ? delta.stop_reason : undefined;
    if (typeof reason !== 'string') throw new UngrammaticalStream('field', `the stop_reason is ${reason}`);
    if (!isObject(usage) || !Number.isInteger(usage.output_tokens))
      throw new UngrammaticalStream('field', 'a message_delta without usage.output_tokens');
    const [bad] = this.#badInputs;
    if (bad !== undefined && !CUTTING.includes(reason))
      throw new UngrammaticalStream('input', `a tool's input is not JSON: ${JSON.stringify(bad)}`);
    this.#stopReason = reason;
    this.#place = 'after message_delta';
  }

  #takeError({ error, request_id }: StreamEvent): void {
    if (!isObject(error) || typeof error.type !== 'string' || typeof error.message !== 'string')
      throw new UngrammaticalStream('field', 'an `error` without error.type and error.message');
    if (typeof request_id !== 'string') throw new UngrammaticalStream('field', 'an `error` without request_id');
    this.#end = { type: 'error', error: { type: error.type, message: error.message }, request_id };
  }
}

/** A block or a delta with the fields of its type. */
function checkFields(value: unknown, what: string): StreamEvent {
  if (!isObject(value) || typeof value.type !== 'string')
    throw new UngrammaticalStream('field', `a ${what} without type`);
  for (const [field, type] of Object.entries(FIELDS[value.type] ?? {})) {
    if (value[field] === null || typeof value[field] !== type)
      throw new UngrammaticalStream('field', `a ${what} of type \`${value.type}\` without ${field}`);
  }
  return value as StreamEvent;
}
