import { type Failure, type FailureError, failed, failure } from '../../spec/failures.ts';

const OPEN_FILES = 'the limit of open files (`ulimit -n`) of Isthmus';

/** The limits of a machine that stop a process from being made, by Node's error codes. */
const LIMITS: ReadonlyMap<string, string> = new Map([
  ['EMFILE', OPEN_FILES],
  ['ENFILE', 'the limit of open files of the whole machine'],
  ['EAGAIN', 'the limit of processes (`ulimit -u`, or that of the container)'],
  ['ENOMEM', 'the memory of the machine'],
]);

/** The failure when a child has no pipes: Isthmus can open no more files. Node says so only later, by the child's `error`. */
export function withoutPipes(): FailureError {
  return failed('machine_at_limit', { limit: OPEN_FILES, problem: 'EMFILE' });
}

/** The failure of a turn when a limit of the machine kept a process, or a file for it, from being made; else undefined. */
export function limitFailure(error: unknown): Failure | undefined {
  if (!(error instanceof Error && 'syscall' in error)) return undefined;
  const { code = '' } = error as NodeJS.ErrnoException;
  const limit = LIMITS.get(code);
  return limit === undefined ? undefined : failure('machine_at_limit', { limit, problem: code });
}
