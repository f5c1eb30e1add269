import type { Settings } from '../config/settings.ts';

/** How much a finding matters. A `problem` keeps Isthmus from working; a `warning` may; a `note` is good to know. */
export type Level = 'ok' | 'note' | 'warning' | 'problem';

/** What one check has found. */
export interface Finding {
  /** The name of the check, for programs. */
  check: string;
  level: Level;
  /** One sentence. It names variables and shows none of their values. */
  says: string;
  /** What to do about it. */
  cure?: string;
}

export type Variables = Readonly<Record<string, string | undefined>>;

/** Where Isthmus would run. */
export interface Surroundings {
  settings: Settings;
  /** The environment that `isthmus serve` would get. */
  operator: Variables;
  /** The working directory. */
  folder: string;
  /** The file that the settings come from, if one was named. */
  configFile?: string | undefined;
}

/** Makes the findings of one check. */
export function findingsOf(check: string) {
  const make =
    (level: Level) =>
    (says: string, cure?: string): Finding => ({ check, level, says, ...(cure === undefined ? {} : { cure }) });
  return { ok: make('ok'), note: make('note'), warning: make('warning'), problem: make('problem') };
}

const LEVELS: readonly Level[] = ['ok', 'note', 'warning', 'problem'];

/** The gravest level among findings; `ok` for none. */
export function gravest(findings: readonly Finding[]): Level {
  return LEVELS[Math.max(0, ...findings.map(({ level }) => LEVELS.indexOf(level)))] ?? 'ok';
}
