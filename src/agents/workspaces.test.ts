import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { overlapWarnings, programWithin, realWorkspace, replaceable } from './workspaces.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'isthmus-workspaces-')));
afterAll(() => rmSync(root, { recursive: true }));
const at = (path: string) => join(root, path);
for (const folder of [
  'home/docs',
  'home/.claude/projects',
  'home/project/.claude',
  'tmp/isthmus-run-abc123/work',
  'tmp/w',
])
  mkdirSync(at(folder), { recursive: true });
writeFileSync(at('home/file'), '');
symlinkSync(at('home/docs'), at('link'));
symlinkSync(at('home/.claude'), at('innocent'));
symlinkSync(at('home/docs'), at('home/..docs'));

const guarded = {
  home: at('home'),
  temporary: at('tmp'),
  isRunDirectory: (name: string) => name.startsWith('isthmus-run-'),
  // The last one is not there yet.
  own: [at('home/.claude'), at('home/.local/state/isthmus')],
};

test.each([
  ['home/docs', 'home/docs'],
  ['link', 'home/docs'],
  ['home/..docs', 'home/docs'],
  ['home/project', 'home/project'],
  ['home/project/.claude', 'home/project/.claude'],
  ['tmp/w', 'tmp/w'],
])('%s can be a workspace, by its real path', (given, path) => {
  expect(realWorkspace(at(given), guarded)).toEqual({ path: at(path) });
});

test('~/ is the home', () => {
  expect(realWorkspace('~/docs', guarded)).toEqual({ path: at('home/docs') });
});

test.each([
  ['/', 'is the whole disk'],
  [at('none'), 'does not exist'],
  [at('home/file'), 'which is no folder'],
  [at('home'), 'holds your home'],
  ['~/', 'holds your home'],
  [root, 'holds your home'],
  [at('home/.claude'), 'has credentials or settings'],
  [at('home/.claude/projects'), 'has credentials or settings'],
  [at('innocent'), 'has credentials or settings'],
  [at('tmp'), 'where Isthmus keeps files'],
  [at('tmp/isthmus-run-abc123/work'), 'where Isthmus keeps files'],
])('%s cannot: it %s', (given, problem) => {
  expect(realWorkspace(given, guarded)).toEqual({ problem: expect.stringContaining(problem) });
});

test('what holds a folder that is still to be made cannot', () => {
  mkdirSync(at('home/.local'));
  expect(realWorkspace(at('home/.local'), guarded)).toEqual({
    problem: expect.stringContaining('credentials or settings'),
  });
});

test('agents that share files are named, where one may write', () => {
  const agent = (name: string, level: 'read' | 'edit', workspace: string) => ({ name, level, workspace });
  expect(overlapWarnings([agent('a', 'read', '/w'), agent('b', 'read', '/w/x'), agent('c', 'edit', '/w2')])).toEqual(
    [],
  );
  const warnings = overlapWarnings([agent('a', 'read', '/w'), agent('b', 'edit', '/w/x'), agent('c', 'edit', '/w/x')]);
  expect(warnings).toEqual([
    expect.stringContaining('agents a and b share files'),
    expect.stringContaining('agents a and c share files'),
    expect.stringContaining('agents b and c share files'),
  ]);
});

test('a workspace can be replaced from a folder above in which another agent writes', () => {
  const agent = (level: 'read' | 'edit' | 'shell', workspace: string) => ({ level, workspace });
  const inner = agent('read', '/w/x');
  for (const level of ['edit', 'shell'] as const) {
    const outer = agent(level, '/w');
    expect(replaceable([inner, outer])).toEqual({ outer, inner });
  }
  for (const other of [agent('read', '/w'), agent('shell', '/w/x'), agent('shell', '/w/x-beside'), agent('edit', '/v')])
    expect(replaceable([inner, other])).toBeUndefined();
});

test('a program that Isthmus runs is found in a workspace, through links and in folders of it', () => {
  mkdirSync(at('tools/bin'), { recursive: true });
  expect(programWithin(at('tools'), ['relative/bin', '', at('elsewhere'), at('tools/bin')])).toBe(at('tools/bin'));
  expect(programWithin(at('tools/bin'), [at('tools'), at('elsewhere')])).toBeUndefined();
});
