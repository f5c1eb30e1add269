import { expect, test } from 'vitest';
import type { TurnMarks } from '../spec/turn-record.ts';
import { TurnRecorder } from './turn-recorder.ts';
import { TurnsUnderWay } from './turns-under-way.ts';

const WHAT = {
  dialect: 'd',
  model: 'm',
  stream: false,
  messages: 1,
  tools: 0,
  bodyBytes: 7,
  parameters: [],
};

function begun(marks: Partial<TurnMarks> = {}, what: typeof WHAT | undefined = WHAT, arrived = 0): TurnRecorder {
  const recorder = new TurnRecorder({ requestId: 'r', caller: 'c' }, arrived);
  if (what) recorder.asked(what, undefined);
  Object.assign(recorder.marks, marks);
  return recorder;
}

test('a turn whose body is not read yet is being received', () => {
  const recorder = new TurnRecorder({ requestId: 'r', caller: 'c' }, 0);
  expect(recorder.underWay(2.4)).toEqual({ id: 'r', caller: 'c', state: 'receiving', ageMs: 2 });
});

test.each<[string, Partial<TurnMarks>]>([
  ['queued', {}],
  ['queued', { queued: 1 }],
  ['starting', { queued: 1, admitted: 2, handed: 3 }],
  ['asking', { queued: 1, admitted: 2, handed: 3, spawned: 4 }],
  ['asking', { handed: 1 }],
  ['starting', { loading: 1, handed: 1 }],
  ['asking', { loading: 1, handed: 1, loaded: 2 }],
  // A load instead of the place that it waited for.
  ['asking', { queued: 1, loading: 2, handed: 2, loaded: 3 }],
  // A spare whose claim has failed.
  ['queued', { loading: 1, handed: 1, loaded: 2, queued: 3 }],
])('a turn is %s with the moments %j', (state, marks) => {
  expect(begun(marks).underWay(9)).toMatchObject({ state, bytes: 7 });
});

test('a turn that the model answers is answering, whatever was before', () => {
  const recorder = begun({ handed: 1, queued: 2, eventAt: 3 });
  recorder.heard({ type: 'keep_alive' } as never);
  expect(recorder.underWay(9)).toMatchObject({ state: 'answering' });
});

test('a hundred are listed, the oldest first, and all are counted', () => {
  const turns = new TurnsUnderWay();
  const recorders = Array.from({ length: 103 }, (_, at) => begun({ handed: at }, WHAT, at));
  for (const recorder of recorders) turns.begin(recorder);
  for (const recorder of recorders.slice(0, 2)) turns.end(recorder);
  const { list, ...rest } = turns.body(103);
  expect(rest).toEqual({ turns: 101, states: { asking: 101 }, unlisted: 1 });
  expect([list.length, list[0]?.ageMs, list.at(-1)?.ageMs]).toEqual([100, 101, 2]);
});
