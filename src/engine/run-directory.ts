import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'isthmus-run-';

/** The gateway's private directory (mode 0700): nothing that a process writes on its behalf lies outside it. */
export interface RunDirectory {
  path: string;
  /** The working directory of every process; empty. */
  work: string;
  /** Temporary files: the SDK's transcripts of replays, and the system prompts handed over as files. */
  temporary: string;
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
  const work = join(path, 'work');
  const temporary = join(path, 'tmp');
  mkdirSync(work);
  mkdirSync(temporary);
  process.env.TMPDIR = temporary;
  return {
    path,
    work,
    temporary,
    remove() {
      process.env.TMPDIR = parent;
      rmSync(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function removeLeftovers(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (!pid || isAlive(pid)) continue;
    try {
      rmSync(join(parent, name), { recursive: true, force: true });
    } catch {
      // Another user's; theirs to remove.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
