import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Failure, FailureError } from '../spec/failure.ts';
import type { RunDirectory } from './run-directory.ts';

/** What a new process is to read from files; a command line is limited in length, and readable by others of the machine. */
export interface StartContents {
  settings?: string;
  system?: string;
}

/** The paths of what was written; nothing is written of what is empty. */
export interface StartFiles {
  settings?: string;
  system?: string;
  remove(): void;
}

/**
 * Writes the files that a new process begins from.
 *
 * @throws FailureError `files_not_written`; nothing of them is left then
 */
export function writeStartFiles(directory: RunDirectory, contents: StartContents): StartFiles {
  const name = randomUUID();
  const written: string[] = [];
  const remove = () => {
    for (const file of written) rmSync(file, { force: true });
  };
  const write = (content: string | undefined, extension: string) => {
    if (!content) return undefined;
    const file = join(directory.temporary, `${name}.${extension}`);
    written.push(file);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  };
  try {
    directory.restore();
    const settings = write(contents.settings, 'json');
    const system = write(contents.system, 'txt');
    return { ...(settings && { settings }), ...(system && { system }), remove };
  } catch (error) {
    remove();
    const failure = fileFailure(error, directory);
    throw failure ? new FailureError(failure, { cause: error }) : error;
  }
}

/**
 * What an error means for the turn if it is Node's, of a file that a new process was to begin from: one of ours, or of the
 * SDK's.
 */
export function fileFailure(error: unknown, { temporary }: RunDirectory): Failure | undefined {
  if (!(error instanceof Error && 'syscall' in error)) return undefined;
  return {
    code: 'files_not_written',
    status: 500,
    type: 'api_error',
    message: `Isthmus could not write its files in ${temporary} (${error.message}). Make room there, then send the request again.`,
  };
}
