import { headerList } from './header-list.ts';

/** So many paths are sorted by their kind; a request with more is no honest one. */
const MOST_SORTED = 10_000;

/** What became of a request's fields; see `MessagesRequest`. */
export type RequestFields = { [List in 'ignored' | 'converted' | 'unknown']: readonly string[] };

/** The headers that say what became of the request's fields. */
export function fieldHeaders({ ignored, converted, unknown }: RequestFields): Record<string, string> {
  const lists = { 'isthmus-ignored': ignored, 'isthmus-converted': converted, 'isthmus-passed': unknown };
  return Object.fromEntries(
    Object.entries(lists).flatMap(([header, paths]) => (paths.length === 0 ? [] : [[header, fieldList(paths)]])),
  );
}

/**
 * A header value that lists fields. Each path stands once; many of a kind share one, with `*` for the list index. What does
 * not fit is counted.
 */
export function fieldList(paths: readonly string[]): string {
  const kinds = new Map<string, string[]>();
  for (const path of new Set(paths.slice(0, MOST_SORTED))) {
    const kind = path.replaceAll(/\.\d+/g, '.*');
    const members = kinds.get(kind);
    if (members) members.push(path);
    else kinds.set(kind, [path]);
  }
  const names = [...kinds].flatMap(([kind, members]) => (members.length > 3 ? [kind] : members));
  return headerList(names, Math.max(0, paths.length - MOST_SORTED));
}
