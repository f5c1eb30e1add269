import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ClientError } from '../clients/client.ts';

const CURE = 'set TMPDIR to a folder that is there and has room.';

/**
 * Makes the private temporary folder of a launch.
 *
 * @returns its absolute path
 * @throws ClientError
 */
export function launchFolder(parent = tmpdir()): string {
  return orClientError(`No temporary folder can be made in ${parent}`, () =>
    mkdtempSync(join(parent, 'isthmus-launch-')),
  );
}

/**
 * Writes files that only this user can read.
 *
 * @param files their names below the folder, and their texts
 * @throws ClientError
 */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  orClientError(`Nothing can be written in ${folder}`, () => {
    for (const [name, text] of Object.entries(files)) {
      const file = join(folder, name);
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(file, text, { mode: 0o600 });
    }
  });
}

function orClientError<Result>(problem: string, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw new ClientError(`${problem} (${(error as NodeJS.ErrnoException).code}): ${CURE}`);
  }
}
