import type { SDKAPIRetryMessage, SDKMessage } from '@anthropic-ai/claude-agent-sdk';
import { type Failure, TRY_AGAIN } from '../../spec/failure.ts';

/** The API's error type for a status, where the SDK tells the status alone. */
const TYPE_OF_STATUS: ReadonlyMap<number, string> = new Map([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
]);

/**
 * The CLI announces that it will call the model again after a wait. The client has its own retry loop, and one in the
 * chain is enough: the announcement becomes the answer.
 */
export function failureOfRetry(message: SDKAPIRetryMessage): Failure {
  const { error_status: status, retry_delay_ms } = message;
  if (message.no_response) return upstreamStalled(message.no_response.waited_ms);
  if (status === null) return connectionLost();
  return {
    code: 'upstream_error',
    status,
    type: TYPE_OF_STATUS.get(status) ?? 'api_error',
    message: `The model's API answered ${status} (${message.error}).`,
    ...(status === 429 || status >= 500 ? { retryAfterSeconds: Math.ceil(retry_delay_ms / 1000) } : {}),
  };
}

/** The fields that the CLI puts beside a synthetic assistant message when a call has failed. */
interface ApiErrorFields {
  is_api_error_message?: boolean;
  api_error_status?: number | null;
  api_error_type?: string | null;
  request_id?: string;
}

/** Claude Code gives a stream up that has been silent for so long, in milliseconds. */
const STREAM_SILENCE_MS = 300_000;

/**
 * The failure that an assistant message stands for, or `undefined` when it is an answer.
 *
 * @param silentMs how long the process has said nothing before
 */
export function failureOfAssistant(
  message: Extract<SDKMessage, { type: 'assistant' }>,
  silentMs: number,
): Failure | undefined {
  const fields = message as ApiErrorFields;
  if (fields.is_api_error_message !== true) return undefined;
  // A refusal is an answer: the CLI's own words come ahead of the event that says so.
  if (message.message.stop_reason === 'refusal') return undefined;
  const status = fields.api_error_status;
  const text = message.message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  if (status == null) {
    if (message.error === 'authentication_failed') return notSignedIn();
    if (message.error === 'invalid_request') return refusedLocally(text);
    if (silentMs >= 0.95 * STREAM_SILENCE_MS) return upstreamStalled(silentMs);
    return { ...connectionLost(), message: text };
  }
  return {
    code: 'upstream_error',
    status,
    type: fields.api_error_type ?? TYPE_OF_STATUS.get(status) ?? 'api_error',
    message: withoutPrefix(
      text,
      `Failed to authenticate. API Error: ${status} `,
      `API Error: ${status} `,
      'API Error: ',
    ),
    ...(fields.request_id ? { requestId: fields.request_id } : {}),
  };
}

/** The API's words without what the CLI puts before them. */
function withoutPrefix(text: string, ...prefixes: string[]): string {
  const prefix = prefixes.find((candidate) => text.startsWith(candidate)) ?? '';
  return text.slice(prefix.length);
}

/** The stream ended before its answer was complete. */
export function upstreamCut(): Failure {
  return {
    code: 'upstream_cut',
    status: 502,
    type: 'api_error',
    message: `The stream from the model ended before its answer was complete. ${TRY_AGAIN}`,
  };
}

/** The API, or Claude Code, has said nothing for too long. */
export function upstreamStalled(silentMs: number): Failure {
  return {
    code: 'upstream_stalled',
    status: 504,
    type: 'timeout_error',
    message: `Nothing came from the model for ${Math.round(silentMs / 1000)} seconds. ${TRY_AGAIN}`,
  };
}

/**
 * Clients act on the words that the API begins this error with; Claude Code writes them another way.
 *
 * @param terminalReason of the turn's result
 */
export function inWordsOfPromptTooLong(failure: Failure, terminalReason: string | undefined): Failure {
  if (terminalReason !== 'prompt_too_long' || failure.message.startsWith(PROMPT_TOO_LONG)) return failure;
  return { ...failure, message: `${PROMPT_TOO_LONG}: the request has more tokens than the model takes` };
}

const PROMPT_TOO_LONG = 'prompt is too long';

/** Claude Code itself refuses some requests, such as one with an image that is too large for it, and calls no model. */
function refusedLocally(text: string): Failure {
  return { code: 'refused_by_claude_code', status: 400, type: 'invalid_request_error', message: text };
}

function connectionLost(): Failure {
  return {
    code: 'upstream_cut',
    status: 502,
    type: 'api_error',
    message: `The connection to the model's API was lost. ${TRY_AGAIN}`,
  };
}

function notSignedIn(): Failure {
  return {
    code: 'not_signed_in',
    status: 401,
    type: 'authentication_error',
    message:
      'Claude Code is not signed in where Isthmus runs. Set ANTHROPIC_API_KEY or another credential in its environment, or run `claude login`, then start Isthmus again.',
  };
}
