import { expect, test } from 'vitest';
import type { Caller } from '../spec/caller.ts';
import { CallerTurns } from './caller-limit.ts';

const caller = (id: string, turns: number): Caller => ({ id, name: id, limits: { turns } });
const refused = expect.objectContaining({
  failure: expect.objectContaining({ code: 'caller_at_limit', status: 429, retryAfterSeconds: 1 }),
});

test('keeps each caller within its own limit', () => {
  const callers = new CallerTurns();
  callers.enter(caller('one', 2));
  const leave = callers.enter(caller('one', 2));
  expect(() => callers.enter(caller('one', 2))).toThrow(refused);
  callers.enter(caller('another', 1));
  leave();
  callers.enter(caller('one', 2));
  expect(() => callers.enter(caller('one', 2))).toThrow(refused);
});

test('a turn that is ended twice is one turn', () => {
  const callers = new CallerTurns();
  const leave = callers.enter(caller('one', 2));
  callers.enter(caller('one', 2));
  leave();
  leave();
  callers.enter(caller('one', 2));
  expect(() => callers.enter(caller('one', 2))).toThrow(refused);
});

test('a limit that has changed counts from then on', () => {
  const callers = new CallerTurns();
  callers.enter(caller('one', 1));
  callers.enter(caller('one', 2));
  expect(() => callers.enter(caller('one', 1))).toThrow(refused);
});
