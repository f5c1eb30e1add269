import { expect, test } from 'vitest';
import { NEW_PROCESS_BYTES } from './budget.ts';
import { MemoryGauge } from './memory-gauge.ts';

/** A process that holds so much at each measuring, one after the other. */
const holding = (...bytes: Array<number | undefined>) => ({ measureMemory: async () => bytes.shift() });

test('counts what is not measured yet as a new process', async () => {
  const gauge = new MemoryGauge();
  const [one, other] = [holding(7), holding(undefined)];
  expect(gauge.total([one, other], 2)).toBe(2 * NEW_PROCESS_BYTES);
  await gauge.measure([one, other]);
  expect(gauge.total([one, other], 2)).toBe(7 + NEW_PROCESS_BYTES);
});

test('counts places whose processes have not started', async () => {
  const gauge = new MemoryGauge();
  const one = holding(7);
  await gauge.measure([one]);
  expect(gauge.total([one], 3)).toBe(7 + 2 * NEW_PROCESS_BYTES);
  expect(gauge.total([one], 0)).toBe(7);
});

test('keeps the last figure of what cannot be measured any more, and forgets what is gone', async () => {
  const gauge = new MemoryGauge();
  const one = holding(7, undefined, 9);
  for (const expected of [7, 7, 9]) {
    await gauge.measure([one]);
    expect(gauge.total([one], 1)).toBe(expected);
  }
  expect(gauge.total([], 0)).toBe(0);
});

test('compares with what a process held when it first waited, not while it came up', async () => {
  const gauge = new MemoryGauge();
  const state = { state: 'streaming' as 'streaming' | 'idle' };
  const one = Object.assign(state, holding(60, 200, 210, 281));
  await gauge.measure([one]);
  await gauge.measure([one]);
  expect(gauge.hasGrown(one)).toBe(false);
  state.state = 'idle';
  await gauge.measure([one]);
  expect(gauge.hasGrown(one)).toBe(false);
  await gauge.measure([one]);
  expect(gauge.hasGrown(one)).toBe(true);
});

test('tells what has grown by a third', async () => {
  const gauge = new MemoryGauge();
  const one = holding(300, 400, 401, undefined, 300);
  const grown: boolean[] = [gauge.hasGrown(one)];
  for (let measured = 0; measured < 5; measured += 1) {
    await gauge.measure([one]);
    grown.push(gauge.hasGrown(one));
  }
  expect(grown).toEqual([false, false, false, true, true, false]);
});
