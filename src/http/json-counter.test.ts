import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonCounter } from './json-counter.ts';

/** The count of a text that comes in pieces of so many bytes. */
function countOf(text: string, pieceLength = Number.POSITIVE_INFINITY) {
  const counter = new JsonCounter();
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += Math.min(pieceLength, bytes.length)) {
    counter.add(bytes.subarray(at, at + pieceLength));
  }
  return { items: counter.items, deepest: counter.deepest };
}

/** The same by the value itself. */
function itemsOf(value: unknown): { items: number; deepest: number } {
  if (typeof value !== 'object' || value === null) return { items: 0, deepest: 0 };
  const inner = Object.values(value).map(itemsOf);
  return {
    items: Math.max(1, inner.length) + inner.reduce((sum, { items }) => sum + items, 0),
    deepest: 1 + Math.max(0, ...inner.map(({ deepest }) => deepest)),
  };
}

test('fields and items count, and an empty list or object once more', () => {
  expect(countOf('{"a": 1, "b": [1, 2, {}]}')).toEqual({ items: 6, deepest: 3 });
  expect(countOf(`[${'{},'.repeat(9)}{}]`)).toEqual({ items: 20, deepest: 2 });
});

test.each([
  ['structure', '["[{,}]", ",,,,"]'],
  ['an escaped quote', String.raw`["a\",\"[", "\\", ","]`],
  ['a long run of backslashes', JSON.stringify(['\\'.repeat(101), ',', `${'x'.repeat(100)}\\`, '"[', 'y'])],
  ['a long text', JSON.stringify(['a,[{'.repeat(50), `${'x'.repeat(70)}"${'['.repeat(40)}`])],
])('%s in a string is none, wherever the text is cut', (_what, text) => {
  const expected = itemsOf(JSON.parse(text));
  for (let length = 1; length < 110; length += 1) expect([length, countOf(text, length)]).toEqual([length, expected]);
});

test('any JSON is counted as its value is', () => {
  const part = fc.constantFrom('"', '\\', ',', '[', '{', '}', 'é', 'x'.repeat(40));
  const string = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));
  const key = string.filter((name) => name !== '__proto__');
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, string, fc.integer(), fc.array(tie('value')), fc.dictionary(key, tie('value'))),
  }));
  fc.assert(
    fc.property(value, fc.integer({ min: 1, max: 60 }), fc.boolean(), (made, length, isSpaced) => {
      const text = JSON.stringify(made, null, isSpaced ? 2 : 0);
      expect(countOf(text, length)).toEqual(itemsOf(made));
    }),
    { numRuns: 300, seed: 20_261_126 },
  );
});
