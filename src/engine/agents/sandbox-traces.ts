import { lstatSync, readdirSync, realpathSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where the sandbox keeps commands from writing, and makes what is not there yet: any file in these folders. */
const PLACES = ['.git', '.git/info', '.claude'];

/** And these of the workspace itself; others may be the user's. */
const NAMES = [
  '.bash_login',
  '.bash_logout',
  '.bash_profile',
  '.bashrc',
  '.envrc',
  '.gitconfig',
  '.gitmodules',
  '.husky',
  '.idea',
  '.mcp.json',
  '.npmrc',
  '.profile',
  '.ripgreprc',
  '.vscode',
  '.zlogin',
  '.zprofile',
  '.zshenv',
  '.zshrc',
];

/** What it makes behind that, also for a command that ends by itself; what is within another comes first. */
const EMPTY = [
  '.claude/.cc-writes',
  '.claude',
  '.git/NOTES_MERGE_WORKTREE',
  '.git/config.worktree',
  '.git/glab-cli',
  '.git/info/.claude-sandbox-noreplace',
  '.git/objects/info/.claude-sandbox-noreplace',
  '.git/objects/info/alternates',
  '.git/objects/info/commit-graphs/.claude-sandbox-noreplace',
  '.git/objects/info/commit-graphs',
  '.git/remotes',
  '.git/worktrees',
];

/** bubblewrap makes a file like this where one is to be mounted. */
const MOUNT_POINT_MODE = 0o444;

/**
 * Removes from a workspace what the sandbox leaves: empty files that nobody can write, and empty folders. A `config.lock` among
 * them would keep git from its settings.
 *
 * Only while no command runs in this workspace: for one that does, a file like this keeps a place closed.
 *
 * @param workspace its real path
 */
export function removeSandboxTraces(workspace: string): void {
  const inPlaces = PLACES.flatMap((place) => namesIn(join(workspace, place)).map((name) => join(place, name)));
  for (const name of [...NAMES, '.claude', ...inPlaces]) removeIfMountPoint(join(workspace, name));
  for (const name of EMPTY) removeIfEmpty(workspace, name);
}

function removeIfMountPoint(path: string): void {
  try {
    if (!isInPlace(dirname(path))) return;
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isFile() && found.size === 0 && (found.mode & 0o777) === MOUNT_POINT_MODE) rmSync(path);
  } catch {
    // It cannot be removed: a command could not write there either.
  }
}

function removeIfEmpty(workspace: string, name: string): void {
  const path = join(workspace, name);
  try {
    if (!isInPlace(dirname(path))) return;
    const found = lstatSync(path);
    if (found.isDirectory()) rmdirSync(path);
    else if (found.isFile() && found.size === 0) rmSync(path);
  } catch {
    // It is not there, or it holds something.
  }
}

/**
 * Whether no link stands in the way to a folder: behind one, what is there is not the sandbox's.
 *
 * @throws Error if nothing is there
 */
function isInPlace(folder: string): boolean {
  return realpathSync(folder) === folder;
}

function namesIn(folder: string): string[] {
  try {
    return isInPlace(folder) ? readdirSync(folder) : [];
  } catch {
    return [];
  }
}
