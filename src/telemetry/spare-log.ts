import type { ProcessEnd } from '../spec/process-end.ts';
import { endOf } from './bounded.ts';
import type { Log } from './log.ts';

/** The most characters of a process's last words; a line of the log takes 500 of any value. */
const LONGEST_STDERR = 400;

/** Writes each spare that ended by itself as one log line. */
export function spareLog(log: Log): (end: ProcessEnd, inARow: number, waitMs: number) => void {
  return ({ code, signal, spawnError, stderr }, inARow, waitMs) =>
    log('spare ended', {
      exit: spawnError ?? signal ?? code ?? undefined,
      stderr: endOf(stderr, LONGEST_STDERR) || undefined,
      in_a_row: inARow,
      next_in_ms: waitMs,
    });
}
