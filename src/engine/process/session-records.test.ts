import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRunDirectory, type RunDirectory } from './run-directory.ts';
import { SessionRecords } from './session-records.ts';

let configuration: string;
let directory: RunDirectory;

beforeEach(() => {
  configuration = mkdtempSync(join(tmpdir(), 'isthmus-records-'));
  mkdirSync(join(configuration, 'sessions'));
  directory = createRunDirectory();
});
afterEach(() => {
  directory.remove();
  rmSync(configuration, { recursive: true });
});

/** Larger than any that Linux gives. */
const NOBODY = 2 ** 30;

function put(name: string, content: unknown): void {
  writeFileSync(join(configuration, 'sessions', name), typeof content === 'string' ? content : JSON.stringify(content));
}

test('only records of our own processes are removed, and only when their gateway is no more', () => {
  const left = {
    '1.json': { cwd: '/home/me/project' },
    '2.json': { cwd: directory.work },
    '3.json': { cwd: '/tmp/isthmus-run-of-somebody/work' },
    '4.json': { cwd: `/tmp/isthmus-run-${NOBODY}-0123abcd-abcdef` },
    '5.json': '{"cwd": ',
    '6.json': null,
    'notes.json': { cwd: `/tmp/isthmus-run-${NOBODY}-0123abcd-abcdef/work` },
  };
  for (const [name, content] of Object.entries(left)) put(name, content);
  put('7.json', { cwd: `/tmp/isthmus-run-${NOBODY}-0123abcd-abcdef/work` });
  // A container gives the next gateway the number of the one before it, and a system that has started again to anybody.
  put('8.json', { cwd: `/tmp/isthmus-run-${process.pid}-0123abcd-abcdef/work` });
  put('9.json', { cwd: `/tmp/isthmus-run-${process.ppid}-0123abcd-abcdef/work` });
  const records = new SessionRecords({ CLAUDE_CONFIG_DIR: configuration });
  records.removeLeft();
  expect(readdirSync(join(configuration, 'sessions')).sort()).toEqual(Object.keys(left).sort());
  records.remove(1, directory.work);
  records.remove(2, directory.work);
  records.remove(99, directory.work);
  expect(readdirSync(join(configuration, 'sessions'))).not.toContain('2.json');
  expect(readdirSync(join(configuration, 'sessions'))).toContain('1.json');
});

test('where Claude Code has never run there is nothing to remove', () => {
  new SessionRecords({ HOME: join(configuration, 'nobody') }).removeLeft();
});
