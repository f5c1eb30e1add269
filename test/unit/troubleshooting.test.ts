import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../support/gateway.ts';

const page = readFileSync(join(ROOT, 'docs', 'troubleshooting.md'), 'utf8');

const textOf = (folder: string) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(ROOT, folder, name), 'utf8'))
    .join('\n')
    .replaceAll('\\`', '`');

/** What Claude Code says, and not Isthmus. */
const OF_CLAUDE_CODE = ['OAuth token has expired'];

const headings = page.match(/^### .*$/gm)?.join('\n') ?? '';
const quoted = [...headings.matchAll(/“(.+?)”/g)].map(([, words = '']) => words);

test.each(quoted.filter((words) => !OF_CLAUDE_CODE.includes(words)))(
  'the symptom “%s” is said by the program',
  (words) => {
    expect(textOf('src')).toContain(words);
  },
);

test('the page has every check of the doctor, and no other', () => {
  const sources = textOf('src/doctor') + readFileSync(join(ROOT, 'src', 'cli', 'doctor.ts'), 'utf8');
  const checks = new Set([...sources.matchAll(/findingsOf\('(.+?)'\)/g)].map(([, name]) => name));
  const rows = [...page.matchAll(/^\| `([a-z ]+)` \| /gm)].map(([, name]) => name);
  expect(rows.sort()).toEqual([...checks].sort());
});
