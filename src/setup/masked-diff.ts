import { structuredPatch } from 'diff';
import type { Format, Json, Part } from './change.ts';

/** What stands in place of what is not shown. */
const MASK = '••••';

/** How many lines around a change are shown. */
const CONTEXT = 2;

/** What of a file may be shown besides its keys. */
export interface Shown {
  /** Values that setup writes. */
  ours: readonly Json[];
  /** The texts of values in whose place they stand: of an address, its host is shown. */
  replaced: readonly string[];
}

/** What looks like a secret in the place of a key. */
const SHAPES = [
  /\b(?:sk|pk|ghp|gho|github_pat|xox[abp]|glpat|AKIA)[-_\w]{8,}/g,
  /\beyJ[\w-]{10,}\.[\w.-]+/g,
  /(?<=\w:\/\/)[^\s/"'@]+(?=@)/g,
];

const COMMENT = /^((?:\/\/|\/\*|#)\s?).*?(\s?\*\/)?$/;
const QUOTED = /^(["']?).*?(["']?)$/;

/** What says nothing. */
const WORDS = ['true', 'false', 'null', '~', ''];

/**
 * What changes between two texts, as lines with `+` and `-`. Of the texts themselves only keys and brackets are shown: a name does not
 * tell whether its value is a secret, and comments may hold one too.
 */
export function maskedDiff(path: string, format: Format, before: string, after: string, shown: Shown): string[] {
  const [old, now] = [before, after].map((text) => masked(format.parts(text), shown));
  const { hunks } = structuredPatch(path, path, old ?? '', now ?? '', undefined, undefined, {
    context: CONTEXT,
    stripTrailingCr: true,
  });
  const lines = hunks.flatMap(({ oldStart, newStart, lines: ofHunk }) => [
    `@@ -${oldStart} +${newStart} @@`,
    ...ofHunk,
  ]);
  return [path, ...lines];
}

/** It has the lines of the text. */
function masked(parts: readonly Part[], { ours, replaced }: Shown): string {
  const values = new Set([...WORDS, ...ours.flatMap(scalarsIn)]);
  return parts
    .map((part) => {
      if (part.kind === 'mark') return part.text;
      if (part.kind === 'key') return SHAPES.reduce((text, shape) => text.replace(shape, MASK), part.text);
      if (part.kind === 'comment') return hidden(part);
      if (part.says !== undefined && values.has(part.says)) return part.text;
      return (replaced.includes(part.text) ? hostIn(part.text) : undefined) ?? hidden(part);
    })
    .join('');
}

function hidden({ kind, text }: Part): string {
  if (/[\r\n]/.test(text)) return text.replace(/\S.*/g, MASK);
  const [, begin = '', end = ''] = (kind === 'comment' ? COMMENT : QUOTED).exec(text) ?? [];
  return begin + MASK + end;
}

/** An address without what may be a secret in it. */
function hostIn(text: string): string | undefined {
  const [, begin, user, host, rest = '', end] =
    /^(["']?https?:\/\/)([^/?#]*@)?([^/?#@"'\s]+)([^"'\s@]*)(["']?)$/i.exec(text) ?? [];
  if (begin === undefined) return undefined;
  return `${begin}${user ? `${MASK}@` : ''}${host}${rest.length > 1 ? `/${MASK}` : rest}${end}`;
}

function scalarsIn(value: Json): string[] {
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(scalarsIn) : [String(value)];
}
