import type { SDKAPIRetryMessage, SDKMessage } from '@anthropic-ai/claude-agent-sdk';
import { type Failure, failure, isRepeatable } from '../../spec/failures.ts';
import { apiWordsIn } from './claude-code-words.ts';

/**
 * The failure that the CLI announces before it calls the model again. It becomes the answer: the client has a retry loop of
 * its own, and one in the chain is enough.
 */
export function failureOfRetry(message: SDKAPIRetryMessage): Failure {
  const { error_status: status, retry_delay_ms } = message;
  if (message.no_response) return failure('upstream_stalled', { silentMs: message.no_response.waited_ms });
  if (status === null) return failure('upstream_cut', { how: 'connection' });
  const isWait = isRepeatable(status);
  const isCapped = isWait && retry_delay_ms >= LONGEST_WAIT_MS;
  return failure('upstream_error', {
    status,
    retryAfterSeconds: isWait && !isCapped ? wholeSeconds(retry_delay_ms) : undefined,
    mayRepeat: isCapped ? false : undefined,
  });
}

/** The CLI adds up to a quarter to the API's whole seconds: cut off, it is nearest to them, and still no less. */
function wholeSeconds(milliseconds: number): number {
  return Math.max(1, Math.floor(milliseconds / 1000));
}

/** The longest wait that the CLI announces; the API's own may be longer. */
const LONGEST_WAIT_MS = 21_600_000;

/** The fields that the CLI puts beside a synthetic assistant message when a call has failed. */
interface ApiErrorFields {
  is_api_error_message?: boolean;
  /** None for most errors within a stream. */
  api_error_status?: number | null;
  /** The `error.type` of the API's body; the CLI never makes one up for a call of ours. */
  api_error_type?: string | null;
  request_id?: string;
}

/** The silence after which Claude Code gives a stream up, in milliseconds. */
const STREAM_SILENCE_MS = 300_000;

export type AssistantMessage = Extract<SDKMessage, { type: 'assistant' }>;

/**
 * The failure that an assistant message stands for, or `undefined` when it is an answer.
 *
 * @param silentMs how long the process was silent before it
 */
export function failureOfAssistant(message: AssistantMessage, silentMs: number): Failure | undefined {
  const fields = message as ApiErrorFields;
  if (!isFailedCall(message)) return undefined;
  // A refusal is an answer; the CLI sends its own words about it first.
  if (message.message.stop_reason === 'refusal') return undefined;
  const status = fields.api_error_status ?? undefined;
  const type = fields.api_error_type ?? undefined;
  const text = message.message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  if (status === undefined && type === undefined) return failureWithoutAnswer(message.error, text, silentMs);
  return failure('upstream_error', {
    status,
    type,
    message: apiWordsIn(text, status),
    requestId: fields.request_id || undefined,
    isUnpaid: message.error === 'billing_error' || undefined,
    mayRepeat: NOT_REPEATED.has(message.error) ? false : undefined,
  });
}

/**
 * What the CLI calls an answer of the API that it would announce a retry of, were it not the last of its tries and had the API
 * not said `x-should-retry: false`. An error within a stream has another name.
 */
const NOT_REPEATED: ReadonlySet<AssistantMessage['error']> = new Set(['server_error', 'rate_limit']);

/** Whether the CLI has made an assistant message about a failed call. */
export function isFailedCall(message: AssistantMessage): boolean {
  return (message as ApiErrorFields).is_api_error_message === true;
}

/** The failure of a call to which the API has given no error. */
function failureWithoutAnswer(error: AssistantMessage['error'], text: string, silentMs: number): Failure {
  if (error === 'authentication_failed' || error === 'cloud_credential_error') return failure('not_signed_in');
  // Claude Code refuses some requests by itself and calls no model, such as one with too large an image.
  if (error === 'invalid_request') return failure('refused_by_claude_code', apiWordsIn(text, undefined));
  if (silentMs >= 0.95 * STREAM_SILENCE_MS) return failure('upstream_stalled', { silentMs });
  return failure('upstream_cut', { how: 'answer' });
}

/**
 * Clients compact a conversation when they read the API's own words. Claude Code has others, which take their place only where
 * the API's are not known.
 *
 * @param terminalReason of the turn's result
 */
export function inWordsOfPromptTooLong(found: Failure, terminalReason: string | undefined): Failure {
  if (terminalReason !== PROMPT_TOO_LONG) return found;
  return { ...found, message: 'prompt is too long: the request has more tokens than the model takes' };
}

/** The SDK's word for it. */
export const PROMPT_TOO_LONG = 'prompt_too_long';
