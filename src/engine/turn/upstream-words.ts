import type { SessionStoreEntry } from '@anthropic-ai/claude-agent-sdk';
import { z } from 'zod';
import type { Failure } from '../../spec/failure.ts';

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
 * Reads the API's own words from what the CLI writes into its transcript: its messages to us have its own words in their
 * place. Only a session with a store has a transcript that we see, which is a replayed one.
 */
export class UpstreamErrors {
  #latest: UpstreamWords | undefined;
  #wake: () => void = () => undefined;

  /** For the store's `append`. */
  add(entries: readonly SessionStoreEntry[]): void {
    for (const entry of entries) {
      const retried = retriedCall.safeParse(entry).data;
      const failed = failedCall.safeParse(entry).data;
      if (retried) this.#latest = wordsIn(retried.error.message, retried.error.status, retried.error.requestId);
      else if (failed) this.#latest = wordsIn(failed.errorDetails ?? '', failed.apiErrorStatus, undefined);
      else continue;
      this.#wake();
    }
  }

  /** Forgets what was said in an earlier turn. */
  clear(): void {
    this.#latest = undefined;
  }

  /** The words of the call that has failed last. */
  get latest(): UpstreamWords | undefined {
    return this.#latest;
  }

  /** Resolves when there are words, at the latest after so many milliseconds. */
  async wait(milliseconds: number): Promise<void> {
    if (this.#latest) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** The failure in the API's own words, if these are about it. */
export function inUpstreamWords(failure: Failure, words: UpstreamWords | undefined): Failure {
  return words?.status === failure.status ? { ...failure, ...words } : failure;
}

/** The API's envelope behind whatever the CLI put in front of it: `429 {"type":"error",…}`. */
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
