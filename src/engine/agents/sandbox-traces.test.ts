import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeSandboxTraces } from './sandbox-traces.ts';

let workspace: string;
beforeEach(() => {
  workspace = realpathSync(mkdtempSync(join(tmpdir(), 'isthmus-traces-')));
});
afterEach(() => rmSync(workspace, { recursive: true }));

function put(name: string, mode: number, content = ''): void {
  writeFileSync(join(workspace, name), content);
  chmodSync(join(workspace, name), mode);
}

test('what the sandbox makes goes, and nothing else', () => {
  for (const folder of ['.git/worktrees', '.git/info/.claude-sandbox-noreplace', '.claude/.cc-writes', 'src'])
    mkdirSync(join(workspace, folder), { recursive: true });
  for (const name of ['.bashrc', '.mcp.json', '.git/config.lock', '.claude/settings.json', '.claude/agents'])
    put(name, 0o444);
  put('.git/config.worktree', 0o644);
  put('.gitignore', 0o644);
  put('.npmrc', 0o444, 'mine');
  put('.nojekyll', 0o444);
  put('src/empty', 0o444);
  removeSandboxTraces(workspace);
  expect(readdirSync(workspace, { recursive: true }).sort()).toEqual(
    ['.git', '.git/info', '.gitignore', '.nojekyll', '.npmrc', 'src', 'src/empty'].sort(),
  );
});

test('a folder of settings that holds something stays', () => {
  mkdirSync(join(workspace, '.claude'));
  put('.claude/settings.json', 0o644, '{}');
  removeSandboxTraces(workspace);
  expect(readdirSync(join(workspace, '.claude'))).toEqual(['settings.json']);
});

test('no link is followed', () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'isthmus-elsewhere-'));
  mkdirSync(join(elsewhere, 'info'));
  mkdirSync(join(elsewhere, 'objects', 'info'), { recursive: true });
  const files = ['kept', 'info/kept', 'info/.claude-sandbox-noreplace', 'objects/info/alternates'];
  for (const name of files) writeFileSync(join(elsewhere, name), '', { mode: 0o444 });
  symlinkSync(elsewhere, join(workspace, '.git'));
  removeSandboxTraces(workspace);
  expect(readdirSync(elsewhere, { recursive: true })).toEqual(expect.arrayContaining(files));
  const link = join(tmpdir(), `isthmus-link-${basename(elsewhere)}`);
  symlinkSync(elsewhere, link);
  writeFileSync(join(elsewhere, '.bashrc'), '', { mode: 0o444 });
  removeSandboxTraces(link);
  expect(readdirSync(elsewhere)).toContain('.bashrc');
  rmSync(link);
  rmSync(elsewhere, { recursive: true });
});
