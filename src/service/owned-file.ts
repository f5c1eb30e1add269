import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** How a file of a service stands to the text that it is to have. */
export type FileState =
  | 'absent'
  /** It is this very text. */
  | 'same'
  /** Isthmus wrote it, with another text, and nobody has changed it since. */
  | 'older'
  /** Somebody else wrote or changed it. */
  | 'foreign';

/** A sum over the rest of the text tells later whether somebody has changed it. */
const MARK = /(?:# |<!-- )Written by isthmus service install, ([0-9a-f]{16})(?: -->)?\n/;

/** Adds the mark: the first line of a unit, the last one of a plist. */
export function marked(text: string): string {
  const words = `Written by isthmus service install, ${sumOf(text)}`;
  return text.startsWith('<?xml') ? `${text}<!-- ${words} -->\n` : `# ${words}\n${text}`;
}

/** Whether a text is as Isthmus wrote it. */
export function isOwn(text: string): boolean {
  const [, sum] = MARK.exec(text) ?? [];
  return sum !== undefined && sumOf(text.replace(MARK, '')) === sum;
}

/** @param text the one that it is to have, with its mark */
export function stateOf(path: string, text: string): FileState {
  if (!existsSync(path)) return 'absent';
  const there = readFileSync(path, 'utf8');
  if (there === text) return 'same';
  return isOwn(there) ? 'older' : 'foreign';
}

/** Writes it whole or not at all, for the user alone. */
export function writeWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}

function sumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
