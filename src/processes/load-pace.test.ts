import { expect, test } from 'vitest';
import { LoadPace } from './load-pace.ts';

const times = (count: number, of: () => void) => {
  for (let made = 0; made < count; made += 1) of();
};
/** The longest history whose load is expected to be quicker. */
const longest = (pace: LoadPace, onto: 'used' | 'spare' = 'used') => {
  let messages = -1;
  while (messages < 10_000 && pace.isQuicker(onto, messages + 1)) messages += 1;
  return messages;
};

test('before anything is measured a short history is loaded, a long one is not', () => {
  expect([longest(new LoadPace()), longest(new LoadPace(), 'spare')]).toEqual([34, 28]);
});

test('where messages load more quickly, or processes come up more slowly, longer ones are', () => {
  const quick = new LoadPace();
  times(50, () => quick.loaded('used', 40, 20 + 40 * 2));
  expect(longest(quick)).toBeGreaterThan(100);
  const slow = new LoadPace();
  times(50, () => slow.cameUp(900));
  expect(longest(slow)).toBeGreaterThan(100);
});

test('where messages load slowly, only shorter ones are', () => {
  const pace = new LoadPace();
  times(50, () => pace.loaded('used', 10, 20 + 10 * 30));
  expect(longest(pace)).toBeLessThan(12);
});

test('a spare has a time of its own', () => {
  const pace = new LoadPace();
  times(50, () => pace.loaded('spare', 0, 270));
  expect(longest(pace, 'spare')).toBeLessThan(5);
  expect(longest(pace)).toBe(34);
});

test('one hiccup decides nothing', () => {
  const pace = new LoadPace();
  pace.loaded('used', 1, 60_000);
  pace.loaded('used', 0, 60_000);
  expect(longest(pace)).toBeGreaterThan(15);
  pace.cameUp(60_000);
  expect(longest(pace)).toBeLessThan(60);
});

test('no process is ever expected to be up at once', () => {
  const pace = new LoadPace();
  times(500, () => pace.cameUp(0));
  expect(pace.isQuicker('used', 0)).toBe(true);
});

test('a load that is never made any more is tried again in time', () => {
  const pace = new LoadPace();
  times(200, () => pace.loaded('used', 0, 1_000));
  expect(pace.isQuicker('used', 0)).toBe(false);
  let refused = 0;
  while (!pace.isQuicker('used', 0)) refused += 1;
  expect(refused).toBeLessThan(100);
});
