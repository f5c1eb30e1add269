import { lstatSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Where the sandbox keeps commands from writing, and makes what is not there yet. */
const PLACES = ['', '.git', '.git/info', '.claude'];

/** The folders that it makes; those within others come first. */
const FOLDERS = [
  '.claude/.cc-writes',
  '.claude/agents',
  '.claude/commands',
  '.claude/skills',
  '.claude',
  '.git/glab-cli',
  '.git/remotes',
  '.git/worktrees',
];

/** bubblewrap makes a file like this where one is to be mounted. */
const MOUNT_POINT_MODE = 0o444;

/**
 * Removes from a workspace what the sandbox of a killed command leaves: empty files that nobody can write, and empty folders.
 *
 * Only while no command runs in this workspace: for one that does, a file like this keeps a place closed.
 */
export function removeSandboxTraces(workspace: string): void {
  for (const place of PLACES) {
    for (const name of namesIn(join(workspace, place))) {
      const path = join(workspace, place, name);
      if (isMountPoint(path)) rmSync(path, { force: true });
    }
  }
  for (const folder of FOLDERS) removeIfEmpty(join(workspace, folder));
}

function isMountPoint(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true && found.size === 0 && (found.mode & 0o777) === MOUNT_POINT_MODE;
}

function removeIfEmpty(folder: string): void {
  try {
    if (lstatSync(folder).isDirectory()) rmdirSync(folder);
  } catch {
    // It is not there, or it holds something.
  }
}

function namesIn(folder: string): string[] {
  try {
    return lstatSync(folder).isDirectory() ? readdirSync(folder) : [];
  } catch {
    return [];
  }
}
