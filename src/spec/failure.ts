import type { FailureCode } from './failure-codes.ts';
import type { JsonObject } from './messages.ts';

/**
 * Everything that can go wrong in a turn, as data.
 *
 * `code` is stable and tells failures apart; `status` and `type` are what an Anthropic client sees. `message` is for
 * people and says the cure where there is one; nothing may be decided by its words.
 */
export interface Failure {
  code: FailureCode;
  /** HTTP status, if the failure comes before the first byte of the answer. */
  status: number;
  /** The API's `error.type`, such as `invalid_request_error`. */
  type: string;
  message: string;
  /** The upstream's request id, when the upstream made the failure. */
  requestId?: string;
  retryAfterSeconds?: number;
  /** The API's `error.details`: what a program may act on. */
  details?: JsonObject;
}

/**
 * How the message of a failure ends that passes by itself. Inside a stream it has no status, and clients tell by these words
 * alone that they can repeat the request: OpenCode does.
 */
export const TRY_AGAIN = 'Try your request again.';

/** A failure on its way to the place that answers for it. */
export class FailureError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.message, options);
    this.name = 'FailureError';
    this.failure = failure;
  }
}

/** A 400 that names the field: `messages.0.content: …`. */
export function badRequest(path: string, problem: string): FailureError {
  return new FailureError({
    code: 'bad_request',
    status: 400,
    type: 'invalid_request_error',
    message: path ? `${path}: ${problem}` : problem,
  });
}

/** The client has closed its connection; nobody reads this but the log. */
export function clientGone(): Failure {
  return { code: 'client_gone', status: 499, type: 'api_error', message: 'The client has gone.' };
}

/** The gateway takes no new turns any more. */
export function shuttingDown(): Failure {
  return {
    code: 'shutting_down',
    status: 529,
    type: 'overloaded_error',
    message: 'Isthmus is shutting down.',
    retryAfterSeconds: 1,
  };
}

/** The failure inside an error, or `internal` for an error that nobody made on purpose. */
export function failureOf(error: unknown): Failure {
  if (error instanceof FailureError) return error.failure;
  return {
    code: 'internal',
    status: 500,
    type: 'api_error',
    message: `Isthmus failed: ${error instanceof Error ? error.message : String(error)}`,
  };
}
