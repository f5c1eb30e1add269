import { pino } from 'pino';
import { escapeUnseen } from './escape-unseen.ts';
import { boundedFields, type Log } from './log.ts';

/** Writes one JSON object for each event, in a line of its own: `level`, `time` (ISO 8601), `event`, then its fields. */
export function createJsonLog(write: (line: string) => void): Log {
  const logger = pino(
    {
      base: null,
      level: 'debug',
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (line: string) => write(`${escapeUnseen(line.trimEnd())}\n`) },
  );
  return (event, fields = {}, level = 'info') => logger[level](boundedFields(fields), event);
}
