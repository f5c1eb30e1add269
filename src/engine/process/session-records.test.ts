import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SessionRecords } from './session-records.ts';

let configuration: string;

beforeEach(() => {
  configuration = mkdtempSync(join(tmpdir(), 'isthmus-records-'));
  mkdirSync(join(configuration, 'sessions'));
});
afterEach(() => rmSync(configuration, { recursive: true }));

function put(name: string, content: unknown): void {
  writeFileSync(join(configuration, 'sessions', name), typeof content === 'string' ? content : JSON.stringify(content));
}

const WORK = '/tmp/isthmus-run-abcdef/work';

function names(): string[] {
  return readdirSync(join(configuration, 'sessions')).sort();
}

test('only records of our own processes are removed', () => {
  const others = {
    '1.json': { cwd: '/home/me/project' },
    '2.json': { cwd: '/tmp/isthmus-run-ghijkl/work' },
    '3.json': { cwd: '/tmp/isthmus-run-abcdef' },
    '4.json': '{"cwd": ',
    '5.json': null,
    'notes.json': { cwd: WORK },
  };
  for (const [name, content] of Object.entries(others)) put(name, content);
  for (const name of ['6.json', '7.json', '8.json']) put(name, { cwd: WORK });
  const records = new SessionRecords({ CLAUDE_CONFIG_DIR: configuration });
  for (const pid of [1, 6, 99]) records.remove(pid, WORK);
  expect(names()).toEqual(['7.json', '8.json', ...Object.keys(others)].sort());
  records.removeAll(WORK);
  expect(names()).toEqual(Object.keys(others).sort());
});

test('where Claude Code has never run there is nothing to remove', () => {
  new SessionRecords({ HOME: join(configuration, 'nobody') }).removeAll(WORK);
});
