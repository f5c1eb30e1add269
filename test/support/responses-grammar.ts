import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '../../src/spec/messages.ts';
import { FrameReader, isObject, NAMED_EVENTS, type StreamEvent, UngrammaticalStream } from './sse-frames.ts';

/** What a stream ended with: the last event, and the answer in it. */
export interface ResponsesEnd {
  type: string;
  response: JsonObject;
}

type FieldKind = 'text' | 'id' | 'index' | 'list' | 'object';

const PART = { item_id: 'id', output_index: 'index', content_index: 'index' } as const;
const SUMMARY = { item_id: 'id', output_index: 'index', summary_index: 'index' } as const;
const CALL = { item_id: 'id', output_index: 'index' } as const;
const ITEM = { output_index: 'index', item: 'object' } as const;
const WHOLE = { response: 'object' } as const;

/** The events, and the fields that OpenAI's specification requires of each beside its type and number. */
const EVENTS: Readonly<Record<string, Readonly<Record<string, FieldKind>>>> = {
  'response.created': WHOLE,
  'response.in_progress': WHOLE,
  'response.completed': WHOLE,
  'response.incomplete': WHOLE,
  'response.failed': WHOLE,
  error: { message: 'text', error: 'object' },
  'response.output_item.added': ITEM,
  'response.output_item.done': ITEM,
  'response.content_part.added': { ...PART, part: 'object' },
  'response.content_part.done': { ...PART, part: 'object' },
  'response.output_text.delta': { ...PART, delta: 'text', logprobs: 'list' },
  'response.output_text.done': { ...PART, text: 'text', logprobs: 'list' },
  'response.refusal.delta': { ...PART, delta: 'text' },
  'response.refusal.done': { ...PART, refusal: 'text' },
  'response.reasoning_summary_part.added': { ...SUMMARY, part: 'object' },
  'response.reasoning_summary_part.done': { ...SUMMARY, part: 'object' },
  'response.reasoning_summary_text.delta': { ...SUMMARY, delta: 'text' },
  'response.reasoning_summary_text.done': { ...SUMMARY, text: 'text' },
  'response.function_call_arguments.delta': { ...CALL, delta: 'text' },
  'response.function_call_arguments.done': { ...CALL, name: 'text', arguments: 'text' },
  'response.custom_tool_call_input.delta': { ...CALL, delta: 'text' },
  'response.custom_tool_call_input.done': { ...CALL, input: 'text' },
};

/** The fields of an answer that the specification requires. */
const RESPONSE = [
  ...['id', 'object', 'created_at', 'status', 'error', 'incomplete_details', 'instructions', 'metadata', 'model'],
  ...['output', 'parallel_tool_calls', 'temperature', 'tool_choice', 'tools', 'top_p'],
];
const COUNTS = ['input_tokens', 'output_tokens', 'total_tokens'];

/** What of an item may differ between its begin and its end, by its type. */
const GROWING: Readonly<Record<string, readonly string[]>> = {
  message: ['status', 'content'],
  reasoning: ['status', 'summary', 'encrypted_content'],
  function_call: ['status', 'arguments'],
  custom_tool_call: ['status', 'input'],
};
const STATUSES: Readonly<Record<string, readonly string[]>> = {
  message: ['completed', 'incomplete'],
  function_call: ['completed', 'incomplete'],
  custom_tool_call: ['completed', 'incomplete'],
};

/** The text of each kind of part: the events that bring it, and the field of the part that is it. */
const PARTS: Readonly<Record<string, { events: string; field: string; index: string }>> = {
  output_text: { events: 'response.output_text', field: 'text', index: 'content_index' },
  refusal: { events: 'response.refusal', field: 'refusal', index: 'content_index' },
  summary_text: { events: 'response.reasoning_summary_text', field: 'text', index: 'summary_index' },
};
/** The same for an item that has no parts. */
const TEXTS: Readonly<Record<string, { events: string; field: string }>> = {
  function_call: { events: 'response.function_call_arguments', field: 'arguments' },
  custom_tool_call: { events: 'response.custom_tool_call_input', field: 'input' },
};

/** A text that grows, and whether it was said to be whole. */
interface OpenText {
  events: string;
  field: string;
  text: string;
  isWhole: boolean;
}

interface OpenItem {
  item: JsonObject;
  /** The parts that are done. */
  parts: JsonObject[];
  /** The part that grows, or the text of an item without parts. */
  open: OpenText | undefined;
}

/**
 * The grammar of OpenAI's stream of response events, as an automaton that is written independently of the product:
 *
 *     created in_progress item* (completed | incomplete), or any beginning of it behind in_progress, then error failed
 *     item = added (part* | text) done     part = added text done     text = delta* done
 *
 * Events count 0, 1, 2; items and parts have their index; each `done` repeats the whole of what came; the last answer's output
 * is the items that are done. `in_progress` may come again anywhere. It is fed with bytes as they come and throws
 * {@link UngrammaticalStream} at the first departure.
 */
export class ResponsesGrammar {
  readonly events: StreamEvent[] = [];
  /** The items that are done. */
  readonly items: JsonObject[] = [];
  readonly #frames = new FrameReader(NAMED_EVENTS);
  readonly #ids = new Set<unknown>();
  #response: JsonObject = {};
  #open: OpenItem | undefined;
  #error: JsonObject | undefined;
  #end: ResponsesEnd | undefined;

  write(bytes: Uint8Array): void {
    for (const event of this.#frames.read(bytes)) {
      this.#take(event);
      this.events.push(event);
    }
  }

  /** Says that no more bytes come, and tells what the stream ended with. */
  end(): ResponsesEnd {
    this.#frames.end();
    if (!this.#end) throw new UngrammaticalStream('end', `it ends after ${this.events.length} events`);
    return this.#end;
  }

  #take(event: StreamEvent): void {
    const { type } = event;
    if (this.#end) throw new UngrammaticalStream('order', `${type} behind ${this.#end.type}`);
    checkFields(event);
    if (event.sequence_number !== this.events.length)
      throw new UngrammaticalStream('index', `the event ${event.sequence_number} in place of ${this.events.length}`);
    const first = ['response.created', 'response.in_progress'][this.events.length];
    if (first !== undefined ? type !== first : type === 'response.created')
      throw new UngrammaticalStream('order', `${type} as event ${this.events.length}`);
    if ((this.#error !== undefined) !== (type === 'response.failed'))
      throw new UngrammaticalStream('order', `${type} ${this.#error ? 'behind an error' : 'without one before it'}`);
    if (type === 'error') this.#takeError(event);
    else if (event.response !== undefined) this.#takeResponse(event);
    else if (type === 'response.output_item.added') this.#addItem(event);
    else this.#takeInItem(event);
  }

  /** OpenAI's server has it one level deeper than its specification. */
  #takeError({ code, message, param, error }: StreamEvent): void {
    const { type, ...inner } = error as JsonObject;
    if (!isFilled(type) || !isDeepStrictEqual(inner, { code, message, param }))
      throw new UngrammaticalStream('field', `an error is ${JSON.stringify(error)}`);
    this.#error = { message };
  }

  #takeResponse({ type, response: given }: StreamEvent): void {
    const response = given as JsonObject;
    const missing = RESPONSE.find((field) => response[field] === undefined);
    if (missing !== undefined) throw new UngrammaticalStream('field', `an answer without ${missing}`);
    const { id, object, created_at, model, output, status, error, incomplete_details, usage } = response;
    const before = this.#response;
    const isOfOne = id === (before.id ?? id) && created_at === (before.created_at ?? created_at);
    if (object !== 'response' || !isFilled(id) || !isFilled(model) || !Number.isInteger(created_at) || !isOfOne)
      throw new UngrammaticalStream(
        'field',
        `another answer, or none: ${JSON.stringify({ id, object, created_at, model })}`,
      );
    const word = type.replace('response.', '').replace('created', 'in_progress');
    if (status !== word) throw new UngrammaticalStream('field', `${type} with the status ${status}`);
    if (isFailure(error) !== (word === 'failed')) throw new UngrammaticalStream('field', `${type} with another error`);
    if (this.#error && (error as JsonObject).message !== this.#error.message)
      throw new UngrammaticalStream('field', 'two errors');
    if (isReason(incomplete_details) !== (word === 'incomplete'))
      throw new UngrammaticalStream('field', `${type} with other incomplete_details`);
    if (!isDeepStrictEqual(output, this.items)) throw new UngrammaticalStream('whole', `${type} with another output`);
    this.#response = response;
    if (word === 'in_progress') return;
    this.#end = { type, response };
    if (word === 'failed') return;
    if (this.#open) throw new UngrammaticalStream('order', `${type} within an item`);
    const [input, answered, total] = COUNTS.map((name) => (isObject(usage) ? usage[name] : undefined));
    const isCounted = [input, answered, total].every((count) => Number.isInteger(count) && Number(count) >= 0);
    if (!isCounted || Number(input) + Number(answered) !== total)
      throw new UngrammaticalStream('field', `a usage is ${JSON.stringify(usage)}`);
    const cut = this.items.findIndex((item) => item.status === 'incomplete');
    if (cut >= 0 && (word === 'completed' || cut < this.items.length - 1))
      throw new UngrammaticalStream('whole', `the item ${cut} is incomplete, and goes on`);
  }

  #addItem({ item: given, output_index }: StreamEvent): void {
    if (this.#open) throw new UngrammaticalStream('order', 'an item begins within another');
    this.#checkIndex(output_index, this.items.length);
    const item = given as JsonObject;
    const { id, type, status, role } = item;
    if (GROWING[String(type)] === undefined) throw new UngrammaticalStream('field', `an item of the type ${type}`);
    if (!isFilled(id) || this.#ids.has(id)) throw new UngrammaticalStream('field', `the item id ${id}`);
    this.#ids.add(id);
    if (type === 'message' && role !== 'assistant') throw new UngrammaticalStream('field', `a message of ${role}`);
    if (type !== 'reasoning' && status !== 'in_progress') throw new UngrammaticalStream('field', `it begins ${status}`);
    const text = TEXTS[String(type)];
    if (text && (typeof item.call_id !== 'string' || !isFilled(item.name)))
      throw new UngrammaticalStream('field', 'a call without call_id or name');
    const content = text ? item[text.field] : (item.content ?? item.summary);
    if (text ? content !== '' : !Array.isArray(content) || content.length > 0)
      throw new UngrammaticalStream('field', `an item begins with ${JSON.stringify(content)}`);
    this.#open = { item, parts: [], open: text && { ...text, text: '', isWhole: false } };
  }

  #takeInItem(event: StreamEvent): void {
    const { type } = event;
    const open = this.#open;
    if (!open) throw new UngrammaticalStream('order', `${type} outside of an item`);
    this.#checkIndex(event.output_index, this.items.length);
    if (type === 'response.output_item.done') {
      this.#endItem(event.item as JsonObject, open);
      return;
    }
    if (event.item_id !== open.item.id) throw new UngrammaticalStream('index', `${type} of the item ${event.item_id}`);
    if ('content_index' in event) this.#checkIndex(event.content_index, open.parts.length);
    if ('summary_index' in event) this.#checkIndex(event.summary_index, open.parts.length);
    if (type.endsWith('_part.added')) this.#addPart(event, open);
    else if (type.endsWith('_part.done')) this.#endPart(event, open);
    else takeText(event, open);
  }

  #addPart({ type, part: given }: StreamEvent, open: OpenItem): void {
    const part = given as JsonObject;
    const kind = PARTS[String(part.type)];
    const holder = type === 'response.content_part.added' ? 'message' : 'reasoning';
    const isFitting = kind?.index === (holder === 'message' ? 'content_index' : 'summary_index');
    if (!kind || !isFitting || open.item.type !== holder)
      throw new UngrammaticalStream('delta', `a part ${part.type} in an item ${open.item.type}`);
    if (open.open) throw new UngrammaticalStream('order', 'a part begins within another');
    if (part[kind.field] !== '') throw new UngrammaticalStream('field', 'a part begins with text');
    open.open = { events: kind.events, field: kind.field, text: '', isWhole: false };
  }

  #endPart({ part: given }: StreamEvent, open: OpenItem): void {
    const part = given as JsonObject;
    const text = open.open;
    if (!text?.isWhole) throw new UngrammaticalStream('order', 'a part ends before its text');
    if (PARTS[String(part.type)]?.events !== text.events || part[text.field] !== text.text)
      throw new UngrammaticalStream('whole', 'a part ends with another text');
    open.parts.push(part);
    open.open = undefined;
  }

  #endItem(item: JsonObject, { item: begun, parts, open }: OpenItem): void {
    const type = String(begun.type);
    const text = TEXTS[type];
    if (text ? !open?.isWhole : open !== undefined)
      throw new UngrammaticalStream('order', 'an item ends within a part');
    if (STATUSES[type] && !STATUSES[type].includes(String(item.status)))
      throw new UngrammaticalStream('field', `an item ends ${item.status}`);
    const growing = GROWING[type] ?? [];
    const fixed = (one: JsonObject) =>
      Object.fromEntries(Object.entries(one).filter(([key]) => !growing.includes(key)));
    if (!isDeepStrictEqual(fixed(item), fixed(begun))) throw new UngrammaticalStream('whole', 'another item ends');
    const whole = text ? item[text.field] : (item.content ?? item.summary);
    if (!isDeepStrictEqual(whole, text ? open?.text : parts))
      throw new UngrammaticalStream('whole', 'an item is not what its parts were');
    this.items.push(item);
    this.#open = undefined;
  }

  #checkIndex(index: unknown, expected: number): void {
    if (index !== expected) throw new UngrammaticalStream('index', `the index ${index} in place of ${expected}`);
  }
}

function takeText(event: StreamEvent, { item, open }: OpenItem): void {
  const { type } = event;
  if (!open) throw new UngrammaticalStream('order', `${type} outside of a part`);
  if (!type.startsWith(`${open.events}.`)) throw new UngrammaticalStream('delta', `${type} within ${open.events}`);
  if (open.isWhole) throw new UngrammaticalStream('order', `${type} behind the whole`);
  if (type.endsWith('.delta')) {
    // It says nothing, and clients begin something with it.
    if (event.delta === '') throw new UngrammaticalStream('field', `${type} without anything`);
    open.text += String(event.delta);
    return;
  }
  if (event[open.field] !== open.text) throw new UngrammaticalStream('whole', `${type} with another text`);
  if (event.name !== undefined && event.name !== item.name) throw new UngrammaticalStream('whole', 'another name');
  if (item.type === 'function_call' && open.text === '')
    throw new UngrammaticalStream('input', 'a call without arguments');
  open.isWhole = true;
}

function checkFields(event: StreamEvent): void {
  const fields = EVENTS[event.type];
  if (!fields) throw new UngrammaticalStream('order', `there is no event ${event.type}`);
  for (const [field, kind] of Object.entries(fields)) {
    if (!isOfKind(event[field], kind)) throw new UngrammaticalStream('field', `${event.type} without ${field}`);
  }
}

function isOfKind(value: unknown, kind: FieldKind): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string';
    case 'id':
      return isFilled(value);
    case 'index':
      return Number.isInteger(value);
    case 'list':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
  }
}

function isFailure(error: unknown): boolean {
  return isObject(error) && isFilled(error.code) && typeof error.message === 'string';
}

function isReason(details: unknown): boolean {
  return isObject(details) && isFilled(details.reason);
}

function isFilled(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
