import { expect, test } from 'vitest';
import { fieldList } from './field-list.ts';

test('names each path', () => {
  expect(fieldList(['metadata', 'tools.0.defer_loading', 'tools.12'])).toBe(
    'metadata, tools.0.defer_loading, tools.12',
  );
});

test('names many of a kind once', () => {
  const cited = Array.from({ length: 600 }, (_, index) => `messages.${index}.content.0.citations`);
  expect(fieldList([...cited, 'metadata'])).toBe('messages.*.content.*.citations, metadata');
});

test('names a path once', () => {
  expect(fieldList(['anthropic-beta:x', 'anthropic-beta:x', 'anthropic-beta:x', 'anthropic-beta:x'])).toBe(
    'anthropic-beta:x',
  );
});

test('stays short', () => {
  const header = fieldList(Array.from({ length: 500 }, (_, index) => `field-${index}`));
  expect(header.length).toBeLessThan(1_100);
  expect(header).toMatch(/, and \d+ more$/);
  expect(fieldList(['x'.repeat(5_000)])).toBe('and 1 more');
});

test('is a header, whatever a field is called', () => {
  const header = fieldList(['名前', 'a\nb', 'c, d', '\u0000', '100%']);
  expect(() => new Headers({ 'isthmus-ignored': header })).not.toThrow();
  expect(header).toBe('%E5%90%8D%E5%89%8D, a%0Ab, c%2C%20d, %00, 100%25');
});

test('counts what is too much to sort', () => {
  const many = Array.from({ length: 30_000 }, (_, index) => `messages.${index}.name`);
  expect(fieldList(many)).toBe('messages.*.name, and 20000 more');
});
