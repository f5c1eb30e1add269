import { createScanner, type Node } from 'jsonc-parser';

/** How what is written is laid out. */
export interface Layout {
  /** What begins each line of it but the first; undefined if it is to stay on one line. */
  lineStart: string | undefined;
  /** By how much more what is inside of something is indented. */
  unit: string;
  /** What stands behind a colon and a comma. */
  space: string;
}

/** What stands between the last property and the closing bracket. */
export interface Gap {
  /** The offset of the trailing comma. */
  comma: number | undefined;
  /** Behind the last comment or comma. */
  end: number;
  /** The break of the line on which what stands last ends: before comments on lines of their own, if it is no comment itself. */
  lineBreak: number | undefined;
}

/**
 * @param from behind the last property, or behind the opening bracket
 * @param close the closing bracket
 * @param isEmpty whether there is no property
 */
export function gapAt(text: string, from: number, close: number, isEmpty: boolean): Gap {
  const gap: Gap = { comma: commaAt(text, from, close), end: from, lineBreak: undefined };
  for (const { offset, token } of tokensIn(text, from, close)) {
    if (/^[\r\n]/.test(token)) {
      if (gap.lineBreak === undefined && offset >= (gap.comma ?? from)) gap.lineBreak = offset;
    } else if (token.trim() !== '') {
      gap.end = offset + token.length;
      if (isEmpty) gap.lineBreak = undefined;
    }
  }
  return gap;
}

/** The comma that comes next, behind no more than comments and white space. */
export function commaAt(text: string, from: number, end = text.length): number | undefined {
  for (const { offset, token } of tokensIn(text, from, end)) {
    if (token === ',') return offset;
    if (!/^(\s|\/[/*])/.test(token)) return undefined;
  }
  return undefined;
}

/** The tokens from an offset on, with white space, line breaks and comments. */
export function* tokensIn(text: string, from: number, end: number): Generator<{ offset: number; token: string }> {
  const scanner = createScanner(text, false);
  scanner.setPosition(from);
  scanner.scan();
  while (scanner.getTokenOffset() < end) {
    const offset = scanner.getTokenOffset();
    yield { offset, token: text.slice(offset, offset + scanner.getTokenLength()) };
    scanner.scan();
  }
}

/** The white space that a line begins with, and the break before it. */
export function layoutAt(text: string, offset: number, unit: string): Layout {
  const before = text.slice(0, offset);
  const start = Math.max(before.lastIndexOf('\n'), before.lastIndexOf('\r')) + 1;
  const indent = /^[ \t]*/.exec(text.slice(start))?.[0] ?? '';
  return { lineStart: lineBreakIn(text, start) + indent, unit, space: ' ' };
}

/** The break that ends the line before; on the first line, the first one of the text. */
function lineBreakIn(text: string, start: number): string {
  const before = /(\r\n|\n|\r)$/.exec(text.slice(0, start))?.[0];
  return before ?? /\r\n|\n|\r/.exec(text)?.[0] ?? '\n';
}

/** By how much the content of this object is indented more than itself. */
export function unitIn(text: string, parent: Node): string | undefined {
  const child = indentedChild(text, parent);
  if (!child) return undefined;
  const [outer, inner] = [parent.offset, child.offset].map((at) => indentOf(layoutAt(text, at, '')));
  return outer !== undefined && inner?.startsWith(outer) && inner !== outer ? inner.slice(outer.length) : undefined;
}

function indentOf({ lineStart = '' }: Layout): string {
  return lineStart.replace(/^[\r\n]+/, '');
}

/** The last one that begins a line. */
export function indentedChild(text: string, parent: Node): Node | undefined {
  const last = parent.children?.at(-1);
  return last && /(^|[\r\n])[ \t]*$/.test(text.slice(0, last.offset)) ? last : undefined;
}

/** The indentation of the text: that of the first line with one. */
export function rootUnit(text: string): string {
  return /[\r\n]([ \t]+)"/.exec(text)?.[1] ?? '  ';
}

/** Whether a text has its properties on lines of their own; an empty one will. */
export function isLaidOut(text: string, root: Node): boolean {
  return root.children?.length === 0 || /[\r\n]/.test(text.slice(root.offset, root.offset + root.length));
}

/** Whether a text that is one line has no space behind its colons. */
export function isTight(text: string, root: Node): boolean {
  const [first] = root.children ?? [];
  return first?.colonOffset !== undefined && !/\s/.test(text[first.colonOffset + 1] ?? '');
}
