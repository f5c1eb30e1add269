import { bounded } from './bounded.ts';
import { escapeUnseen } from './escape-unseen.ts';

/** Fields of one log line, without undefined ones. They never hold a credential or content. */
export type LogFields = Record<string, string | number | boolean | undefined>;

export type Log = (event: string, fields?: LogFields) => void;

/** The most characters of one value. A client's value may have any length. */
const LONGEST = 500;

/**
 * Writes one line for each event: the time, the event, then `name=value` pairs. Whatever a client or a process says, it stays
 * one line that a terminal shows as it is.
 */
export function createLog(write: (line: string) => void): Log {
  return (event, fields = {}) => {
    let line = `${new Date().toISOString()} ${event}`;
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined) continue;
      line += ` ${name}=${typeof value === 'string' ? quote(bounded(value, LONGEST)) : value}`;
    }
    write(`${escapeUnseen(line)}\n`);
  };
}

function quote(value: string): string {
  return /^[\w.:/@%+-]+$/.test(value) ? value : JSON.stringify(value);
}
