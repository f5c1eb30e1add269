import type { JsonObject } from '../../src/spec/messages.ts';
import { DATA_ALONE, FrameReader, isJson, isObject, UngrammaticalStream } from './sse-frames.ts';

/** What a stream ended with: its finish reason, or the error in its place. */
export type ChatEnd =
  | { type: 'done'; finish_reason: string; usage: JsonObject | undefined }
  | { type: 'error'; error: JsonObject };

/** What a chunk may have at its top, in its choice, and in what it adds to the message. */
const CHUNK = ['id', 'object', 'created', 'model', 'choices', 'usage', 'system_fingerprint', 'service_tier'];
const CHOICE = ['index', 'delta', 'logprobs', 'finish_reason'];
const DELTA = ['role', 'content', 'refusal', 'tool_calls', 'reasoning_content', 'reasoning_details'];
/** What agents add to the last chunk with a choice. */
const OF_AGENTS = 'isthmus_agent';

const REASONS = ['stop', 'length', 'tool_calls', 'content_filter'];
/** Those that may leave the arguments of a call unfinished. */
const CUTTING = ['length', 'content_filter'];
const COUNTS = ['prompt_tokens', 'completion_tokens', 'total_tokens'];

type Place = 'before the role' | 'in the answer' | 'after the finish reason' | 'after the usage';

interface OpenCall {
  type: string;
  text: string;
}

/**
 * The grammar of OpenAI's stream of chat completion chunks, as an automaton that is written independently of the product:
 *
 *     role (text | reasoning | call)* finish usage? [DONE], or any beginning of it, then an error
 *     call = its id and name, then its arguments; calls count 0, 1, 2 and do not mix
 *
 * Chunks that say nothing may stand anywhere before the finish. There is a usage if one was asked for, and it is alone.
 * It is fed with bytes as they come and throws {@link UngrammaticalStream} at the first departure.
 */
export class ChatGrammar {
  /** All chunks so far, also those that say nothing. */
  readonly chunks: JsonObject[] = [];
  readonly #frames = new FrameReader(DATA_ALONE);
  readonly #asksUsage: boolean;
  #place: Place = 'before the role';
  readonly #calls: OpenCall[] = [];
  #reason = '';
  #usage: JsonObject | undefined;
  #end: ChatEnd | undefined;

  /** @param asksUsage whether the request has `stream_options.include_usage` */
  constructor({ asksUsage }: { asksUsage: boolean }) {
    this.#asksUsage = asksUsage;
  }

  write(bytes: Uint8Array): void {
    for (const data of this.#frames.read(bytes)) this.#take(data);
  }

  /** Says that no more bytes come, and tells what the stream ended with. */
  end(): ChatEnd {
    this.#frames.end();
    if (!this.#end) throw new UngrammaticalStream('end', `it ends ${this.#place}`);
    return this.#end;
  }

  #take(data: string): void {
    if (this.#end) throw new UngrammaticalStream('order', `${data} behind the end`);
    if (data === '[DONE]') {
      const last: Place = this.#asksUsage ? 'after the usage' : 'after the finish reason';
      if (this.#place !== last) throw new UngrammaticalStream('order', `[DONE] ${this.#place}`);
      this.#end = { type: 'done', finish_reason: this.#reason, usage: this.#usage };
      return;
    }
    if (!isJson(data)) throw new UngrammaticalStream('frame', `the data is not JSON: ${JSON.stringify(data)}`);
    const chunk: unknown = JSON.parse(data);
    if (!isObject(chunk)) throw new UngrammaticalStream('field', 'a chunk that is no object');
    if ('error' in chunk) this.#takeError(chunk);
    else {
      this.#takeHead(chunk);
      this.#takeChunk(chunk);
      this.chunks.push(chunk);
    }
  }

  #takeError(chunk: JsonObject): void {
    const { error, ...rest } = chunk;
    const isWhole =
      isObject(error) &&
      typeof error.message === 'string' &&
      typeof error.type === 'string' &&
      isStringOrNull(error.param) &&
      isStringOrNull(error.code);
    if (!isWhole || Object.keys(rest).length > 0)
      throw new UngrammaticalStream('field', `an error is ${JSON.stringify(chunk)}`);
    this.#end = { type: 'error', error };
  }

  /** What all chunks of an answer have in common. Before the model has begun it may be called as the request calls it. */
  #takeHead(chunk: JsonObject): void {
    checkKeys(chunk, [...CHUNK, OF_AGENTS], 'a chunk');
    const { id, object, created, model } = chunk;
    if (object !== 'chat.completion.chunk') throw new UngrammaticalStream('field', `a chunk is a ${object}`);
    if (!isFilled(id) || !isFilled(model) || !Number.isInteger(created))
      throw new UngrammaticalStream('field', 'a chunk without id, model or created');
    const [first] = this.chunks;
    const before = this.#place === 'before the role' ? undefined : this.chunks.at(-1);
    const isOfOne = id === (first?.id ?? id) && created === (first?.created ?? created);
    if (!isOfOne || model !== (before?.model ?? model))
      throw new UngrammaticalStream('field', 'a chunk of another answer');
  }

  #takeChunk({ choices, usage, [OF_AGENTS]: steps }: JsonObject): void {
    if (!Array.isArray(choices)) throw new UngrammaticalStream('field', 'a chunk without choices');
    if (choices.length === 0) {
      this.#takeUsage(usage);
      return;
    }
    if (usage != null) throw new UngrammaticalStream('order', 'a usage beside a choice');
    const [choice] = choices;
    if (choices.length > 1 || !isObject(choice) || choice.index !== 0)
      throw new UngrammaticalStream('index', 'another choice than the one');
    checkKeys(choice, CHOICE, 'a choice');
    if (this.#place === 'after the finish reason' || this.#place === 'after the usage')
      throw new UngrammaticalStream('order', `a choice ${this.#place}`);
    const { delta, finish_reason: reason } = choice;
    if (!isObject(delta)) throw new UngrammaticalStream('field', 'a choice without delta');
    this.#takeDelta(delta);
    if (reason === null) {
      if (steps !== undefined) throw new UngrammaticalStream('field', 'steps before the end');
    } else this.#finish(reason);
  }

  #takeUsage(usage: unknown): void {
    if (!this.#asksUsage || this.#place !== 'after the finish reason')
      throw new UngrammaticalStream('order', `a chunk without choices ${this.#place}`);
    const [prompt, completion, total] = COUNTS.map((name) => (isObject(usage) ? usage[name] : undefined));
    const isCounted = [prompt, completion, total].every((count) => Number.isInteger(count) && Number(count) >= 0);
    if (!isCounted || Number(prompt) + Number(completion) !== total)
      throw new UngrammaticalStream('field', `a usage is ${JSON.stringify(usage)}`);
    this.#usage = usage as JsonObject;
    this.#place = 'after the usage';
  }

  #takeDelta(delta: JsonObject): void {
    checkKeys(delta, DELTA, 'a delta');
    const { role, tool_calls: calls, reasoning_details: details, ...texts } = delta;
    if (role !== undefined) {
      if (role !== 'assistant') throw new UngrammaticalStream('field', `the role ${role}`);
      if (this.#place !== 'before the role') throw new UngrammaticalStream('order', 'another role');
      this.#place = 'in the answer';
    }
    if (this.#place === 'before the role' && Object.keys(delta).length > 0)
      throw new UngrammaticalStream('order', 'something said before the role');
    for (const [key, text] of Object.entries(texts)) {
      if (typeof text !== 'string') throw new UngrammaticalStream('field', `${key} is no text`);
    }
    if (
      details !== undefined &&
      !(Array.isArray(details) && details.every((one) => isObject(one) && isFilled(one.type)))
    )
      throw new UngrammaticalStream('field', 'reasoning_details are no list of details');
    if (calls === undefined) return;
    if (!Array.isArray(calls) || calls.length === 0)
      throw new UngrammaticalStream('field', 'tool_calls without a call');
    for (const call of calls) this.#takeCall(call);
  }

  #takeCall(call: unknown): void {
    if (!isObject(call)) throw new UngrammaticalStream('field', 'a call is no object');
    const { index, id, type, function: called, custom, ...rest } = call;
    const form = called ?? custom;
    if (Object.keys(rest).length > 0 || !isObject(form)) throw new UngrammaticalStream('field', 'a call of no kind');
    const { name, [custom === undefined ? 'arguments' : 'input']: text } = form;
    if (typeof text !== 'string') throw new UngrammaticalStream('field', 'a call without text');
    const isNew = index === this.#calls.length;
    const open = this.#calls.at(-1);
    if (isNew) {
      if (typeof id !== 'string' || !isFilled(name))
        throw new UngrammaticalStream('field', 'a call without id or name');
      if (type !== (custom === undefined ? 'function' : 'custom'))
        throw new UngrammaticalStream('field', `a call of the type ${type}`);
      if (open) checkArguments(open);
      this.#calls.push({ type: String(type), text });
      return;
    }
    if (!open || index !== this.#calls.length - 1) throw new UngrammaticalStream('index', `the call ${index}`);
    if (id !== undefined || name !== undefined || type !== undefined)
      throw new UngrammaticalStream('order', 'a call begins again');
    if (open.type !== (custom === undefined ? 'function' : 'custom'))
      throw new UngrammaticalStream('delta', 'a call changes its kind');
    open.text += text;
  }

  #finish(reason: unknown): void {
    if (!REASONS.includes(reason as string)) throw new UngrammaticalStream('field', `the finish reason ${reason}`);
    if (this.#place !== 'in the answer') throw new UngrammaticalStream('order', `a finish reason ${this.#place}`);
    const isCut = CUTTING.includes(reason as string);
    if (!isCut && (reason === 'tool_calls') !== this.#calls.length > 0)
      throw new UngrammaticalStream('whole', `${reason} behind ${this.#calls.length} calls`);
    const last = this.#calls.at(-1);
    if (last) checkArguments(last);
    this.#reason = String(reason);
    this.#place = 'after the finish reason';
  }
}

/** Clients parse what a function is called with, also if that is nothing. Whether it is JSON is the model's affair. */
function checkArguments({ type, text }: OpenCall): void {
  if (type === 'function' && text === '') throw new UngrammaticalStream('input', 'a call without arguments');
}

function checkKeys(value: JsonObject, known: readonly string[], what: string): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new UngrammaticalStream('field', `${what} with ${unknown}`);
}

function isFilled(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isStringOrNull(value: unknown): boolean {
  return value === null || typeof value === 'string';
}
