import type { Failure } from '../../spec/failures.ts';
import type { JsonObject } from '../../spec/messages.ts';
import type { ErrorAnswer } from '../dialect.ts';

/** What a failure is called by OpenAI's APIs. */
export interface OpenAiError {
  message: string;
  type: string;
  param: string | null;
  code: string | null;
}

/** OpenAI's own status of a server that is too busy; its SDKs repeat a 503 always. */
const BUSY_STATUS = 503;
const OVERLOADED = 529;
const TOO_LARGE = 413;
const CONTEXT_WORDS = 'Your input exceeds the context window of this model: ';

/** By the failure's status; the words of an upstream are its own. */
export function openAiError(failure: Failure): OpenAiError {
  const { message, path = null } = failure;
  const error = (type: string, code: string | null = null): OpenAiError => ({ message, type, param: path, code });
  if (failure.exceedsContext || failure.status === TOO_LARGE) {
    return { ...error('invalid_request_error', 'context_length_exceeded'), message: CONTEXT_WORDS + message };
  }
  if (failure.code === 'field_ignored' || failure.isUnsupported)
    return error('invalid_request_error', 'unsupported_value');
  if (failure.code === 'not_kept') {
    return error('invalid_request_error', path === 'previous_response_id' ? 'previous_response_not_found' : null);
  }
  if (failure.isUnpaid) return error('insufficient_quota', 'insufficient_quota');
  switch (failure.status) {
    case 401:
      return error('authentication_error', 'invalid_api_key');
    case 403:
      return error('permission_error');
    case 404:
      return error('invalid_request_error', failure.code === 'not_found' ? 'unknown_url' : 'model_not_found');
    case 429:
      return {
        ...error('rate_limit_error', 'rate_limit_exceeded'),
        message: withWait(message, failure.retryAfterSeconds),
      };
    case BUSY_STATUS:
    case OVERLOADED:
      return error('server_error', 'overloaded');
    default:
      return failure.status >= 500 ? error('server_error', 'server_error') : error('invalid_request_error');
  }
}

/** An error before the first byte of an answer. */
export function openAiErrorAnswer(failure: Failure, requestId: string): ErrorAnswer {
  const id = failure.requestId ?? requestId;
  return {
    status: statusOf(failure),
    headers: { 'x-request-id': id },
    body: { error: openAiError(failure) as unknown as JsonObject },
  };
}

function statusOf({ status, isUnpaid }: Failure): number {
  // OpenAI's clients know a quota that is used up by a 429 with its code.
  if (isUnpaid) return 429;
  return status === OVERLOADED ? BUSY_STATUS : status;
}

/** Codex reads the wait from these words. */
function withWait(message: string, seconds: number | undefined): string {
  if (seconds === undefined) return message;
  return `${message}${/[.!?]$/.test(message) ? '' : '.'} Please try again in ${seconds}s.`;
}
