import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { stateFolder } from '../config/state-folder.ts';
import { createRunDirectory } from '../engine/files/run-directory.ts';
import { type Finding, findingsOf, type Surroundings } from './finding.ts';

const MEGABYTE = 1024 * 1024;

/** A process writes its history, settings and system prompt into files: a long conversation is tens of megabytes. */
const SCARCE = 200 * MEGABYTE;
const TOO_LITTLE = 20 * MEGABYTE;

/** What a look at one folder has shown. */
export interface SeenFolder {
  /** What Isthmus writes there. */
  holds: string;
  path: string;
  freeBytes?: number | undefined;
  /** Why nothing can be written there. */
  problem?: string | undefined;
  /** The variable that chooses another one. */
  variable: string;
}

const { ok, warning, problem } = findingsOf('disk');

export function diskFindings(seen: readonly SeenFolder[]): Finding[] {
  return seen.map(({ holds, path, freeBytes, problem: why, variable }) => {
    const elsewhere = `set ${variable} to a folder that can be written to`;
    if (why !== undefined)
      return problem(`${holds} cannot be written to ${path}: ${why}.`, `Mend that, or ${elsewhere}.`);
    if (freeBytes === undefined) return ok(`${holds}: ${path} can be written to.`);
    const free = `${Math.floor(freeBytes / MEGABYTE)} MB are free in ${path}`;
    if (freeBytes < TOO_LITTLE)
      return problem(`${free}, too little for ${lower(holds)}.`, `Make room, or ${elsewhere}.`);
    if (freeBytes < SCARCE)
      return warning(`${free}, which is little for ${lower(holds)}.`, `Make room, or ${elsewhere}.`);
    return ok(`${holds}: ${free}.`);
  });
}

const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** Makes a run directory as the gateway does, and removes it. */
function lookAtTemporary(): SeenFolder {
  const seen = { holds: 'Temporary files', path: tmpdir(), variable: 'TMPDIR' };
  try {
    createRunDirectory().remove();
    return { ...seen, freeBytes: freeBytesOf(tmpdir()) };
  } catch (error) {
    return { ...seen, problem: (error as Error).message };
  }
}

/** The folder may be made by and by: then the one above it counts. */
function lookAtState(path: string): SeenFolder {
  const seen = { holds: 'What is kept across restarts', path, variable: 'XDG_STATE_HOME' };
  let there = path;
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  try {
    accessSync(there, constants.W_OK | constants.X_OK);
    return { ...seen, freeBytes: freeBytesOf(there) };
  } catch (error) {
    return { ...seen, problem: (error as NodeJS.ErrnoException).code ?? 'unknown' };
  }
}

function freeBytesOf(path: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

export function checkDisk({ operator }: Surroundings): Finding[] {
  const state = stateFolder(operator);
  const findings = diskFindings([lookAtTemporary(), ...(state === undefined ? [] : [lookAtState(state)])]);
  if (state !== undefined) return findings;
  return [
    ...findings,
    warning('Neither HOME nor XDG_STATE_HOME is set, so nothing is kept across restarts.', 'Set one of them.'),
  ];
}
