import { bounded } from './bounded.ts';

/** Fields of one log line; undefined ones are left out. Never a credential, never content. */
export type LogFields = Record<string, string | number | boolean | undefined>;

export type Log = (event: string, fields?: LogFields) => void;

/** The most characters of one value: some are the client's, and may be of any length. */
const LONGEST = 500;

/** Writes one line an event: the time, the event, then `name=value` pairs. */
export function createLog(write: (line: string) => void): Log {
  return (event, fields = {}) => {
    const pairs = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${quote(bounded(String(value), LONGEST))}`);
    write(`${[new Date().toISOString(), event, ...pairs].join(' ')}\n`);
  };
}

function quote(value: string): string {
  return /^[\w.:/@%+-]+$/.test(value) ? value : JSON.stringify(value);
}
