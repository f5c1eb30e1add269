const PATHS = ['start', 'continue', 'rewind', 'replay'] as const;

/** How many turns took each path, by the process that served them. */
export type Ways = Partial<Record<string, Record<string, number>>>;

declare module 'vitest' {
  interface TaskMeta {
    /** Of a file's turns. */
    ways?: Ways;
  }
}

/** @param log what gateways have written */
export function waysIn(log: string): Ways {
  const ways: Ways = {};
  for (const [, path = '', process = ''] of log.matchAll(/ turn .*? path=(\w+) process=(\w+)/g)) {
    ways[path] ??= {};
    ways[path][process] = (ways[path][process] ?? 0) + 1;
  }
  return ways;
}

/** As in `12 start (9 used, 3 new), 30 continue`: what holds a conversation already goes without saying. */
export function waysInWords(ways: Ways): string {
  return PATHS.flatMap((path) => {
    const served = Object.entries(ways[path] ?? {});
    if (served.length === 0) return [];
    const count = served.reduce((sum, [, turns]) => sum + turns, 0);
    const others = served.filter(([process]) => process !== 'live').map(([process, turns]) => `${turns} ${process}`);
    return [`${count} ${path}${others.length > 0 ? ` (${others.join(', ')})` : ''}`];
  }).join(', ');
}
