import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { AnswerMemories } from './answer-memories.ts';

const MEGABYTE = 1024 * 1024;

test('a caller finds what it has left, and nothing of another’s', () => {
  const memories = new AnswerMemories();
  const value = { a: 1 };
  memories.of('one').put('id', value, 0);
  expect(memories.of('one').get('id')).toBe(value);
  expect(memories.of('two').get('id')).toBeUndefined();
});

test('32 MB are kept: what nobody has asked for the longest goes first', () => {
  const memory = new AnswerMemories().of('one');
  for (const id of ['a', 'b', 'c']) memory.put(id, { id }, 10 * MEGABYTE);
  memory.get('a');
  memory.put('d', {}, 10 * MEGABYTE);
  expect(['a', 'b', 'c', 'd'].filter((id) => memory.get(id) !== undefined)).toEqual(['a', 'c', 'd']);
  memory.put('large', {}, 33 * MEGABYTE);
  expect(memory.get('large')).toBeUndefined();
});

test('what nobody has asked for in an hour is gone', async () => {
  const MINUTES = 60_000;
  let now = 1;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  // What is kept looks at the clock once in a millisecond.
  const pass = async (minutes: number) => {
    now += minutes * MINUTES;
    await sleep(5);
  };
  try {
    const memory = new AnswerMemories().of('one');
    for (const id of ['asked', 'left']) memory.put(id, { id }, 1);
    await pass(59);
    expect(memory.get('asked')).toEqual({ id: 'asked' });
    await pass(2);
    expect([memory.get('asked'), memory.get('left')]).toEqual([{ id: 'asked' }, undefined]);
  } finally {
    clock.mockRestore();
  }
});
