import { expect, test } from 'vitest';
import type { ConversationProcess, ProcessState } from '../spec/engine.ts';
import { cheapestToEvict, hasWaitedTooLong } from './eviction.ts';

const process = (state: ProcessState, turns: number, changedAt: number) =>
  ({ state, turns, changedAt }) as ConversationProcess;

test('idle leaves before held, never continued before continued, then the longest waiting', () => {
  const inOrder = [
    process('idle', 1, 50),
    process('idle', 1, 60),
    process('idle', 2, 10),
    process('idle', 9, 20),
    process('held', 1, 1),
    process('held', 5, 2),
  ];
  for (let left = inOrder.length; left > 0; left -= 1) {
    const rest = inOrder.slice(-left);
    expect(cheapestToEvict(rest.toReversed())).toBe(rest[0]);
  }
});

test('what streams or has ended is not evicted', () => {
  expect(cheapestToEvict([process('streaming', 1, 0), process('ended', 1, 0)])).toBeUndefined();
  expect(cheapestToEvict([])).toBeUndefined();
});

test.each<[ProcessState, number, boolean]>([
  ['idle', 100, false],
  ['idle', 101, true],
  ['held', 101, false],
  ['held', 1_001, true],
  ['streaming', 1_000_000, false],
])('%s for %i ms is too long: %s', (state, age, expected) => {
  expect(hasWaitedTooLong(process(state, 1, 5), { idleMs: 100, heldMs: 1_000 }, 5 + age)).toBe(expected);
});
