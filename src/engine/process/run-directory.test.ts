import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRunDirectory } from './run-directory.ts';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'isthmus-parent-'));
  vi.stubEnv('TMPDIR', parent);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(parent, { recursive: true });
});

test('a gateway removes what others have left that are no more, whoever has their numbers now, and nothing else', () => {
  const own = createRunDirectory();
  expect(dirname(own.path)).toBe(parent);
  vi.stubEnv('TMPDIR', parent);
  const [, pid, start] = /^isthmus-run-(\d+)-([0-9a-f]{8})-/.exec(basename(own.path)) ?? [];
  expect(pid).toBe(String(process.pid));
  const put = (name: string) => {
    mkdirSync(join(parent, name, 'tmp'), { recursive: true });
    return join(parent, name);
  };
  // The first number is larger than any that Linux gives.
  const left = [2 ** 30, process.pid, process.ppid, 1].map((number) => put(`isthmus-run-${number}-0123abcd-abcdef`));
  const kept = [own.path, put(`isthmus-run-${pid}-${start}-abcdef`), put('isthmus-run-of-somebody'), put('other')];
  const next = createRunDirectory();
  expect(left.filter(existsSync)).toEqual([]);
  expect(kept.filter((path) => !existsSync(path))).toEqual([]);
  for (const directory of [own, next]) directory.remove();
  expect([own, next].filter(({ path }) => existsSync(path))).toEqual([]);
});
