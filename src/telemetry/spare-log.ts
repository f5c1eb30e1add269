import type { Failure } from '../spec/failures.ts';
import { endOf } from './bounded.ts';
import type { Log } from './log.ts';

/** The most characters of a process's last words; a line of the log takes 500 of any value. */
const LONGEST_STDERR = 400;

/** Writes each spare that ended by itself, or did not come up, as one log line. */
export function spareLog(log: Log): (why: Failure, inARow: number, waitMs: number) => void {
  return ({ process: end, message }, inARow, waitMs) =>
    log(
      'spare ended',
      {
        words: end ? undefined : message,
        exit: end ? (end.spawnError ?? end.signal ?? end.code ?? undefined) : undefined,
        stderr: end ? endOf(end.stderr, LONGEST_STDERR) || undefined : undefined,
        in_a_row: inARow,
        next_in_ms: waitMs,
      },
      'warn',
    );
}
