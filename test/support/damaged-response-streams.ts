import type { JsonObject } from '../../src/spec/messages.ts';
import type { Complaint, StreamEvent } from './sse-frames.ts';
import { changed, type Damage, GARBLED, garbled, moved, replaced } from './stream-damage.ts';

type Change = (event: StreamEvent, index: number, all: readonly StreamEvent[]) => object | undefined;

const frameOf = (event: { type?: unknown; sequence_number?: unknown }) =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
const altered = (name: string, about: Complaint, change: Change): Damage<StreamEvent> =>
  changed(frameOf, name, about, change);

const isEnd = ({ type }: StreamEvent) => /^response\.(completed|incomplete|failed)$/.test(type);
const isDelta = ({ type }: StreamEvent) => type.endsWith('.delta');
/** The text that a `done` event repeats, by the name of its field. */
const wholeOf = (event: StreamEvent) => ['text', 'refusal', 'arguments', 'input'].find((field) => field in event);

/** The events as a server that counts them would send them. */
const numbered = (events: readonly object[]) => events.map((event, at) => frameOf({ ...event, sequence_number: at }));

/** One damage of the order of events that are numbered all the same. */
function reordered(
  name: string,
  about: Complaint,
  move: (events: readonly StreamEvent[], index: number) => StreamEvent[] | undefined,
): Damage<StreamEvent> {
  return {
    name,
    about,
    at: (_, events) =>
      events.flatMap((__, index) => [move(events, index) ?? []].filter(({ length }) => length).map(numbered)),
  };
}

const dropped =
  (mayDrop: (event: StreamEvent, events: readonly StreamEvent[], index: number) => boolean) =>
  (events: readonly StreamEvent[], index: number) => {
    const event = events[index] as StreamEvent;
    const next = events[index + 1];
    // Before a failure anything may be missing.
    return next && !['error', 'response.failed'].includes(next.type) && mayDrop(event, events, index)
      ? events.toSpliced(index, 1)
      : undefined;
  };
const isDoneLater = ({ item_id }: StreamEvent, events: readonly StreamEvent[], index: number) =>
  events.slice(index).some((later) => later.item_id === item_id && wholeOf(later) !== undefined);

const withIndex =
  (field: string): Change =>
  (event) =>
    event[field] === undefined ? undefined : { ...event, [field]: Number(event[field]) + 1 };
const without =
  (field: string): Change =>
  (event) =>
    event[field] === undefined ? undefined : { ...event, [field]: undefined };
const ofType =
  (type: RegExp, change: Change): Change =>
  (event, index, all) =>
    type.test(event.type) ? change(event, index, all) : undefined;
const ofItem = (type: RegExp, change: (item: JsonObject) => object | undefined): Change =>
  ofType(type, (event) => {
    const item = change(event.item as JsonObject);
    return item && { ...event, item };
  });
const ofResponse = (type: RegExp, change: (response: JsonObject) => object | undefined): Change =>
  ofType(type, (event) => {
    const response = change(event.response as JsonObject);
    return response && { ...event, response };
  });

const ADDED = /output_item\.added$/;
const DONE = /output_item\.done$/;
const WHOLE = /^response\.(completed|incomplete)$/;
const ANY = /^response\.(created|in_progress|completed|incomplete|failed)$/;

/** Everything but the change of a text in all places where it stands, which no grammar can see. */
export const RESPONSE_DAMAGES: ReadonlyArray<Damage<StreamEvent>> = [
  moved('the last frame dropped', 'end', (frames, index) =>
    index === frames.length - 1 ? replaced(frames, index, 1) : undefined,
  ),
  moved('a frame dropped', 'index', (frames, index) =>
    index < frames.length - 1 ? replaced(frames, index, 1) : undefined,
  ),
  moved('a frame repeated', 'index', (frames, index, events) =>
    events[index] && isEnd(events[index]) ? undefined : replaced(frames, index, 0, frames[index] ?? ''),
  ),
  moved('a frame behind the end', 'order', (frames, index) => [...frames, frames[index] ?? '']),
  reordered('a keep-alive behind the end', 'order', (events, index) =>
    index === 1 ? [...events, events[1] as StreamEvent] : undefined,
  ),
  reordered('the error before a failed answer dropped', 'order', (events, index) =>
    events[index]?.type === 'error' ? events.toSpliced(index, 1) : undefined,
  ),
  reordered(
    'a beginning dropped',
    'order',
    dropped(({ type }) => /created|in_progress|added$/.test(type)),
  ),
  reordered(
    'the end of a text or a part dropped',
    'order',
    dropped((event) => /part\.done$/.test(event.type) || wholeOf(event) !== undefined),
  ),
  reordered('the end of an item dropped', 'order', (events, index) => {
    const next = events[index + 1];
    return DONE.test(events[index]?.type ?? '') && ADDED.test(next?.type ?? '')
      ? events.toSpliced(index, 1)
      : undefined;
  }),
  reordered('the end of the last item dropped', 'whole', (events, index) =>
    DONE.test(events[index]?.type ?? '') && WHOLE.test(events[index + 1]?.type ?? '')
      ? events.toSpliced(index, 1)
      : undefined,
  ),
  reordered(
    'a delta dropped',
    'whole',
    dropped((event, events, index) => isDelta(event) && isDoneLater(event, events, index)),
  ),
  reordered('a delta repeated', 'whole', (events, index) => {
    const event = events[index] as StreamEvent;
    return isDelta(event) && isDoneLater(event, events, index) ? events.toSpliced(index, 0, event) : undefined;
  }),
  reordered('what is not a delta repeated', 'order', (events, index) => {
    const event = events[index] as StreamEvent;
    const mayRepeat = isDelta(event) || event.type === 'response.in_progress' || /part\.done$/.test(event.type);
    return mayRepeat ? undefined : events.toSpliced(index, 0, event);
  }),
  reordered('the end of a part repeated', 'index', (events, index) => {
    const event = events[index] as StreamEvent;
    return /part\.done$/.test(event.type) ? events.toSpliced(index, 0, event) : undefined;
  }),
  altered('an unknown event', 'order', (event) => ({ ...event, type: 'response.keepalive' })),
  altered('a number as text', 'index', (event) => ({ ...event, sequence_number: String(event.sequence_number) })),
  altered('no number', 'index', without('sequence_number')),
  ...['output_index', 'content_index', 'summary_index'].flatMap((field) => [
    altered(`another ${field}`, 'index', withIndex(field)),
    altered(`no ${field}`, 'field', without(field)),
  ]),
  altered('another item_id', 'index', (event) =>
    event.item_id === undefined ? undefined : { ...event, item_id: 'x' },
  ),
  ...['item_id', 'delta', 'text', 'arguments', 'input', 'refusal', 'part', 'item', 'response', 'logprobs'].map(
    (field) => altered(`no ${field}`, 'field', without(field)),
  ),
  altered('a delta that says nothing', 'field', (event) => (isDelta(event) ? { ...event, delta: '' } : undefined)),
  altered('another delta', 'whole', (event, index, all) =>
    isDelta(event) && isDoneLater(event, all, index) ? { ...event, delta: `${event.delta}x` } : undefined,
  ),
  altered('a text that is not the whole', 'whole', (event) => {
    const field = wholeOf(event);
    return field === undefined ? undefined : { ...event, [field]: `${event[field]}x` };
  }),
  altered(
    'a part that is not the whole',
    'whole',
    ofType(/part\.done$/, (event) => {
      const part = event.part as JsonObject;
      return { ...event, part: { ...part, [part.text === undefined ? 'refusal' : 'text']: 'x\u0001' } };
    }),
  ),
  altered(
    'an item that is not the whole',
    'whole',
    ofItem(DONE, (item) => {
      const field = ['content', 'arguments', 'input'].find((one) => one in item);
      return field === undefined ? undefined : { ...item, [field]: field === 'content' ? [] : `${item[field]}x` };
    }),
  ),
  altered(
    'an item with another name at its end',
    'whole',
    ofItem(DONE, (item) => (item.name === undefined ? undefined : { ...item, name: 'x' })),
  ),
  altered(
    'an item with another id at its end',
    'whole',
    ofItem(DONE, (item) => ({ ...item, id: 'x' })),
  ),
  altered(
    'an item of an unknown type',
    'field',
    ofItem(ADDED, (item) => ({ ...item, type: 'text' })),
  ),
  altered(
    'an item without id',
    'field',
    ofItem(ADDED, ({ id: _, ...item }) => item),
  ),
  altered('an item with the id of another', 'field', (event, _, all) => {
    const [first] = all.filter(({ type }) => ADDED.test(type)).map(({ item }) => item as JsonObject);
    if (!ADDED.test(event.type) || event.item === first) return undefined;
    return { ...event, item: { ...(event.item as object), id: first?.id } };
  }),
  altered(
    'an item that begins completed',
    'field',
    ofItem(ADDED, (item) => (item.status === undefined ? undefined : { ...item, status: 'completed' })),
  ),
  altered(
    'an item that ends in progress',
    'field',
    ofItem(DONE, (item) => (item.status === undefined ? undefined : { ...item, status: 'in_progress' })),
  ),
  altered(
    'a call without call_id',
    'field',
    ofItem(ADDED, ({ call_id: id, ...item }) => (id === undefined ? undefined : item)),
  ),
  altered(
    'another status',
    'field',
    ofResponse(ANY, (response) => ({ ...response, status: 'queued' })),
  ),
  altered('the id of another answer', 'field', (event, index) =>
    index > 0 && event.response !== undefined
      ? { ...event, response: { ...(event.response as object), id: 'resp_x' } }
      : undefined,
  ),
  ...['output', 'tools', 'model', 'created_at', 'error', 'metadata'].map((field) =>
    altered(
      `an answer without ${field}`,
      'field',
      ofResponse(ANY, ({ [field]: _, ...response }) => response),
    ),
  ),
  altered(
    'an output without its last item',
    'whole',
    ofResponse(ANY, ({ output, ...response }) =>
      (output as object[]).length > 0 ? { ...response, output: (output as object[]).slice(0, -1) } : undefined,
    ),
  ),
  altered(
    'an output with an item too many',
    'whole',
    ofResponse(ANY, ({ output, ...response }) => ({ ...response, output: [...(output as object[]), {}] })),
  ),
  altered(
    'no usage',
    'field',
    ofResponse(WHOLE, (response) => ({ ...response, usage: null })),
  ),
  altered(
    'a usage that does not add up',
    'field',
    ofResponse(WHOLE, ({ usage, ...response }) => ({
      ...response,
      usage: { ...(usage as object), total_tokens: 0.5 },
    })),
  ),
  altered(
    'an error in an answer that has none',
    'field',
    ofResponse(/completed$/, (response) => ({ ...response, error: { code: 'x', message: 'x' } })),
  ),
  altered(
    'a failure without error',
    'field',
    ofResponse(/failed$/, (response) => ({ ...response, error: null })),
  ),
  altered(
    'no reason why it is incomplete',
    'field',
    ofResponse(/incomplete$/, (response) => ({ ...response, incomplete_details: null })),
  ),
  garbled('another event name than type', 'frame', (frame) => frame.replace('event: ', 'event: x')),
  garbled('no event name', 'frame', (frame) => frame.replace(/^event: .*\n/, '')),
  garbled('no blank line', 'frame', (frame) => `${frame.slice(0, -1)}event: ping\n`),
  ...GARBLED,
];
