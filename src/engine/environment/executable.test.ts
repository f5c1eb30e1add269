import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findExecutable } from './executable.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'isthmus-claude-'));
});
afterEach(() => rmSync(home, { recursive: true }));

/** A folder with a `claude` in it. */
function folder(name: string, mode = 0o755): string {
  const path = join(home, name);
  mkdirSync(path);
  writeFileSync(join(path, 'claude'), '');
  chmodSync(join(path, 'claude'), mode);
  return path;
}

const notInstalled = () => {
  throw new Error('Cannot find module');
};

test('the bundled one runs, whatever is on PATH', () => {
  const found = findExecutable(undefined, { searchPath: folder('path'), folderOf: () => folder('bundled') });
  expect(found).toEqual({
    path: join(home, 'bundled', 'claude'),
    why: expect.stringMatching(/^bundled with the Agent SDK \d/),
    version: expect.any(String),
  });
});

test.each<[string, string, () => string]>([
  ['no package', 'the bundled one is not installed', notInstalled],
  ['a package without its binary', '/none/claude is missing or not executable', () => '/none'],
])('with %s the first one on PATH that can be run does', (_what, why, folderOf) => {
  mkdirSync(join(home, 'folder', 'claude'), { recursive: true });
  const folders = ['', '.', join(home, 'none'), join(home, 'folder'), folder('plain', 0o644), folder('a'), folder('b')];
  const found = findExecutable(undefined, { searchPath: folders.join(delimiter), folderOf });
  expect(found).toEqual({ path: join(home, 'a', 'claude'), why: `found on PATH, since ${why}` });
});

test('with none anywhere one line says the cure', () => {
  expect(() => findExecutable(undefined, { folderOf: notInstalled })).toThrow(
    /^No `claude` binary for \S+: the bundled one is not installed, and there is none on PATH\. Run .* or give --claude PATH\.$/,
  );
});
