import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stateFolder } from '../config/state-folder.ts';
import type { Done } from './change.ts';
import { readSettingsFile, replaceFile } from './settings-file.ts';
import { SetupError } from './setup-error.ts';

/** The form of the records; another one is not read. */
const VERSION = 1;

/** What setup has done to a file, kept until it is taken back. */
export interface SetupRecord {
  /** The file, behind all links. */
  path: string;
  /** The file as it was; undefined if there was none. */
  before: Buffer | undefined;
  /** Of the bytes that were written. */
  digest: string;
  done: readonly Done[];
}

interface StoredRecord {
  version: typeof VERSION;
  path: string;
  /** Whether the copy beside it is what the file was; else there was no file. */
  hasCopy: boolean;
  digest: string;
  done: readonly Done[];
}

type Variables = Readonly<Record<string, string | undefined>>;

/** The records of a user, in the folder of the state: each is a JSON file, and beside it the file as it was. */
export class SetupRecords {
  readonly #folder: string;

  /**
   * @param environment says where the home is
   * @throws SetupError without a home
   */
  constructor(environment: Variables) {
    const folder = stateFolder(environment);
    if (folder === undefined)
      throw new SetupError('Neither HOME nor XDG_STATE_HOME is set, so there is no place for a backup. Set HOME.');
    this.#folder = join(folder, 'setup');
  }

  /**
   * What was done to this file.
   *
   * @param path behind all links
   * @throws SetupError if the record cannot be read
   */
  find(client: string, path: string): SetupRecord | undefined {
    const { record, copy } = this.#paths(client, path);
    const { bytes } = readSettingsFile(record);
    if (!bytes) return undefined;
    const stored = parsed(bytes);
    const { bytes: before } = stored?.hasCopy ? readSettingsFile(copy) : { bytes: undefined };
    if (!stored || stored.hasCopy !== (before !== undefined)) {
      throw new SetupError(
        `${record} is damaged, so what was there before is not known. Remove that file, and undo by hand.`,
      );
    }
    return { path: stored.path, before, digest: stored.digest, done: stored.done };
  }

  /** @returns where the file as it was is kept, if there was one */
  keep(client: string, { path, before, digest, done }: SetupRecord): string | undefined {
    const { record, copy } = this.#paths(client, path);
    // The copy first: a record must never name one that is not there.
    if (before) replaceFile(readSettingsFile(copy), before);
    const stored: StoredRecord = { version: VERSION, path, hasCopy: before !== undefined, digest, done };
    replaceFile(readSettingsFile(record), Buffer.from(`${JSON.stringify(stored, null, 2)}\n`));
    return before && copy;
  }

  remove(client: string, path: string): void {
    const { record, copy } = this.#paths(client, path);
    rmSync(record, { force: true });
    rmSync(copy, { force: true });
  }

  /**
   * Does something with a file and its record while no other setup does.
   *
   * @throws SetupError while another one does
   */
  alone<Result>(client: string, path: string, act: () => Result): Result {
    const { lock } = this.#paths(client, path);
    take(lock, path);
    try {
      return act();
    } finally {
      rmSync(lock, { force: true });
    }
  }

  /** A client has several files where its variables name several folders. */
  #paths(client: string, path: string): { record: string; copy: string; lock: string } {
    const name = join(this.#folder, `${client}-${digestOf(Buffer.from(path)).slice(0, 12)}`);
    return { record: `${name}.json`, copy: `${name}.before`, lock: `${name}.lock` };
  }
}

export function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function take(lock: string, path: string): void {
  try {
    mkdirSync(dirname(lock), { recursive: true, mode: 0o700 });
    closeSync(openSync(lock, 'wx', 0o600));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw new SetupError(`${lock} cannot be written (${code}); nothing was changed. Mend that.`);
    throw new SetupError(
      `Another \`isthmus setup\` is at work on ${path}; nothing was written. Run the command again. If it says this again, that one was killed: remove ${lock}.`,
    );
  }
}

function parsed(bytes: Buffer): StoredRecord | undefined {
  try {
    const value: Partial<StoredRecord> | null = JSON.parse(bytes.toString());
    return value?.version === VERSION ? (value as StoredRecord) : undefined;
  } catch {
    return undefined;
  }
}
