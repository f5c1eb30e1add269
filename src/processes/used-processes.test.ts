import { expect, test } from 'vitest';
import type { ConversationProcess, ProcessState } from '../spec/engine.ts';
import { finishedOneShotFor, type Tenancy, usedInsteadOfEvicted } from './used-processes.ts';

const WANTED = { callerId: 'c', key: 'k' };
const TENANCY: Tenancy = { callerId: 'c', hasHistory: false, hasTools: false, turns: 1 };

const process = (changedAt: number, tenancy: Partial<Tenancy> = {}, rest: Partial<ConversationProcess> = {}) =>
  [
    { state: 'idle' as ProcessState, turns: 1, changedAt, reuseKey: 'k', ...rest } as ConversationProcess,
    { ...TENANCY, ...tenancy },
  ] as const;

const FOREIGN = [
  process(1, { callerId: 'another' }),
  process(2, {}, { reuseKey: 'other' }),
  process(3, {}, { reuseKey: undefined }),
  process(4, {}, { state: 'streaming' }),
  process(5, {}, { state: 'ended' }),
];
const GOES_ON = [process(6, { hasTools: true }), process(7, { hasHistory: true }), process(8, {}, { turns: 2 })];

test('the one-shot that has waited longest is used, of the same caller and key alone', () => {
  const oneShots = [process(11), process(10)];
  expect(finishedOneShotFor(WANTED, [...FOREIGN, ...GOES_ON, ...oneShots])).toBe(oneShots[1]?.[0]);
  expect(finishedOneShotFor(WANTED, [...FOREIGN, ...GOES_ON])).toBeUndefined();
});

test('in place of an eviction the cheapest of the same caller and key is used', () => {
  expect(usedInsteadOfEvicted(WANTED, GOES_ON)).toBe(GOES_ON[0]?.[0]);
  expect(usedInsteadOfEvicted(WANTED, [...GOES_ON, process(20)])?.changedAt).toBe(20);
  expect(usedInsteadOfEvicted(WANTED, [])).toBeUndefined();
});

test('but neither one that holds calls, nor one that is worth more than what would be evicted', () => {
  const held = process(6, { hasTools: true }, { state: 'held' });
  expect(usedInsteadOfEvicted(WANTED, [held])).toBeUndefined();
  expect(usedInsteadOfEvicted(WANTED, [...GOES_ON, process(30, { callerId: 'another' })])).toBeUndefined();
  const like = process(1, { callerId: 'another', hasTools: true });
  expect(usedInsteadOfEvicted(WANTED, [...GOES_ON, like])).toBe(GOES_ON[0]?.[0]);
});
