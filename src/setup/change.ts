/** A value of JSON. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** What setup wants of a file. A path is the names of the objects that one stands in, outermost first. */
export type Change =
  /** The last name of the path has this value; with `ifAbsent` another one that stands there stays. */
  | { kind: 'value'; path: readonly string[]; value: Json; ifAbsent?: true }
  /** The list at the path has this item; it is told by the value that it has at `by`. */
  | { kind: 'item'; path: readonly string[]; by: string; item: { [key: string]: Json } };

/** What was done for one change, and what is needed to take it back. */
export type Done = Change & {
  /** How many names of the path were there before. */
  depth: number;
  /** The text that stood in this place, if it is that something was replaced. */
  before?: string;
};

/** A text with the changes. */
export interface Edited {
  text: string;
  done: Done[];
}

/** A text without them. */
export interface Reverted {
  text: string;
  /** The changes that are left as they are, since somebody has changed or removed what was written. */
  left: Done[];
}

/** A piece of a text. */
export interface Part {
  /** A mark is white space, a bracket, and what else says nothing. */
  kind: 'mark' | 'key' | 'comment' | 'value';
  text: string;
  /** The content of a value, without quotes and escapes; undefined if it is not known. */
  says?: string | undefined;
}

/** Changes texts of one format. Pure; what a change does not name stays as it is, byte for byte. */
export interface Format {
  /**
   * Makes the changes; where the text has them already it stays the same, and nothing is done for them.
   *
   * @param text without a byte order mark; only white space counts as an empty file
   * @throws UneditableText
   */
  edit(text: string, changes: readonly Change[]): Edited;
  /**
   * Takes them back from a text that has been edited by others since.
   *
   * @throws UneditableText
   */
  revert(text: string, done: readonly Done[]): Reverted;
  /**
   * The value at a path; of an item, the item.
   *
   * @returns undefined if there is none
   * @throws UneditableText
   */
  read(text: string, change: Change): Json | undefined;
  /** A text in parts, which together are the text; what is not known is a value. For one that `edit` takes. */
  parts(text: string): Part[];
  /** Whether a text says nothing any more. */
  isEmpty(text: string): boolean;
}

/** A text that is not changed, since a change could not be told to be the right one. */
export class UneditableText extends Error {
  /** Counted from 1. */
  readonly line: number;

  /** @param message what is wrong, as the end of a sentence that begins with the file and the line */
  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** The line of an offset, counted from 1. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split(/\r\n|\r|\n/).length;
}

/** The name of a place for people: `provider.anthropic.options`. */
export function placeOf({ path }: Pick<Change, 'path'>): string {
  return path.map((name) => (/^[\w$-]+$/.test(name) ? name : JSON.stringify(name))).join('.');
}
