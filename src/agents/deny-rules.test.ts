import { expect, test } from 'vitest';
import { DENY_PRESETS, writeOut } from './deny-rules.ts';

const PATH = 'agents.docs.deny';

test('presets are written out, rules stay, and nothing stands twice', () => {
  const all = writeOut(['secrets', 'Read(**/.env)', 'run-later', 'WebFetch', 'Bash(curl *)', 'mcp__db__drop'], PATH);
  expect(new Set(all).size).toBe(all.length);
  for (const rule of [
    'Read(**/.env)',
    'Edit(**/.env)',
    'Read(**/.ssh/**)',
    'Edit(**/package.json)',
    'Edit(**/.github/workflows/**)',
    'Edit(**/CLAUDE.md)',
    'WebFetch',
    'Bash(curl *)',
    'mcp__db__drop',
  ]) {
    expect(all).toContain(rule);
  }
  expect(all).not.toContain('Read(**/package.json)');
});

test('the presets themselves have the form of rules', () => {
  for (const preset of Object.values(DENY_PRESETS)) expect(writeOut(preset, PATH)).toEqual(preset);
});

test.each([
  ['secret', 'is neither a rule, such as Read(**/.env), nor a preset (secrets, run-later). Did you mean "secrets"?'],
  ['**/.env', 'is neither a rule'],
  ['Read()', 'is neither a rule'],
  ['Read( )', 'is neither a rule'],
  ['Read(a\nb)', 'is neither a rule'],
  ['Read(a', 'is neither a rule'],
  ['read(a)', 'is neither a rule'],
  ['constructor', 'is neither a rule'],
  ['Write(**/x)', 'has no effect: Write obeys the rules of Edit. Write Edit(**/x).'],
  ['Grep(**/x)', 'has no effect: Grep obeys the rules of Read. Write Read(**/x).'],
])('%j is refused: it %s', (entry, problem) => {
  expect(() => writeOut(['secrets', entry], PATH)).toThrow(`agents.docs.deny.1 ${problem}`);
});
