import type { JsonObject } from '../../src/spec/messages.ts';
import type { Complaint } from './sse-frames.ts';
import { changed, type Damage, GARBLED, garbled, moved, replaced } from './stream-damage.ts';

/** The data of a frame: a chunk, an error, or the mark at the end. */
export type ChatData = JsonObject | '[DONE]';
type Change = (chunk: JsonObject, index: number, all: readonly ChatData[]) => object | undefined;

const frameOf = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
const altered = (name: string, about: Complaint, change: Change): Damage<ChatData> =>
  changed(frameOf, name, about, (data: ChatData, index, all) =>
    data === '[DONE]' ? undefined : change(data, index, all),
  );

const isError = (data: ChatData | undefined) => typeof data === 'object' && 'error' in data;
const choiceOf = (data: ChatData | undefined) =>
  (typeof data === 'object' ? ((data.choices ?? []) as JsonObject[]) : [])[0] as
    | { delta: JsonObject; finish_reason: string | null }
    | undefined;
const callOf = (data: ChatData | undefined) =>
  (choiceOf(data)?.delta.tool_calls as JsonObject[] | undefined)?.[0] as JsonObject | undefined;
const isUsage = (data: ChatData | undefined) =>
  typeof data === 'object' && Array.isArray(data.choices) && data.choices.length === 0;

/** Changes of one choice, of what it adds, and of a call in it. */
const ofChoice =
  (change: (choice: JsonObject) => object | undefined): Change =>
  (chunk) => {
    const choice = choiceOf(chunk);
    const other = choice && change(choice);
    return other && { ...chunk, choices: [other] };
  };
const ofDelta = (change: (delta: JsonObject) => object | undefined): Change =>
  ofChoice((choice) => {
    const delta = change(choice.delta as JsonObject);
    return delta && { ...choice, delta };
  });
const ofCall = (change: (call: JsonObject) => object | undefined): Change =>
  ofDelta((delta) => {
    const call = callOf({ choices: [{ delta }] });
    const other = call && change(call);
    return other && { ...delta, tool_calls: [other] };
  });
const ofError =
  (change: (error: JsonObject) => object): Change =>
  (chunk) =>
    isError(chunk) ? { error: change(chunk.error as JsonObject) } : undefined;
const ofUsage =
  (change: (usage: JsonObject) => unknown): Change =>
  (chunk) =>
    isUsage(chunk) ? { ...chunk, usage: change(chunk.usage as JsonObject) } : undefined;

const without =
  (field: string): Change =>
  (chunk) =>
    isError(chunk) ? undefined : { ...chunk, [field]: undefined };
const behind = (data: string) => (frames: readonly string[], index: number) =>
  index === frames.length - 1 ? [...frames, data] : undefined;

/** Everything but the loss of a text, its repetition or its change, which no grammar can see. */
export const CHAT_DAMAGES: ReadonlyArray<Damage<ChatData>> = [
  moved('the last frame dropped', 'end', (frames, index) =>
    index === frames.length - 1 && index > 0 ? replaced(frames, index, 1) : undefined,
  ),
  moved('a frame behind the end', 'order', (frames, index) => [...frames, frames[index] ?? '']),
  moved('a keep-alive behind the end', 'order', (frames, index, events) =>
    events[0] !== undefined && !isError(events[0])
      ? behind(frameOf({ ...(events[0] as JsonObject), choices: [{ index: 0, delta: {}, finish_reason: null }] }))(
          frames,
          index,
        )
      : undefined,
  ),
  moved('[DONE] behind an error', 'order', (frames, index, events) =>
    isError(events.at(-1)) ? behind('data: [DONE]\n\n')(frames, index) : undefined,
  ),
  moved('[DONE] before the end', 'order', (frames, index, events) =>
    isError(events.at(-1)) ? undefined : replaced(frames, index, 0, 'data: [DONE]\n\n'),
  ),
  moved('no role', 'order', (frames, index, events) =>
    index === 0 && !isError(events[1]) && events.length > 2 ? replaced(frames, 0, 1) : undefined,
  ),
  moved('a role, a finish reason or a usage again', 'order', (frames, index, events) => {
    const choice = choiceOf(events[index]);
    const isOnce = choice?.delta.role !== undefined || choice?.finish_reason != null || isUsage(events[index]);
    return isOnce ? replaced(frames, index, 0, frames[index] ?? '') : undefined;
  }),
  moved('no usage', 'order', (frames, index, events) =>
    isUsage(events[index]) ? replaced(frames, index, 1) : undefined,
  ),
  moved('a usage that nobody asked for', 'order', (frames, index, events) =>
    events[index] === '[DONE]' && !isUsage(events[index - 1])
      ? replaced(
          frames,
          index,
          0,
          frameOf({
            ...(events[0] as JsonObject),
            choices: [],
            usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
          }),
        )
      : undefined,
  ),
  moved('a call without its arguments', 'input', (frames, index, events) => {
    const call = callOf(events[index]);
    const isAlone = callOf(events[index - 1])?.id !== undefined && callOf(events[index + 1])?.index !== call?.index;
    const isOfFunction = call?.id === undefined && call?.function !== undefined;
    return isAlone && isOfFunction && !isError(events.at(-1)) ? replaced(frames, index, 1) : undefined;
  }),
  altered('another id', 'field', (chunk, index) =>
    index > 0 && !isError(chunk) ? { ...chunk, id: 'other' } : undefined,
  ),
  altered('another time', 'field', (chunk, index) =>
    index > 0 && !isError(chunk) ? { ...chunk, created: 2 } : undefined,
  ),
  altered('another model', 'field', (chunk, index) =>
    index > 0 && !isError(chunk) ? { ...chunk, model: 'x' } : undefined,
  ),
  ...['id', 'object', 'created', 'model', 'choices'].map((field) => altered(`no ${field}`, 'field', without(field))),
  altered('an unknown field', 'field', (chunk) => ({ ...chunk, error_code: 1 })),
  altered(
    'an unknown field of a delta',
    'field',
    ofDelta((delta) => ({ ...delta, thinking: 'x' })),
  ),
  altered(
    'content that is no text',
    'field',
    ofDelta((delta) => ({ ...delta, content: null })),
  ),
  altered(
    'another index of the choice',
    'index',
    ofChoice((choice) => ({ ...choice, index: 1 })),
  ),
  altered('two choices', 'index', (chunk) =>
    choiceOf(chunk) ? { ...chunk, choices: [choiceOf(chunk), choiceOf(chunk)] } : undefined,
  ),
  altered('no choice', 'order', (chunk) => (choiceOf(chunk) ? { ...chunk, choices: [] } : undefined)),
  altered(
    'no finish reason',
    'order',
    ofChoice((choice) => (choice.finish_reason === null ? undefined : { ...choice, finish_reason: null })),
  ),
  altered(
    'an unknown finish reason',
    'field',
    ofChoice((choice) => (choice.finish_reason === null ? undefined : { ...choice, finish_reason: 'end_turn' })),
  ),
  altered(
    'a finish reason that is not what came',
    'whole',
    ofChoice(({ finish_reason: reason, ...choice }) => {
      const other = { stop: 'tool_calls', tool_calls: 'stop' }[String(reason)];
      return other === undefined ? undefined : { ...choice, finish_reason: other };
    }),
  ),
  altered('a usage beside a choice', 'order', (chunk) =>
    choiceOf(chunk) ? { ...chunk, usage: { prompt_tokens: 1 } } : undefined,
  ),
  altered(
    'a usage that does not add up',
    'field',
    ofUsage((usage) => ({ ...usage, total_tokens: -1 })),
  ),
  altered(
    'a usage that is nothing',
    'field',
    ofUsage(() => null),
  ),
  altered(
    'a call’s index too high',
    'index',
    ofCall((call) => (call.id === undefined ? undefined : { ...call, index: Number(call.index) + 1 })),
  ),
  altered(
    'all calls at one index',
    'order',
    ofCall((call) => (call.index === 1 && call.id !== undefined ? { ...call, index: 0 } : undefined)),
  ),
  altered(
    'a call that begins again',
    'order',
    ofCall((call) => (call.id === undefined ? { ...call, id: 'call_x' } : undefined)),
  ),
  altered(
    'a call without id',
    'field',
    ofCall((call) => (call.id === undefined ? undefined : { ...call, id: undefined })),
  ),
  altered(
    'a call without name',
    'field',
    ofCall((call) =>
      call.function === undefined || call.id === undefined ? undefined : { ...call, function: { arguments: '' } },
    ),
  ),
  altered(
    'a call without type',
    'field',
    ofCall((call) => (call.id === undefined ? undefined : { ...call, type: undefined })),
  ),
  altered(
    'an error without message',
    'field',
    ofError(({ message: _, ...error }) => error),
  ),
  altered(
    'an error without param',
    'field',
    ofError(({ param: _, ...error }) => error),
  ),
  altered('an error beside a chunk', 'field', (chunk) => (isError(chunk) ? { ...chunk, choices: [] } : undefined)),
  garbled('an event name', 'frame', (frame) => `event: error\n${frame}`),
  garbled('no blank line', 'frame', (frame) => `${frame.slice(0, -1)}data: x\n`),
  ...GARBLED,
];
