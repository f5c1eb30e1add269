import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isOwn, marked, stateOf, writeWhole } from './owned-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'isthmus-owned-'));
afterAll(() => rmSync(folder, { recursive: true }));

const UNIT = '[Unit]\nDescription=one\n';
const PLIST = '<?xml version="1.0"?>\n<plist/>\n';

test.each([
  ['a unit', UNIT],
  ['a plist', PLIST],
])('%s is told from one that somebody has changed', (_what, text) => {
  const own = marked(text);
  expect(own).toContain(text);
  expect(isOwn(own)).toBe(true);
  for (const changed of [
    text,
    `${own}\n`,
    own.replace('install', 'instal'),
    own.replace(/\n</, '\n\n<').replace('one', 'two'),
  ])
    expect(isOwn(changed)).toBe(false);
});

test('XML keeps its declaration in the first place', () => {
  expect(marked(PLIST).startsWith('<?xml')).toBe(true);
});

test('a file is absent, the same, older or foreign, and is written for the user alone', () => {
  const path = join(folder, 'a', 'b', 'isthmus.service');
  const text = marked(UNIT);
  expect(stateOf(path, text)).toBe('absent');
  writeWhole(path, text);
  expect([stateOf(path, text), statSync(path).mode & 0o777]).toEqual(['same', 0o600]);
  expect(stateOf(path, marked('[Unit]\nDescription=two\n'))).toBe('older');
  writeFileSync(path, text.replace('one', 'mine'));
  expect(stateOf(path, text)).toBe('foreign');
  writeWhole(path, text);
  expect([readFileSync(path, 'utf8'), readdirSync(join(folder, 'a', 'b'))]).toEqual([text, ['isthmus.service']]);
});
