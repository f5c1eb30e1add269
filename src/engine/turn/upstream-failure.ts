import type { SDKAPIRetryMessage, SDKMessage } from '@anthropic-ai/claude-agent-sdk';
import { type Failure, failure, isRepeatable } from '../../spec/failures.ts';

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
    message: `The model's API answered ${status} (${message.error}).`,
    retryAfterSeconds: isWait && !isCapped ? Math.ceil(retry_delay_ms / 1000) : undefined,
    isLongWait: isCapped,
  });
}

/** The longest wait that the CLI announces; the API's own may be longer. */
const LONGEST_WAIT_MS = 21_600_000;

/** The fields that the CLI puts beside a synthetic assistant message when a call has failed. */
interface ApiErrorFields {
  is_api_error_message?: boolean;
  api_error_status?: number | null;
  api_error_type?: string | null;
  request_id?: string;
}

/** The silence after which Claude Code gives a stream up, in milliseconds. */
const STREAM_SILENCE_MS = 300_000;

/**
 * The failure that an assistant message stands for, or `undefined` when it is an answer.
 *
 * @param silentMs how long the process was silent before it
 */
export function failureOfAssistant(
  message: Extract<SDKMessage, { type: 'assistant' }>,
  silentMs: number,
): Failure | undefined {
  const fields = message as ApiErrorFields;
  if (fields.is_api_error_message !== true) return undefined;
  // A refusal is an answer; the CLI sends its own words about it first.
  if (message.message.stop_reason === 'refusal') return undefined;
  const status = fields.api_error_status;
  const text = message.message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  if (status == null) {
    if (message.error === 'authentication_failed') return failure('not_signed_in');
    // Claude Code refuses some requests by itself and calls no model, such as one with too large an image.
    if (message.error === 'invalid_request') return failure('refused_by_claude_code', text);
    if (silentMs >= 0.95 * STREAM_SILENCE_MS) return failure('upstream_stalled', { silentMs });
    return failure('upstream_cut', { how: { words: text } });
  }
  return failure('upstream_error', {
    status,
    type: fields.api_error_type,
    message: withoutPrefix(
      text,
      `Failed to authenticate. API Error: ${status} `,
      `API Error: ${status} `,
      'API Error: ',
    ),
    requestId: fields.request_id || undefined,
  });
}

/** The API's words without what the CLI puts before them. */
function withoutPrefix(text: string, ...prefixes: string[]): string {
  const prefix = prefixes.find((candidate) => text.startsWith(candidate)) ?? '';
  return text.slice(prefix.length);
}

/**
 * Puts the API's own words first: clients act on them, and Claude Code writes others.
 *
 * @param terminalReason of the turn's result
 */
export function inWordsOfPromptTooLong(found: Failure, terminalReason: string | undefined): Failure {
  if (terminalReason !== 'prompt_too_long' || found.message.startsWith(PROMPT_TOO_LONG)) return found;
  return { ...found, message: `${PROMPT_TOO_LONG}: the request has more tokens than the model takes` };
}

const PROMPT_TOO_LONG = 'prompt is too long';
