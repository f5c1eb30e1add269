import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkSandbox, describeSandboxProblem } from './sandbox-check.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-sandbox-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function program(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
}

test('both programs must be on the operator’s PATH', async () => {
  program('socat', 'exit 0');
  const problem = await checkSandbox({ PATH: folder }, { temporary: '/tmp' }, 'linux');
  expect(problem).toEqual({ kind: 'missing', programs: ['bwrap'] });
  expect(problem && describeSandboxProblem(problem)).toMatch(
    /needs bwrap, .*apt-get install bubblewrap socat.*dnf install/,
  );
});

test('the sandbox must run, and its own last words say why it does not', async () => {
  program('socat', 'exit 0');
  program('bwrap', 'echo first >&2; echo "bwrap: No permissions to create a new namespace" >&2; exit 1');
  const problem = await checkSandbox({ PATH: folder }, { temporary: '/tmp' }, 'linux');
  expect(problem).toEqual({ kind: 'refused', words: 'bwrap: No permissions to create a new namespace' });
  expect(problem && describeSandboxProblem(problem)).toMatch(/does not run here: bwrap: No permissions .*seccomp/);
  program('bwrap', 'exit 0');
  expect(await checkSandbox({ PATH: folder }, { temporary: '/tmp' }, 'linux')).toBeUndefined();
});

test('elsewhere than on Linux no command is confined', async () => {
  const problem = await checkSandbox({ PATH: folder }, { temporary: '/tmp' }, 'darwin');
  expect(problem && describeSandboxProblem(problem)).toContain('Linux only, not on darwin');
});

test('the path of a socket must be short enough', async () => {
  for (const name of ['bwrap', 'socat']) program(name, 'exit 0');
  const temporaryOf = (length: number) => ({ temporary: `/${'t'.repeat(length - 1)}` });
  expect(await checkSandbox({ PATH: folder }, temporaryOf(56), 'linux')).toBeUndefined();
  const problem = await checkSandbox({ PATH: folder }, temporaryOf(57), 'linux');
  expect(problem).toEqual({ kind: 'path', excess: 1 });
  expect(problem && describeSandboxProblem(problem)).toContain('1 bytes too long');
});
