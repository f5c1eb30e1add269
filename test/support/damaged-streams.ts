import type { Complaint, StreamEvent } from './sse-frames.ts';
import { changed, type Damage, GARBLED, garbled, moved, replaced } from './stream-damage.ts';

/** A frame that comes from a changed event. */
type Change = (event: StreamEvent) => object | undefined;

const encode = (event: { type?: unknown }) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
const isDelta = (event: StreamEvent | undefined) => event?.type === 'content_block_delta';
const deltaOf = ({ delta }: StreamEvent) => delta as StreamEvent;
const isError = (event: StreamEvent | undefined) => event?.type === 'error';
const altered = (name: string, about: Complaint, change: Change) => changed(encode, name, about, change);

const hasIndex = ({ type }: StreamEvent) => type.startsWith('content_block');
const withIndex = (index: (old: number) => unknown) => (event: StreamEvent) =>
  hasIndex(event) ? { ...event, index: index(event.index as number) } : undefined;
const ofType =
  (type: string, change: Change): Change =>
  (event) =>
    event.type === type ? change(event) : undefined;
const ofDelta =
  (type: string, delta: (old: StreamEvent) => object): Change =>
  (event) =>
    isDelta(event) && deltaOf(event).type === type ? { ...event, delta: delta(deltaOf(event)) } : undefined;

const CONTROL_CHARACTER = altered(
  'a control character',
  'input',
  ofDelta('input_json_delta', (delta) => ({ ...delta, partial_json: `${delta.partial_json}\u0001` })),
);
/** Whether the answer was cut by a limit, refused or has failed. */
const mayCutInput = (events: readonly StreamEvent[]) =>
  isError(events.at(-1)) || /max_tokens|refusal/.test(JSON.stringify(events.at(-2)?.delta));

/** Everything but the loss of a delta, its repetition or a change of its text, which no grammar can see. */
export const DAMAGES: ReadonlyArray<Damage<StreamEvent>> = [
  moved('the last frame dropped', 'end', (frames, index) =>
    index === frames.length - 1 && index > 0 ? replaced(frames, index, 1) : undefined,
  ),
  // What stands before an error may end anywhere, so it may lack its last frame too.
  moved('a frame dropped', 'order', (frames, index, events) =>
    index === frames.length - 1 || isDelta(events[index]) || isError(events[index + 1])
      ? undefined
      : replaced(frames, index, 1),
  ),
  moved('a frame repeated', 'order', (frames, index, events) =>
    isDelta(events[index]) ? undefined : replaced(frames, index, 0, frames[index] ?? ''),
  ),
  moved('two frames swapped', 'order', (frames, index, events) =>
    index === frames.length - 1 || (isDelta(events[index]) && isDelta(events[index + 1]))
      ? undefined
      : replaced(frames, index, 2, frames[index + 1] ?? '', frames[index] ?? ''),
  ),
  moved('a frame behind the end', 'order', (frames, index) => [...frames, frames[index] ?? '']),
  moved('a ping behind the end', 'order', (frames) => [...frames, encode({ type: 'ping' })]),
  altered('an event of another name', 'order', (event) => ({ ...event, type: 'content_block' })),
  altered(
    'an index too high',
    'index',
    withIndex((index) => index + 1),
  ),
  altered(
    'an index too low',
    'index',
    withIndex((index) => index - 1),
  ),
  altered('an index as text', 'index', withIndex(String)),
  altered(
    'no index',
    'index',
    withIndex(() => undefined),
  ),
  altered(
    'a delta of another block type',
    'delta',
    ofDelta('text_delta', ({ text }) => ({ type: 'thinking_delta', thinking: text })),
  ),
  altered(
    'text inside a tool_use',
    'delta',
    ofDelta('input_json_delta', ({ partial_json }) => ({ type: 'text_delta', text: partial_json })),
  ),
  {
    name: 'a control character inside a tool’s input',
    about: 'input',
    at: (frames, events) => (mayCutInput(events) ? [] : CONTROL_CHARACTER.at(frames, events)),
  },
  altered(
    'a text_delta without text',
    'field',
    ofDelta('text_delta', () => ({ type: 'text_delta' })),
  ),
  altered('a delta without type', 'field', (event) => (isDelta(event) ? { ...event, delta: {} } : undefined)),
  altered(
    'a block without type',
    'field',
    ofType('content_block_start', (event) => ({ ...event, content_block: {} })),
  ),
  altered(
    'a message that begins full',
    'field',
    ofType('message_start', (event) => withMessage(event, { content: [{}] })),
  ),
  altered(
    'a message that begins ended',
    'field',
    ofType('message_start', (event) => withMessage(event, { stop_reason: '' })),
  ),
  altered(
    'no stop reason',
    'field',
    ofType('message_delta', (event) => ({ ...event, delta: { stop_reason: null } })),
  ),
  altered(
    'no usage',
    'field',
    ofType('message_delta', (event) => ({ ...event, usage: undefined })),
  ),
  altered(
    'no output_tokens',
    'field',
    ofType('message_delta', (event) => ({ ...event, usage: { input_tokens: 1 } })),
  ),
  altered(
    'an error without request_id',
    'field',
    ofType('error', (event) => ({ ...event, request_id: undefined })),
  ),
  altered(
    'an error without message',
    'field',
    ofType('error', (event) => ({ ...event, error: { type: 'api_error' } })),
  ),
  garbled('another event name than type', 'frame', (frame) => frame.replace('event: ', 'event: x')),
  garbled('no event name', 'frame', (frame) => frame.replace(/^event: .*\n/, '')),
  garbled('no blank line', 'frame', (frame) => `${frame.slice(0, -1)}event: ping\n`),
  ...GARBLED,
];

function withMessage(event: StreamEvent, fields: object): object {
  return { ...event, message: { ...(event.message as object), ...fields } };
}
