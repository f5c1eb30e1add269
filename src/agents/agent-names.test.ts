import { expect, test } from 'vitest';
import { nameProblem } from './agent-names.ts';

test.each(['docs', 'agent', 'a', 'code-review-2', 'constructor', 'a'.repeat(64)])('%s can name an agent', (name) => {
  expect(nameProblem(name)).toBeUndefined();
});

test.each([
  ['', 'is no name'],
  ['Docs', 'is no name'],
  ['my docs', 'is no name'],
  ['2docs', 'is no name'],
  ['-docs', 'is no name'],
  ['docs/../x', 'is no name'],
  ['docs[1m]', 'is no name'],
  ['a'.repeat(65), 'is no name'],
  ['v1', 'is a part of other paths'],
  ['agents', 'is a part of other paths'],
  ['turns', 'is a part of other paths'],
  ['claude-docs', 'looks like a model'],
  ['claude', 'looks like a model'],
  ['my-sonnet', 'looks like a model'],
  ['opusplan', 'looks like a model'],
  ['default', 'looks like a model'],
  ['best', 'looks like a model'],
  ['docs-20260101', 'looks like a model'],
  ['docs-2026-01-01', 'looks like a model'],
  ['docs-latest', 'looks like a model'],
  ['gpt-5', 'looks like a model'],
  ['o3-mini', 'looks like a model'],
])('%j cannot: it %s', (name, problem) => {
  expect(nameProblem(name)).toContain(problem);
});
