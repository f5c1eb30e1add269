import { expect, test } from 'vitest';
import { declaredName } from './subagent-names.ts';

const DECLARED = ['general', 'explore', 'code-review', 'Plan', 'Metis - Plan Consultant'];

test.each([
  ['explore', 'explore'],
  ['Explore', 'explore'],
  ['explore-agent', 'explore'],
  ['ExploreAgent', 'explore'],
  ['explorer', 'explore'],
  ['general-purpose', 'general'],
  ['code_review', 'code-review'],
  ['Code Review Agent', 'code-review'],
  ['plan', 'Plan'],
  ['metis', 'Metis - Plan Consultant'],
  ['Metis (Plan Consultant)', 'Metis - Plan Consultant'],
])('%s means %s', (asked, meant) => {
  expect(declaredName(asked, DECLARED)).toBe(meant);
});

test('another name means none', () => {
  expect(declaredName('oracle', DECLARED)).toBeUndefined();
  expect(declaredName('', DECLARED)).toBeUndefined();
  expect(declaredName('Consultant', DECLARED)).toBeUndefined();
});
