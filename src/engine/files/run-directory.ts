import { lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Life, LifeSign, lifeOf } from './life-sign.ts';
import { notedSessions } from './noted-sessions.ts';
import { removeTranscripts } from './sdk-transcripts.ts';

/** `mkdtemp` adds six characters that nobody can guess. */
const PREFIX = 'isthmus-run-';
const NAME = new RegExp(`^${PREFIX}[A-Za-z0-9]{6}$`);

/** How long a directory may lack a sign of life while its gateway makes it, in milliseconds. */
const SIGNLESS_MS = 60_000;

/** The longest path of a temporary directory. Beyond some 180 characters the SDK shortens the name of its transcripts. */
const LONGEST_PARENT = 150;

/** The gateway's private directory (mode 0700). What it and its processes write lies in it, or bears its name. */
export interface RunDirectory {
  path: string;
  /** The working directory of every process; empty. */
  work: string;
  /** Temporary files: a folder for each process. */
  temporary: string;
  /**
   * Makes missing parts again: some systems clear temporary files that have long been idle.
   *
   * @throws Error of the file system, also when another user owns the path by now
   */
  restore(): void;
  /** Removes it, and the transcripts of replays that the SDK has written for its processes. */
  remove(): void;
}

/**
 * Makes a run directory in the temporary directory of this process, with a sign of life that other gateways look for.
 *
 * @throws Error when the temporary directory cannot be used; it says why
 */
export function createRunDirectory(): RunDirectory {
  const parent = realpathSync(tmpdir());
  if (parent.length > LONGEST_PARENT) throw new Error(`its path is longer than ${LONGEST_PARENT} characters`);
  const path = mkdtempSync(join(parent, PREFIX));
  const { work, temporary } = foldersOf(path);
  const sign = new LifeSign(path);
  const fill = () => {
    for (const folder of [work, temporary]) mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!sign.isShown) sign.show();
  };
  const remove = () => {
    sign.end();
    removeAll(parent, path, notedSessions(temporary));
  };
  try {
    fill();
  } catch (error) {
    remove();
    throw error;
  }
  return {
    path,
    work,
    temporary,
    restore() {
      // Fails if another user has made it: the name is public, and that user could read what we write.
      if (!isOwn(path)) mkdirSync(path, { mode: 0o700 });
      fill();
    },
    remove,
  };
}

/** Whether a folder in the temporary directory is called like a run directory. */
export function isRunDirectoryName(name: string): boolean {
  return NAME.test(name);
}

/** What a dead gateway has left. */
export interface LeftDirectory {
  /** The working directory of its processes. */
  work: string;
  temporary: string;
  /** Those of its sessions that worked elsewhere. */
  sessions: string[];
  /** Whether it is known to be dead; else there has long been no sign of it. */
  isDead: boolean;
  /** Removes the directory, and the transcripts of its processes. */
  remove(): void;
}

/** Finds the run directories of this user's dead gateways. */
export async function findLeftDirectories(): Promise<LeftDirectory[]> {
  const parent = realpathSync(tmpdir());
  const paths = readdirSync(parent)
    .filter(isRunDirectoryName)
    .map((name) => join(parent, name));
  const lives = await Promise.all(paths.map(lifeOfOwner));
  return paths.flatMap((path, at) => {
    if (lives[at] === 'alive') return [];
    const folders = foldersOf(path);
    const sessions = notedSessions(folders.temporary);
    return [{ ...folders, sessions, isDead: lives[at] === 'dead', remove: () => removeAll(parent, path, sessions) }];
  });
}

/** `no sign` for a directory that is old enough to have one; one that is not ours counts as alive. */
async function lifeOfOwner(path: string): Promise<Life> {
  try {
    if (!isOwn(path)) return 'alive';
    const life = await lifeOf(path);
    if (life !== 'no sign') return life;
    return Date.now() - lstatSync(path).mtimeMs > SIGNLESS_MS ? 'no sign' : 'alive';
  } catch {
    // Another gateway has just removed it, or it is no run directory.
    return 'alive';
  }
}

function foldersOf(path: string): { work: string; temporary: string } {
  return { work: join(path, 'work'), temporary: join(path, 'tmp') };
}

/** The directory goes last: while it is there, the next gateway finds what else is left. */
function removeAll(parent: string, path: string, sessions: readonly string[]): void {
  removeTranscripts(parent, foldersOf(path).work, sessions);
  // The gateway's processes may still be ending, and write for the last time.
  rmSync(path, { recursive: true, force: true, maxRetries: 5 });
}

/** Whether a path is a directory of this user. */
function isOwn(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === (process.getuid?.() ?? found.uid);
}
