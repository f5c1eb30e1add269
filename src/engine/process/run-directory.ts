import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Behind it stand the gateway's process, by number and start, and what makes the name one that nobody can guess. */
const PREFIX = 'isthmus-run-';
const WORK = 'work';

/** The gateway's private directory (mode 0700): nothing that a process writes on its behalf lies outside it. */
export interface RunDirectory {
  path: string;
  /** The working directory of every process; empty. */
  work: string;
  /** Temporary files: the SDK's transcripts of replays, and a folder for each process. */
  temporary: string;
  /**
   * Makes again what is missing of it, as a system that clears its temporary files removes what has long been idle.
   *
   * @throws Error of the file system, also when somebody else has come to own its path
   */
  restore(): void;
  remove(): void;
}

/**
 * Makes the run directory and removes those that gateways which are no longer alive left behind.
 *
 * Also points this process's own `TMPDIR` into it, because the SDK writes its transcripts there; one gateway a process.
 */
export function createRunDirectory(): RunDirectory {
  const parent = tmpdir();
  removeLeftovers(parent);
  const path = mkdtempSync(join(parent, `${PREFIX}${process.pid}-${startOf(process.pid)}-`));
  const work = join(path, WORK);
  const temporary = join(path, 'tmp');
  const fill = () => {
    for (const folder of [work, temporary]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  };
  fill();
  process.env.TMPDIR = temporary;
  return {
    path,
    work,
    temporary,
    restore() {
      // Fails if somebody else has made it: its name is public, and its owner could read what is put there.
      if (!isOwn(path)) mkdirSync(path, { mode: 0o700 });
      fill();
    },
    remove() {
      process.env.TMPDIR = parent;
      rmSync(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function removeLeftovers(parent: string): void {
  for (const name of readdirSync(parent)) {
    if (!isLeft(name)) continue;
    try {
      // The gateway's processes may still be ending, and write for the last time.
      rmSync(join(parent, name), { recursive: true, force: true, maxRetries: 5 });
    } catch {
      // Another user's; theirs to remove.
    }
  }
}

/** Whether a path is the working directory of a gateway's processes, and the gateway is no more. */
export function isLeftWork(path: string): boolean {
  return basename(path) === WORK && isLeft(basename(dirname(path)));
}

/** Whether a name is that of the run directory of a gateway that is no more. */
function isLeft(name: string): boolean {
  const [, pid, start] = new RegExp(`^${PREFIX}(\\d+)-([0-9a-f]+)-`).exec(name) ?? [];
  // Its number may have gone to another process; in a container the next gateway has that of the one before it.
  return pid !== undefined && !(isAlive(Number(pid)) && startOf(Number(pid)) === start);
}

/**
 * What tells a living process from others that had its number before, as hexadecimal digits; where the system does not
 * tell, the same for all.
 */
function startOf(pid: number): string {
  let start = '';
  try {
    start = process.platform === 'linux' ? linuxStart(pid) : psStart(pid);
  } catch {
    // It has just ended, or the system does not tell.
  }
  return createHash('sha256').update(start).digest('hex').slice(0, 8);
}

function linuxStart(pid: number): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The program's name, which comes before in parentheses, may have any character; the start is the 22nd field.
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return `${boot} ${start}`;
}

function psStart(pid: number): string {
  const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
  return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio }).trim();
}

function isOwn(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === (process.getuid?.() ?? found.uid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
