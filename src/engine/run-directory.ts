import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

const PREFIX = 'isthmus-run-';
const WORK = 'work';
/** The names of this process's own. */
const own = new Set<string>();

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
  const path = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
  own.add(basename(path));
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
      own.delete(basename(path));
    },
  };
}

function removeLeftovers(parent: string): void {
  for (const name of readdirSync(parent)) {
    if (!isLeft(name)) continue;
    try {
      rmSync(join(parent, name), { recursive: true, force: true });
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
  const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
  // In a container the next gateway has the number of the one before it.
  return pid > 0 && (pid === process.pid ? !own.has(name) : !isAlive(pid));
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
