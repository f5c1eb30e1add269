import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { droid } from './droid.ts';
import { programOf } from './find-client.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-path-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the first program of the name on PATH is found; a folder or a file that cannot be run is none', () => {
  const folders = ['folder', 'text', 'program', 'later'].map((name) => join(folder, name));
  const [withFolder = '', withText = '', withProgram = '', later = ''] = folders;
  mkdirSync(join(withFolder, 'droid'), { recursive: true });
  for (const each of [withText, withProgram, later]) mkdirSync(each);
  writeFileSync(join(withText, 'droid'), '', { mode: 0o644 });
  expect(programOf(droid, { PATH: folders.join(':') })).toBeUndefined();
  for (const each of [withProgram, later]) writeFileSync(join(each, 'droid'), '', { mode: 0o755 });
  expect(programOf(droid, { PATH: folders.join(':') })).toBe(join(withProgram, 'droid'));
});
