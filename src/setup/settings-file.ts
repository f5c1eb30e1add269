import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { SetupError } from './setup-error.ts';

/** A file as it was read. */
export interface SettingsFile {
  /** Where it lies: behind all links. */
  path: string;
  /** Undefined if there is none. */
  bytes: Buffer | undefined;
}

const BOM = '\uFEFF';

/**
 * Reads a file, or finds that there is none.
 *
 * @throws SetupError if it cannot be read
 */
export function readSettingsFile(path: string): SettingsFile {
  try {
    const target = behindLinks(path);
    return { path: target, bytes: bytesOf(target) };
  } catch (error) {
    throw new SetupError(`${path} cannot be read (${codeOf(error)}). Mend that, or take \`--print\`.`);
  }
}

/**
 * The text of a file without its byte order mark.
 *
 * @throws SetupError if it is not UTF-8
 */
export function textOf({ path, bytes }: SettingsFile): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new SetupError(`${path} is not UTF-8. Save it as UTF-8, or take \`--print\`.`);
  }
}

/** A text as the bytes of this file: with a byte order mark if it has one. */
export function asBytes(text: string, { bytes }: SettingsFile): Buffer {
  const hasMark = bytes?.subarray(0, 3).equals(Buffer.from(BOM));
  return Buffer.from(hasMark ? BOM + text : text);
}

/**
 * Puts other bytes in the place of a file, at once and on the disk; it keeps its mode and owner. A new one is for its owner alone.
 *
 * @param bytes undefined to remove it
 * @throws SetupError if it has been changed since it was read, or cannot be written
 */
export function replaceFile(file: SettingsFile, bytes: Buffer | undefined): void {
  const folder = dirname(file.path);
  const temporary = join(folder, `.${basename(file.path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    refuseChanged(file);
    if (bytes === undefined) {
      rmSync(file.path);
    } else {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeBeside(temporary, bytes, file);
      // As late as can be: what somebody has written since must not be lost.
      refuseChanged(file);
      renameSync(temporary, file.path);
    }
    syncFolder(folder);
  } catch (error) {
    removeTemporary(temporary);
    if (error instanceof SetupError) throw error;
    throw new SetupError(
      `${file.path} cannot be written (${codeOf(error)}); nothing was changed. Mend that, or take \`--print\`.`,
    );
  }
}

function removeTemporary(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // What kept it from being made is told by the caller.
  }
}

function writeBeside(temporary: string, bytes: Buffer, file: SettingsFile): void {
  const old = file.bytes && statSync(file.path);
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    const own = lstatSync(temporary);
    if (old && (old.uid !== own.uid || old.gid !== own.gid)) fchownSync(descriptor, old.uid, old.gid);
    if (old) fchmodSync(descriptor, old.mode & 0o7777);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** @throws SetupError if the file is not what it was when it was read */
export function refuseChanged({ path, bytes }: SettingsFile): void {
  const now = bytesOf(path);
  if (bytes === undefined ? now === undefined : now?.equals(bytes)) return;
  throw new SetupError(`${path} has been changed meanwhile; nothing was written. Run the command again.`);
}

/** So that the new name outlives a crash, where the system can do that. */
function syncFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, 'r');
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // Windows opens no folders.
  }
}

function bytesOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Where a path leads, also if nothing is there yet. */
function behindLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink();
  return isLink ? behindLinks(resolve(dirname(path), readlinkSync(path))) : path;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
