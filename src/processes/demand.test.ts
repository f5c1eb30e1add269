import { expect, test } from 'vitest';
import { Demand } from './demand.ts';

test('as many are wanted as conversations began in the last half minute, within bounds', () => {
  const demand = new Demand(2);
  expect(demand.wanted(0)).toBe(2);
  for (const at of [0, 0, 10_000, 10_000, 20_000]) demand.begin(at);
  expect(demand.wanted(20_000)).toBe(5);
  expect(demand.wanted(30_000)).toBe(3);
  expect(demand.wanted(40_000)).toBe(2);
  for (let count = 0; count < 100; count += 1) demand.begin(50_000);
  expect(demand.wanted(50_000)).toBe(8);
});

test('none is ever wanted where there shall be none', () => {
  const demand = new Demand(0);
  for (let count = 0; count < 10; count += 1) demand.begin(0);
  expect(demand.wanted(0)).toBe(0);
});
