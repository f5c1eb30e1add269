import { expect, test } from 'vitest';
import { commandHelp, usageOf } from './help.ts';

test('what stands behind -- comes last in the usage, since no flag is read there', () => {
  expect(usageOf('launch')).toBe('isthmus launch CLIENT [flags] [-- ARGUMENTS]');
  expect(usageOf('config')).toBe('isthmus config check | show [flags]');
  expect(usageOf('clients')).toBe('isthmus clients [flags]');
});

test.each(['launch', 'setup'] as const)('the help of %s lists the clients', (name) => {
  expect(commandHelp(name).join('\n')).toMatch(/CLIENT is one of .*opencode.*claude-code.*droid/);
});

test('the help of other commands names no clients', () => {
  expect(commandHelp('config').join('\n')).not.toContain('CLIENT');
});
