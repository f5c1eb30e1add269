import type { SessionStoreEntry } from '@anthropic-ai/claude-agent-sdk';
import { z } from 'zod';
import type { Failure } from '../../spec/failures.ts';

/** What the model's API itself said of a failed call. */
export interface UpstreamWords {
  status: number;
  type: string;
  message: string;
  requestId?: string;
}

/** The API's error envelope. */
const envelope = z.object({
  error: z.object({ type: z.string(), message: z.string() }),
  request_id: z.string().nullish(),
});

/** A transcript entry of the CLI about a failed call: one that it will repeat, or one that ends the turn. */
const retriedCall = z.object({
  subtype: z.literal('api_error'),
  error: z.object({ status: z.number(), message: z.string(), requestId: z.string().nullish() }),
});
const failedCall = z.object({
  isApiErrorMessage: z.literal(true),
  apiErrorStatus: z.number(),
  errorDetails: z.string().nullish(),
});

/**
 * Finds the API's own words in the CLI's transcript; its messages to us have the CLI's words instead. The store of a
 * session passes the transcript on.
 *
 * @returns `found` when an entry is about a failed call; `words` of the last such entry, if they can be read
 */
export function readUpstreamWords(entries: readonly SessionStoreEntry[]): {
  found: boolean;
  words?: UpstreamWords | undefined;
} {
  let last: { found: boolean; words?: UpstreamWords | undefined } = { found: false };
  for (const entry of entries) {
    const retried = retriedCall.safeParse(entry).data;
    const failed = failedCall.safeParse(entry).data;
    if (retried) {
      const { message, status, requestId } = retried.error;
      last = { found: true, words: wordsIn(message, status, requestId) };
    } else if (failed)
      last = { found: true, words: wordsIn(failed.errorDetails ?? '', failed.apiErrorStatus, undefined) };
  }
  return last;
}

/**
 * The failure in the API's own words.
 *
 * @returns undefined if they are about another status, or unknown
 */
export function inUpstreamWords(found: Failure, words: UpstreamWords | undefined): Failure | undefined {
  return words?.status === found.status ? { ...found, ...words } : undefined;
}

/** Reads the API's envelope, which may stand behind a prefix of the CLI: `429 {"type":"error",…}`. */
function wordsIn(text: string, status: number, requestId: string | null | undefined): UpstreamWords | undefined {
  const start = text.indexOf('{');
  if (start < 0) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text.slice(start));
  } catch {
    return undefined;
  }
  const { data } = envelope.safeParse(json);
  if (!data) return undefined;
  const id = data.request_id ?? requestId;
  return { status, ...data.error, ...(id ? { requestId: id } : {}) };
}
