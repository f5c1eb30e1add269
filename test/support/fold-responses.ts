import type { JsonObject } from '../../src/spec/messages.ts';

/** What a client of OpenAI makes of a stream of response events, held against what OpenAI's stream is. */
export interface FoldedResponse {
  /** Each event's type, with what tells it apart: `output_item.added message`, `output_text.delta A`. */
  events: string[];
  /** The items as they were done. */
  items: JsonObject[];
  /** The answer of the last event. */
  response: JsonObject;
}

/** What the parts of an item add up to. */
interface OpenItem {
  item: JsonObject;
  index: number;
  /** How often each kind of part has begun and ended. */
  state: 'added' | 'open' | 'text done' | 'part done';
  text: string;
}

const ENDS = ['response.completed', 'response.incomplete', 'response.failed'];
/** By the type of an item: what its events are called, and where the whole stands in the last of them and in the item. */
const TEXTS: Readonly<Record<string, { name: string; field: string; part?: string }>> = {
  message: { name: 'output_text', field: 'text', part: 'content_part' },
  refusal: { name: 'refusal', field: 'refusal', part: 'content_part' },
  reasoning: { name: 'reasoning_summary_text', field: 'text', part: 'reasoning_summary_part' },
  function_call: { name: 'function_call_arguments', field: 'arguments' },
  custom_tool_call: { name: 'custom_tool_call_input', field: 'input' },
};

/** @throws Error which says what no such stream has */
export function foldResponses(stream: string): FoldedResponse {
  const folded: FoldedResponse = { events: [], items: [], response: {} };
  let open: OpenItem | undefined;
  let isOver = false;
  if (!stream.endsWith('\n\n')) throw new Error('the last frame has no end');
  for (const [at, frame] of stream.slice(0, -2).split('\n\n').entries()) {
    const [, name, data] = /^event: ([a-z_.]+)\ndata: ([^\n\r]*)$/.exec(frame) ?? [];
    if (data === undefined) throw new Error(`a frame is no event with a line of data: ${JSON.stringify(frame)}`);
    const event = JSON.parse(data) as JsonObject;
    const { type, sequence_number } = event;
    if (type !== name) throw new Error(`the event ${name} has the type ${type}`);
    if (sequence_number !== at) throw new Error(`the number ${sequence_number} in place of ${at}`);
    if (isOver) throw new Error('something comes behind the end');
    const first = ['response.created', 'response.in_progress'][at];
    if (first !== undefined && type !== first) throw new Error(`${type} in place of ${first}`);
    if (event.response !== undefined) {
      if (at > 1 && type !== 'response.in_progress' && !ENDS.includes(String(type))) throw new Error(`another ${type}`);
      readResponse(event, folded);
      isOver = ENDS.includes(String(type));
      if (isOver && open && type !== 'response.failed') throw new Error('an item is open at the end');
    } else if (type === 'response.output_item.added') {
      if (open) throw new Error('an item begins within another');
      open = addedItem(event, folded.items.length);
    } else if (type === 'response.output_item.done') {
      folded.items.push(doneItem(event, open));
      open = undefined;
    } else readPart(event, open);
    folded.events.push(nameOf(event));
  }
  if (!isOver) throw new Error('the stream has no end');
  return folded;
}

function readResponse({ type, response }: JsonObject, folded: FoldedResponse): void {
  const { id, object, created_at, status, output, usage, error, incomplete_details } = response as JsonObject;
  if (object !== 'response' || !Number.isInteger(created_at)) throw new Error('an answer without its head');
  if (folded.response.id !== undefined && folded.response.id !== id) throw new Error('another id');
  if (JSON.stringify(output) !== JSON.stringify(folded.items))
    throw new Error('the output is not that of the done items');
  const expected = String(type).replace('response.', '').replace('created', 'in_progress');
  if (status !== expected) throw new Error(`${type} with the status ${status}`);
  if ((error !== null) !== (status === 'failed')) throw new Error('an error that is none');
  if ((incomplete_details !== null) !== (status === 'incomplete')) throw new Error('no reason why it is incomplete');
  const counts = ['input_tokens', 'output_tokens', 'total_tokens'].map((name) => (usage as JsonObject | null)?.[name]);
  if (['completed', 'incomplete'].includes(expected) && !counts.every(Number.isInteger)) throw new Error('no usage');
  folded.response = response as JsonObject;
}

function addedItem({ item: given, output_index }: JsonObject, index: number): OpenItem {
  const item = given as JsonObject;
  if (output_index !== index) throw new Error(`an item at ${output_index} in place of ${index}`);
  if (item.type !== 'reasoning' && item.status !== 'in_progress') throw new Error('an item begins with another status');
  const content = item.content ?? item.summary ?? item.arguments ?? item.input;
  if ((content as { length: number }).length !== 0) throw new Error('an item begins with content');
  return { item, index, state: 'added', text: '' };
}

function doneItem({ item: given, output_index }: JsonObject, open: OpenItem | undefined): JsonObject {
  const item = given as JsonObject;
  if (open === undefined) throw new Error('an item ends that has not begun');
  if (output_index !== open.index || item.id !== open.item.id || item.type !== open.item.type)
    throw new Error('another item ends');
  const isSilent = item.type === 'reasoning' && open.state === 'added';
  const last = TEXTS[String(item.type)]?.part === undefined ? 'text done' : 'part done';
  if (!isSilent && open.state !== last) throw new Error(`the item ${item.type} ends in the state ${open.state}`);
  const [part] = (item.content ?? item.summary ?? []) as JsonObject[];
  const whole = part?.text ?? part?.refusal ?? item.arguments ?? item.input ?? '';
  if (whole !== open.text) throw new Error('an item is not what its parts were');
  if (item.type === 'function_call' && whole === '') throw new Error('a call without arguments');
  if (item.type === 'reasoning' && typeof item.encrypted_content !== 'string')
    throw new Error('thinking without content');
  return item;
}

/** An event within an item. */
function readPart(event: JsonObject, open: OpenItem | undefined): void {
  const type = String(event.type).replace('response.', '');
  if (open === undefined) throw new Error(`${type} outside of an item`);
  if (event.item_id !== open.item.id || event.output_index !== open.index) throw new Error(`${type} of another item`);
  const index = event.content_index ?? event.summary_index ?? 0;
  if (index !== 0) throw new Error(`a part too many: ${index}`);
  const isRefusal = type.startsWith('refusal') || (event.part as JsonObject | undefined)?.type === 'refusal';
  const { name, field, part } = TEXTS[isRefusal ? 'refusal' : String(open.item.type)] ?? { name: '', field: '' };
  const whole = (event.part ?? event) as JsonObject;
  switch (type) {
    case `${part}.added`:
      if (open.state !== 'added' || whole[field] !== '') throw new Error(`${type} out of its order`);
      open.state = 'open';
      return;
    case `${name}.delta`:
      if (open.state !== (part === undefined ? 'added' : 'open') || event.delta === '')
        throw new Error(`${type} out of its order`);
      open.text += event.delta;
      return;
    case `${name}.done`:
      if (whole[field] !== open.text) throw new Error(`${type} with another text`);
      open.state = 'text done';
      return;
    case `${part}.done`:
      if (open.state !== 'text done' || whole[field] !== open.text) throw new Error(`${type} out of its order`);
      open.state = 'part done';
      return;
    default:
      throw new Error(`an event that such an item does not have: ${type}`);
  }
}

function nameOf({ type, item, delta }: JsonObject): string {
  const detail =
    (item as JsonObject | undefined)?.type ?? (String(type).endsWith('output_text.delta') ? delta : undefined);
  const short = String(type).replace(/^response\.(?=.*[._](?:added|delta|done)$)/, '');
  return detail === undefined ? short : `${short} ${detail}`;
}
