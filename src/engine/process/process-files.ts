import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Failure, FailureError, failure } from '../../spec/failures.ts';
import type { RunDirectory } from './run-directory.ts';

/** What a new process is to read from files; a command line is limited in length, and readable by others of the machine. */
export interface SpawnContents {
  settings?: string;
  system?: string;
}

/** A folder of a process's own: what it begins from, and whatever it writes beside its configuration. */
export interface ProcessFiles {
  folder: string;
  /** The paths of what was written; nothing is written of what is empty. */
  settings?: string;
  system?: string;
  remove(): void;
}

/**
 * Makes the folder of a new process and writes the files that it begins from.
 *
 * @throws FailureError `files_not_written`; nothing of them is left then
 */
export function createProcessFiles(directory: RunDirectory, contents: SpawnContents = {}): ProcessFiles {
  const folder = join(directory.temporary, randomUUID());
  const remove = () => {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // What cannot be removed now goes with the run directory.
    }
  };
  const write = (name: string, content = '') => {
    if (content === '') return undefined;
    const file = join(folder, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  };
  try {
    directory.restore();
    mkdirSync(folder, { mode: 0o700 });
    const settings = write('settings.json', contents.settings);
    const system = write('system.txt', contents.system);
    return { folder, ...(settings && { settings }), ...(system && { system }), remove };
  } catch (error) {
    remove();
    const found = fileFailure(error, directory);
    throw found ? new FailureError(found, { cause: error }) : error;
  }
}

/**
 * What an error means for the turn if it is Node's, of a file that a new process was to begin from: one of ours, or of the
 * SDK's.
 */
export function fileFailure(error: unknown, { temporary }: RunDirectory): Failure | undefined {
  if (!(error instanceof Error && 'syscall' in error)) return undefined;
  // Node says it of a program that cannot be spawned, too; and where there are too many descriptors, room is no cure.
  const { code = '', syscall = '' } = error as NodeJS.ErrnoException;
  if (syscall.startsWith('spawn') || code === 'EMFILE' || code === 'ENFILE') return undefined;
  return failure('files_not_written', { folder: temporary, problem: error.message });
}
