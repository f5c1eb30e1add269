import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WorkspaceProcesses } from './workspace-processes.ts';

let workspace: string;
beforeEach(() => {
  workspace = realpathSync(mkdtempSync(join(tmpdir(), 'isthmus-tidy-')));
  writeFileSync(join(workspace, '.bashrc'), '', { mode: 0o444 });
});
afterEach(() => rmSync(workspace, { recursive: true }));

test.each([
  ['goes', 'shell', false, []],
  ['stays at a level without commands', 'edit', false, ['.bashrc']],
  ['stays beside another gateway, whose command it may keep from a place', 'shell', true, ['.bashrc']],
] as const)('what the sandbox has left %s', async (_, level, isShared, left) => {
  const asked: string[] = [];
  const workspaces = new WorkspaceProcesses(async (of) => {
    asked.push(of);
    return isShared;
  });
  await workspaces.tidy({ level, workspace });
  expect(readdirSync(workspace)).toEqual(left);
  expect(asked).toEqual(level === 'shell' ? [workspace] : []);
});
