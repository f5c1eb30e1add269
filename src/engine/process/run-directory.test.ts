import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRunDirectory, findLeftDirectories } from './run-directory.ts';

let parent: string;
let owner: ChildProcess | undefined;
beforeEach(() => {
  parent = realpathSync(mkdtempSync(join(tmpdir(), 'isthmus-parent-')));
  vi.stubEnv('TMPDIR', parent);
});
afterEach(() => {
  owner?.kill('SIGKILL');
  owner = undefined;
  vi.unstubAllEnvs();
  rmSync(parent, { recursive: true });
});

/** A word before a command gives it a PID namespace of its own, as a container has. */
const ELSEWHERE = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
const canLeave = spawnSync(ELSEWHERE[0] ?? '', [...ELSEWHERE.slice(1), 'true'], { stdio: 'ignore' }).status === 0;

const MODULE = new URL('../../../dist/src/engine/process/run-directory.js', import.meta.url).href;

/** Runs code with the compiled module in a process of its own; resolves with its first output. */
async function run(code: string, wrap: readonly string[] = []): Promise<string> {
  const command = [
    process.execPath,
    '--input-type=module',
    '--eval',
    `import * as directories from '${MODULE}';${code}`,
  ];
  const [program = '', ...rest] = [...wrap, ...command];
  owner = spawn(program, rest, { env: { PATH: process.env.PATH ?? '', TMPDIR: parent } });
  const [output] = await once(owner.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  return String(output).trim();
}

const OWN = 'console.log(directories.createRunDirectory().path); setInterval(() => undefined, 1000);';
const FIND = 'console.log((await directories.findLeftDirectories()).length);';

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

const SURROUNDINGS: Array<[string, string[]]> = [
  ['the same', []],
  ...(canLeave ? [['another', ELSEWHERE] as [string, string[]]] : []),
];

test.each(SURROUNDINGS)('a gateway in %s PID namespace keeps its directory as long as it lives', async (_, wrap) => {
  const path = await run(OWN, wrap);
  expect(dirname(path)).toBe(parent);
  expect(await leftOnes()).toEqual([]);
  const exited = once(owner as ChildProcess, 'exit');
  owner?.kill('SIGKILL');
  await exited;
  await expect.poll(leftOnes).toEqual([path]);
});

test.skipIf(!canLeave)('a gateway in another PID namespace sees that this one lives', async () => {
  const own = createRunDirectory();
  expect(await run(FIND, ELSEWHERE)).toBe('0');
  own.remove();
});

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
