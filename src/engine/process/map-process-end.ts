import { type Failure, TRY_AGAIN } from '../../spec/failure.ts';

/** How a process ended. */
export interface ProcessEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Set when it could not even be spawned. */
  spawnError?: string;
  /** Its last words on stderr. */
  stderr: string;
}

/** @param hasSpoken whether the process had said anything before it ended */
export function processFailure(end: ProcessEnd | undefined, hasSpoken: boolean): Failure {
  const how = end?.spawnError ?? (end?.signal ? `signal ${end.signal}` : `exit code ${end?.code ?? 'unknown'}`);
  const words = end?.stderr ? ` Its last words: ${end.stderr}` : '';
  return hasSpoken
    ? {
        code: 'process_lost',
        status: 500,
        type: 'api_error',
        message: `The \`claude\` process ended in the middle of the turn (${how}). ${TRY_AGAIN}${words}`,
      }
    : {
        code: 'process_start_failed',
        status: 500,
        type: 'api_error',
        message: `The \`claude\` process could not be started (${how}). See that \`claude --version\` works for the user that runs Isthmus.${words}`,
      };
}
