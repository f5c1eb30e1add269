import { expect, test } from 'vitest';
import { LineageRegistry } from './registry.ts';

/** Lineages of conversations of letters: each beginning of the text. */
const lineages = (text: string) => Array.from({ length: text.length + 1 }, (_, end) => `/${text.slice(0, end)}`);
const anyone = () => true;

function registryOf(held: Record<string, string>): LineageRegistry<string> {
  const registry = new LineageRegistry<string>();
  for (const [live, text] of Object.entries(held)) registry.add(lineages(text), live);
  return registry;
}

test('the newest that has reached a lineage is taken, once', () => {
  const registry = registryOf({ one: 'abc', two: 'abc', longer: 'abcd' });
  expect([registry.take('/abc'), registry.take('/abc'), registry.take('/abc')]).toEqual(['two', 'one', undefined]);
  expect(registry.take('/ab')).toBeUndefined();
  expect(registry.take('/abcd')).toBe('longer');
});

test('what has reached another lineage is found there alone', () => {
  const registry = registryOf({ one: 'abc' });
  registry.add(lineages('abcde'), 'one');
  expect([registry.take('/abc'), registry.take('/abcde')]).toEqual([undefined, 'one']);
});

test('the one that holds the most of a request is found, of several the newest, and it stays', () => {
  const registry = registryOf({ one: 'abxy', two: 'abcx', three: 'abcz', other: 'xabc' });
  for (const _ of [1, 2]) {
    expect(registry.mostSharing(lineages('abcd'), anyone)).toEqual({ live: 'three', shared: 3, held: 4 });
  }
  expect(registry.mostSharing(lineages('abcx'), anyone)).toEqual({ live: 'two', shared: 4, held: 4 });
  expect(registry.mostSharing(lineages('ab'), anyone)).toEqual({ live: 'three', shared: 2, held: 4 });
  expect(registry.mostSharing(lineages('abcd'), ({ live }) => live === 'one')).toEqual({
    live: 'one',
    shared: 2,
    held: 4,
  });
  expect(registry.mostSharing(lineages('q'), anyone)).toBeUndefined();
});

test('what is removed is not found', () => {
  const registry = registryOf({ one: 'ab', two: 'ab' });
  registry.remove('two');
  registry.remove('nobody');
  expect(registry.mostSharing(lineages('abc'), anyone)?.live).toBe('one');
  expect([registry.take('/ab'), registry.take('/ab')]).toEqual(['one', undefined]);
  expect(registry.mostSharing(lineages('abc'), anyone)).toBeUndefined();
});
