import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { envLines, exportLine, type Shell, sdkVariables, shellNamed, shellOf } from './sdk-variables.ts';

test('SDKs find the address, and what they read as a credential', () => {
  expect(sdkVariables('http://127.0.0.1:3456')).toEqual({
    ANTHROPIC_BASE_URL: 'http://127.0.0.1:3456',
    ANTHROPIC_AUTH_TOKEN: 'isthmus',
    ANTHROPIC_API_KEY: 'isthmus',
    OPENAI_BASE_URL: 'http://127.0.0.1:3456/v1',
    OPENAI_API_KEY: 'isthmus',
  });
});

test.each<[Shell, string, string]>([
  ['sh', 'plain', "export NAME='plain'"],
  ['sh', `it's "$HOME" \\`, `export NAME='it'\\''s "$HOME" \\'`],
  ['fish', 'plain', "set -gx NAME 'plain'"],
  ['fish', `it's "$HOME" \\`, `set -gx NAME 'it\\'s "$HOME" \\\\'`],
  ['powershell', 'plain', "$env:NAME = 'plain'"],
  ['powershell', `it's "$HOME" \\ ’`, `$env:NAME = 'it''s "$HOME" \\ ’’'`],
])('%s takes %j as it is', (shell, value, line) => {
  expect(exportLine(shell, 'NAME', value)).toBe(line);
});

test.each<[string | undefined, NodeJS.Platform, Shell]>([
  ['/bin/bash', 'linux', 'sh'],
  ['/usr/bin/zsh', 'darwin', 'sh'],
  ['/usr/bin/fish', 'linux', 'fish'],
  ['/usr/bin/pwsh', 'linux', 'powershell'],
  ['C:\\Program Files\\PowerShell\\7\\pwsh.exe', 'win32', 'powershell'],
  [undefined, 'win32', 'powershell'],
  [undefined, 'linux', 'sh'],
  ['', 'linux', 'sh'],
])('SHELL %j on %s is %s', (path, platform, shell) => {
  expect(shellNamed(path, platform)).toBe(shell);
});

test.each(['eval "$LINES"', 'eval $LINES'])('a shell that is told %s has the variables', (told) => {
  const LINES = envLines('sh', 'http://127.0.0.1:3456').join('\n');
  const said = execFileSync('sh', ['-c', `${told}; echo "$ANTHROPIC_BASE_URL $OPENAI_API_KEY"`], { env: { LINES } });
  expect(said.toString()).toBe('http://127.0.0.1:3456 isthmus\n');
});

test.each<[string, Shell | undefined]>([
  ['sh', 'sh'],
  ['bash', 'sh'],
  ['zsh', 'sh'],
  ['fish', 'fish'],
  ['pwsh', 'powershell'],
  ['csh', undefined],
  ['constructor', undefined],
])('lines for %s are those for %s', (word, shell) => {
  expect(shellOf(word)).toBe(shell);
});
