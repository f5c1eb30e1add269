import { expect, test } from 'vitest';
import { Utf8Text } from './utf8-text.ts';

function decoded(bytes: Uint8Array, pieceLength: number): string {
  const text = new Utf8Text();
  for (let at = 0; at < bytes.length; at += pieceLength) text.add(Buffer.from(bytes.subarray(at, at + pieceLength)));
  return text.end();
}

test('a text is the same wherever its bytes are cut', () => {
  const text = 'plain, é, 語, 😀😀, \uFEFF inside, and plain to the end';
  const bytes = Buffer.from(text);
  for (let length = 1; length <= bytes.length; length += 1) expect(decoded(bytes, length)).toBe(text);
  expect(decoded(Buffer.alloc(0), 1)).toBe('');
});

test('a byte order mark at the start is no part of the text', () => {
  for (const length of [1, 2, 3, 9]) expect(decoded(Buffer.from('\uFEFF{}'), length)).toBe('{}');
});

test.each([
  ['no character', [0x61, 0xff, 0x61]],
  ['an end within a character', [0x61, 0xe8, 0xaa]],
  ['half a surrogate pair', [0xed, 0xa0, 0x80]],
  ['a long form', [0xc0, 0xaf]],
  ['continuations without a beginning', [0x80, 0x80, 0x80, 0x80, 0x80]],
])('%s is refused, wherever it is cut', (_what, bytes) => {
  for (let length = 1; length <= bytes.length; length += 1) {
    expect(() => decoded(Uint8Array.from(bytes), length)).toThrow(TypeError);
  }
});
