import { expect, test } from 'vitest';
import { page, section, unexplained } from '../outside/table.js';

const SUITE = { name: 'one', title: 'a suite', about: 'How it is run.', run: async () => [] };
const missing = (...misses: string[]) => [
  { name: 'works', misses: [] },
  { name: 'fails', misses },
];

test('a new miss has no reason, and is told', () => {
  const written = section(SUITE, missing('400: a | b'), '');
  expect(written).toContain('**1 of 2 pass.**');
  expect(written).toContain('| works | passes |');
  expect(unexplained(written)).toEqual(['400: a \\| b']);
});

test('a miss that is still there keeps its reason, one that is gone takes its own along', () => {
  const kept = section(SUITE, missing('400: a | b', 'gone'), '')
    .replace('| 400: a \\| b | ? |', '| 400: a \\| b | Nobody wants it. |')
    .replace('| gone | ? |', '| gone | It was so. |');
  expect(unexplained(kept)).toEqual([]);
  const written = section(SUITE, missing('400: a | b', 'new'), kept);
  expect(written).toContain('| 400: a \\| b | Nobody wants it. |');
  expect(written).not.toContain('It was so.');
  expect(unexplained(written)).toEqual(['new']);
});

test('where all passes there is no table of misses', () => {
  expect(section(SUITE, [{ name: 'works', misses: [] }], '')).not.toContain('| miss |');
});

test('the page is the same, written again', () => {
  const sections = [section(SUITE, missing('a'), ''), section({ ...SUITE, name: 'two' }, missing('b'), '')];
  const written = page(sections);
  expect(page(written.split(/^(?=## )/m).slice(1))).toBe(written);
});
