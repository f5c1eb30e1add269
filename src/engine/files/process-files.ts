import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Failure, FailureError, failure } from '../../spec/failures.ts';
import { limitFailure } from '../process/machine-limit.ts';
import { SESSION_NOTE } from './noted-sessions.ts';
import type { RunDirectory } from './run-directory.ts';

/** Begins the name of a process's folder; `mkdtemp` adds six characters. */
const PREFIX = 'p-';
const SCRATCH = 'scratch';

/** The path of a scratch folder, but for six of its characters. It is short, since the sandbox of an agent makes sockets in it. */
export const scratchLike = ({ temporary }: Pick<RunDirectory, 'temporary'>): string =>
  join(temporary, `${PREFIX}XXXXXX`, SCRATCH);

/** What a new process reads from files: a command line is limited in length, and other users can read it. */
export interface SpawnContents {
  /** Claude Code's settings as JSON. */
  settings?: string;
  system?: string;
  /** For the next gateway: see {@link SESSION_NOTE}. */
  session?: string;
}

/** The folder of one process: the files that it reads first, and all that it writes except its configuration. */
export interface ProcessFiles {
  folder: string;
  /** A folder within it for an agent's commands: the files that the process reads first are not for them. */
  scratch: string;
  /** The paths of the files; absent for empty contents. */
  settings?: string;
  system?: string;
  remove(): void;
}

/**
 * Makes the folder of a new process and writes the files that it reads first.
 *
 * @param contentsFor the files, which may name the scratch folder
 * @throws FailureError `files_not_written`, `machine_at_limit`; then nothing is left of them
 */
export function createProcessFiles(
  directory: RunDirectory,
  contentsFor: (scratch: string) => SpawnContents,
): ProcessFiles {
  let folder = '';
  const remove = () => {
    try {
      if (folder !== '') rmSync(folder, { recursive: true, force: true });
    } catch {
      // What stays now goes with the run directory.
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
    folder = mkdtempSync(join(directory.temporary, PREFIX));
    const scratch = join(folder, SCRATCH);
    mkdirSync(scratch, { mode: 0o700 });
    const contents = contentsFor(scratch);
    const settings = write('settings.json', contents.settings);
    const system = write('system.txt', contents.system);
    write(SESSION_NOTE, contents.session);
    return { folder, scratch, ...(settings && { settings }), ...(system && { system }), remove };
  } catch (error) {
    remove();
    const found = fileFailure(error, directory);
    throw found ? new FailureError(found, { cause: error }) : error;
  }
}

/**
 * The failure of the turn if Node could not write a file for a new process, whether one of ours or one of the SDK's, or could
 * not spawn it for a limit; undefined for any other error.
 */
export function fileFailure(error: unknown, { temporary }: RunDirectory): Failure | undefined {
  if (error instanceof FailureError) return error.failure;
  if (!(error instanceof Error && 'syscall' in error)) return undefined;
  const limit = limitFailure(error);
  if (limit) return limit;
  // Not a file: the program could not be spawned.
  const { syscall = '' } = error as NodeJS.ErrnoException;
  if (syscall.startsWith('spawn')) return undefined;
  return failure('files_not_written', { folder: temporary, problem: error.message });
}
