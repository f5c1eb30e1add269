import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRunDirectory, findLeftDirectories } from './run-directory.ts';

let parent: string;
beforeEach(() => {
  parent = realpathSync(mkdtempSync(join(tmpdir(), 'isthmus-parent-')));
  vi.stubEnv('TMPDIR', parent);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(parent, { recursive: true });
});

async function leftOnes(): Promise<string[]> {
  return (await findLeftDirectories()).map(({ work }) => dirname(work));
}

function put(name: string, ageMinutes = 0): string {
  const path = join(parent, name);
  mkdirSync(join(path, 'work'), { recursive: true });
  const time = Date.now() / 1000 - ageMinutes * 60;
  utimesSync(path, time, time);
  return path;
}

test('gateways of one process have directories side by side', async () => {
  const [first, second] = [createRunDirectory(), createRunDirectory()];
  expect([first, second].map(({ path }) => dirname(path))).toEqual([parent, parent]);
  expect(process.env.TMPDIR).toBe(parent);
  first.remove();
  expect([first, second].map(({ path }) => existsSync(path))).toEqual([false, true]);
  expect(await leftOnes()).toEqual([]);
  second.remove();
});

test('a directory that shows no sign of life is left once it is old, and what has another name is not looked at', async () => {
  put('isthmus-run-abcdef');
  put('isthmus-run-of-somebody', 5);
  put('other', 5);
  writeFileSync(join(parent, 'isthmus-run-afile1'), '');
  const old = put('isthmus-run-Abc123', 5);
  expect(await leftOnes()).toEqual([old]);
});

test('a sign of life that somebody has removed is shown again', async () => {
  const own = createRunDirectory();
  rmSync(own.path, { recursive: true });
  own.restore();
  utimesSync(own.path, 1, 1);
  expect(await leftOnes()).toEqual([]);
  rmSync(join(own.path, 'alive'));
  utimesSync(own.path, 1, 1);
  expect(await leftOnes()).toEqual([own.path]);
  own.restore();
  utimesSync(own.path, 1, 1);
  expect(await leftOnes()).toEqual([]);
  own.remove();
});

test('a path too long for a socket has one nevertheless, and one too long for the SDK is refused', async () => {
  const long = join(parent, 'x'.repeat(100 - parent.length));
  mkdirSync(long);
  vi.stubEnv('TMPDIR', long);
  if (process.platform === 'linux') {
    const own = createRunDirectory();
    utimesSync(own.path, 1, 1);
    expect(await leftOnes()).toEqual([]);
    own.remove();
    expect(existsSync(own.path)).toBe(false);
  }
  const longer = join(long, 'x'.repeat(60));
  mkdirSync(longer);
  vi.stubEnv('TMPDIR', longer);
  expect(() => createRunDirectory()).toThrow('its path is longer than 150 characters');
});

test('a directory takes the transcripts of its own processes with it, and no others', () => {
  const own = createRunDirectory();
  const project = own.work.replaceAll(/[^A-Za-z0-9]/g, '-');
  const [mine, others] = [join(parent, 'claude-resume-1'), join(parent, 'claude-resume-2')];
  mkdirSync(join(mine, 'projects', project), { recursive: true });
  mkdirSync(join(others, 'projects', project.replace(basename(own.path), 'isthmus-run-abcdef')), { recursive: true });
  mkdirSync(join(parent, 'claude-resume-3'));
  own.remove();
  expect([mine, others].map((path) => existsSync(path))).toEqual([false, true]);
});

test('what is left of a session that worked elsewhere is found by its id; a directory without a sign is not known to be dead', async () => {
  const session = '0b9f3c5e-7a51-4d0e-9d0c-2f6f0c1b7a11';
  const old = put('isthmus-run-Abc123', 5);
  for (const [name, note] of [
    ['p-1', session],
    ['p-2', '../../others'],
  ] as const) {
    mkdirSync(join(old, 'tmp', name), { recursive: true });
    writeFileSync(join(old, 'tmp', name, 'session.txt'), note);
  }
  for (const [folder, of] of [
    ['claude-resume-1', session],
    ['claude-resume-2', 'another'],
  ] as const) {
    mkdirSync(join(parent, folder, 'projects', '-workspace'), { recursive: true });
    writeFileSync(join(parent, folder, 'projects', '-workspace', `${of}.jsonl`), '');
  }
  utimesSync(old, 1, 1);
  const [left] = await findLeftDirectories();
  expect(left).toMatchObject({ sessions: [session], isDead: false });
  left?.remove();
  expect([1, 2].map((at) => existsSync(join(parent, `claude-resume-${at}`)))).toEqual([false, true]);
});
