import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ROOT } from '../support/gateway.ts';
import { canLeave, ELSEWHERE } from '../support/namespace.ts';
import { QUICK } from '../support/quick.ts';

/** Owners of run directories in processes of their own, also in other PID namespaces; no `claude` is started. */

let parent: string;
const owners: ChildProcess[] = [];
beforeEach(() => {
  parent = realpathSync(mkdtempSync(join(tmpdir(), 'isthmus-parent-')));
});
afterEach(() => {
  for (const owner of owners.splice(0)) owner.kill('SIGKILL');
  rmSync(parent, { recursive: true });
});

const MODULE = pathToFileURL(join(ROOT, 'dist', 'src', 'engine', 'files', 'run-directory.js'));

/** Runs code with the compiled module; resolves with its first output. */
async function run(code: string, wrap: readonly string[] = []) {
  const command = [
    process.execPath,
    '--input-type=module',
    '--eval',
    `import * as directories from '${MODULE}';${code}`,
  ];
  const [program = '', ...rest] = [...wrap, ...command];
  const child = spawn(program, rest, { env: { PATH: process.env.PATH ?? '', TMPDIR: parent } });
  owners.push(child);
  let complaints = '';
  child.stderr.on('data', (part) => {
    complaints += part;
  });
  const said = once(child.stdout, 'data').then(([output]) => String(output).trim());
  const isClosed = once(child, 'close').then(() => {
    throw new Error(`the program said nothing but: ${complaints}`);
  });
  const output = await Promise.race([said, isClosed]);
  isClosed.catch(() => undefined);
  return { child, output };
}

const OWN = 'console.log(directories.createRunDirectory().path); setInterval(() => undefined, 1000);';
const FIND =
  'console.log(JSON.stringify((await directories.findLeftDirectories()).map(({ work }) => work.slice(0, -5))));';

async function leftOnes(wrap: readonly string[] = []): Promise<string[]> {
  return JSON.parse((await run(FIND, wrap)).output);
}

const HERE: string[] = [];
const PLACES = canLeave ? [HERE, ELSEWHERE] : [HERE];

test.each(PLACES.flatMap((owner) => PLACES.map((finder) => ({ owner, finder }))))(
  'a directory is kept while its gateway lives, and is left when that is killed: %j',
  QUICK,
  async ({ owner, finder }) => {
    const { child, output: path } = await run(OWN, owner);
    expect(dirname(path)).toBe(parent);
    expect(await leftOnes(finder)).toEqual([]);
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    await expect.poll(() => leftOnes(finder)).toEqual([path]);
  },
);
