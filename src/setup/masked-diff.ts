import { structuredPatch } from 'diff';

/** What stands in place of a secret. */
const MASK = '••••';

/** How many lines around a change are shown. */
const CONTEXT = 2;

/** Names of values that are secrets, whatever the format: `"apiKey": "…"`, `API_TOKEN: …`. */
const NAMED_SECRET =
  /((["']?)[\w.-]*(?:key|token|secret|password|passphrase|credential|authorization|headers?|cookie)[\w.-]*\2\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,"'{[][^\n,}]*)/gi;
/** What looks like one under any name. */
const SHAPES = [
  /\b(?:sk|pk|ghp|gho|xox[abp]|glpat)[-_][\w-]{8,}/g,
  /\bBearer\s+[\w.~+/-]{8,}=*/g,
  /\beyJ[\w-]{10,}\.[\w.-]+/g,
];
const IN_URL = /(\w+:\/\/)[^\s/"'@]+@/g;

/**
 * What changes between two texts, as lines with `+` and `-`; without what looks like a secret.
 *
 * @param shown values that are none
 */
export function maskedDiff(path: string, before: string, after: string, shown: readonly string[]): string[] {
  const { hunks } = structuredPatch(path, path, before, after, undefined, undefined, {
    context: CONTEXT,
    stripTrailingCr: true,
  });
  const lines = hunks.flatMap(({ oldStart, newStart, lines: ofHunk }) => [
    `@@ -${oldStart} +${newStart} @@`,
    ...ofHunk,
  ]);
  return [path, ...lines.map((line) => masked(line, shown))];
}

function masked(line: string, shown: readonly string[]): string {
  const named = line.replace(NAMED_SECRET, (whole, name: string, _quote, value: string) => {
    const quote = /^["']/.exec(value)?.[0] ?? '';
    const inner = quote ? value.slice(1, -1) : value.trim();
    return shown.includes(inner) || /^(true|false|null|-?\d+(\.\d+)?)?$/.test(inner)
      ? whole
      : `${name}${quote}${MASK}${quote}`;
  });
  return SHAPES.reduce((text, shape) => text.replace(shape, MASK), named).replace(IN_URL, `$1${MASK}@`);
}
