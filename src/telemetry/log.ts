import { bounded } from './bounded.ts';
import { escapeUnseen } from './escape-unseen.ts';

/** Fields of one log line, without undefined ones. They never hold a credential or content. */
export type LogFields = Record<string, string | number | boolean | undefined>;

/** From the gravest on. */
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** Writes an event down. The level is `info` unless it is told. */
export type Log = (event: string, fields?: LogFields, level?: LogLevel) => void;

/** The most characters of one value. A client's value may have any length. */
const LONGEST = 500;

/** Whether a log of one level has what is said at another. */
export function isLogged(level: LogLevel, at: LogLevel): boolean {
  return LOG_LEVELS.indexOf(level) <= LOG_LEVELS.indexOf(at);
}

/** A log that leaves out what is less grave than a level. */
export function atLeast(least: LogLevel, log: Log): Log {
  return (event, fields, level = 'info') => {
    if (isLogged(level, least)) log(event, fields, level);
  };
}

/**
 * Writes one line for each event: the time, the event, then `name=value` pairs. Whatever a client or a process says, it stays
 * one line that a terminal shows as it is. It has no colours.
 */
export function createLog(write: (line: string) => void): Log {
  return (event, fields = {}) => {
    let line = `${new Date().toISOString()} ${event}`;
    for (const [name, value] of Object.entries(boundedFields(fields))) {
      line += ` ${name}=${typeof value === 'string' ? quote(value) : value}`;
    }
    write(`${escapeUnseen(line)}\n`);
  };
}

/** The fields that have a value, each with the beginning of a long one. */
export function boundedFields(fields: LogFields): Record<string, string | number | boolean> {
  const bound: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) bound[name] = typeof value === 'string' ? bounded(value, LONGEST) : value;
  }
  return bound;
}

function quote(value: string): string {
  return /^[\w.:/@%+-]+$/.test(value) ? value : JSON.stringify(value);
}
