import { expect, test } from 'vitest';
import type { ConversationProcess, ProcessState } from '../spec/engine.ts';
import type { ClientTool } from '../spec/messages.ts';
import { cheapestToEvict, finishedOneShot, hasWaitedTooLong, type Opening, openingOf } from './eviction.ts';

const ONE_SHOT = { hasHistory: false, hasTools: false, turns: 1 };
const process = (state: ProcessState, turns: number, changedAt: number, opening: Partial<Opening> = {}) =>
  [{ state, turns, changedAt } as ConversationProcess, { ...ONE_SHOT, ...opening }] as const;

test('one-shots leave before those that may go on, idle before held, then the longest waiting', () => {
  const inOrder = [
    process('idle', 1, 50),
    process('idle', 1, 60),
    // It had other conversations before.
    process('idle', 7, 70, { turns: 7 }),
    process('idle', 1, 40, { hasTools: true }),
    process('idle', 2, 10),
    process('idle', 1, 15, { hasHistory: true }),
    process('idle', 9, 20, { hasTools: true }),
    process('held', 1, 1, { hasTools: true }),
    process('held', 5, 2, { hasTools: true }),
  ];
  for (let left = inOrder.length; left > 0; left -= 1) {
    const rest = inOrder.slice(-left);
    expect(cheapestToEvict(rest.toReversed())).toBe(rest[0]?.[0]);
  }
});

test('what streams or has ended is not evicted', () => {
  expect(cheapestToEvict([process('streaming', 1, 0), process('ended', 1, 0)])).toBeUndefined();
  expect(cheapestToEvict([])).toBeUndefined();
});

test('a spare takes the place of a one-shot alone, and not at once', () => {
  const oneShot = process('idle', 1, 10);
  const others = [
    process('streaming', 1, 0),
    process('held', 1, 0),
    process('idle', 2, 0),
    process('idle', 1, 0, { hasTools: true }),
    process('idle', 1, 0, { hasHistory: true }),
  ];
  expect(finishedOneShot([...others, oneShot], 5_011)).toBe(oneShot[0]);
  expect(finishedOneShot([...others, oneShot], 5_010)).toBeUndefined();
});

test('what a request tells of its conversation', () => {
  const user = { role: 'user' as const, content: [] };
  const tool = { name: 'read' } as ClientTool;
  expect(openingOf({ messages: [user], tools: [] }, { turns: 1 })).toEqual(ONE_SHOT);
  expect(openingOf({ messages: [user, user], tools: [tool] }, { turns: 4 })).toEqual({
    hasHistory: true,
    hasTools: true,
    turns: 4,
  });
});

test.each<[ProcessState, number, boolean]>([
  ['idle', 100, false],
  ['idle', 101, true],
  ['held', 101, false],
  ['held', 1_001, true],
  ['streaming', 1_000_000, false],
])('%s for %i ms is too long: %s', (state, age, expected) => {
  expect(hasWaitedTooLong(process(state, 1, 5)[0], { idleMs: 100, heldMs: 1_000 }, 5 + age)).toBe(expected);
});
