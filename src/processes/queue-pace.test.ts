import { expect, test } from 'vitest';
import { QueuePace } from './queue-pace.ts';

test('a wait is as many mean steps as there are requests', () => {
  const pace = new QueuePace();
  pace.begin(1_000);
  expect([pace.isMeasured, pace.waitMs(3, 1_000)]).toEqual([false, undefined]);
  pace.move(1_400);
  pace.move(1_400);
  expect([pace.isMeasured, pace.movedAt, pace.waitMs(3, 1_400)]).toEqual([true, 1_400, 600]);
});

test('the newest steps count', () => {
  const pace = new QueuePace();
  pace.begin(0);
  for (let step = 1; step <= 10; step += 1) pace.move(step * 9_000);
  for (let step = 1; step <= 32; step += 1) pace.move(90_000 + step * 10);
  expect(pace.waitMs(2, pace.movedAt)).toBe(20);
});

test('a queue that stands still takes at least as long as it has stood', () => {
  const pace = new QueuePace();
  pace.begin(0);
  pace.move(10);
  expect(pace.waitMs(2, 5_010)).toBe(5_000);
});

test('a new queue is guessed by the one before, until it moves', () => {
  const pace = new QueuePace();
  pace.begin(0);
  pace.move(100);
  pace.begin(1_000_000);
  expect([pace.isMeasured, pace.waitMs(2, 1_000_000)]).toEqual([false, 200]);
  pace.move(1_000_001);
  expect([pace.isMeasured, pace.waitMs(2, 1_000_001)]).toEqual([true, 2]);
});
