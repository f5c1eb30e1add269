import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SessionFiles } from './session-files.ts';

let configuration: string;

beforeEach(() => {
  configuration = mkdtempSync(join(tmpdir(), 'isthmus-sessions-'));
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
  for (const name of ['6.abc.key', '66.abc.key']) put(name, '');
  put('9.json', { cwd: '/home/me/project', sessionId: 'of-an-agent' });
  const sessions = new SessionFiles(configuration);
  for (const pid of [1, 6, 99]) sessions.removeRecord(pid, WORK);
  expect(names()).toEqual(['66.abc.key', '7.json', '8.json', '9.json', ...Object.keys(others)].sort());
  sessions.removeAll(WORK, ['of-an-agent']);
  expect(names()).toEqual(['66.abc.key', ...Object.keys(others)].sort());
});

test('only transcripts of our own processes are removed', () => {
  const projects = join(configuration, 'projects');
  const [own, other] = ['-tmp-isthmus-run-abcdef-work', '-home-me-project'];
  for (const project of [own, other]) {
    mkdirSync(join(projects, project), { recursive: true });
    for (const session of ['a', 'b']) writeFileSync(join(projects, project, `${session}.jsonl`), '');
  }
  // Large results of tools.
  for (const session of ['a', 'b']) {
    mkdirSync(join(projects, own, session, 'tool-results'), { recursive: true });
    mkdirSync(join(configuration, 'session-env', session), { recursive: true });
  }
  const sessions = new SessionFiles(configuration);
  sessions.removeTranscript({ projectKey: own, sessionId: 'a' });
  expect(readdirSync(join(projects, own)).sort()).toEqual(['b', 'b.jsonl']);
  expect(readdirSync(join(configuration, 'session-env'))).toEqual(['b']);
  sessions.removeAll(WORK, ['b']);
  expect(readdirSync(projects)).toEqual([other]);
  expect(readdirSync(join(projects, other))).toEqual(['a.jsonl']);
  expect(readdirSync(join(configuration, 'session-env'))).toEqual([]);
});

test('where Claude Code has never run there is nothing to remove', () => {
  new SessionFiles(join(configuration, 'nobody')).removeAll(WORK);
});
