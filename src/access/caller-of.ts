import { hash } from 'node:crypto';
import type { Caller } from '../spec/caller.ts';

/** Where a client may have put its key. */
export interface SentKeys {
  /** The header `x-api-key`. */
  apiKey: string | undefined;
  /** The header `authorization`. */
  authorization: string | undefined;
}

/**
 * The caller of a request, identified by a digest of the client's key, whichever header it came in; the key itself goes no
 * further.
 */
export function callerOf(sent: SentKeys): Caller {
  const key = keyIn(sent);
  const id = hash('sha256', key, 'base64url');
  return { id, name: key === '' ? 'no-key' : id.slice(0, 8), limits: { turns: Number.POSITIVE_INFINITY } };
}

/**
 * SHA-256 of the client's key itself, whichever header it came in: an agent's key is compared by it. Without a key it is that of
 * an empty one, which no agent has.
 */
export function keyDigest(sent: SentKeys): Buffer {
  return hash('sha256', keyIn(sent), 'buffer');
}

/** An empty `x-api-key` does not count: some clients send one beside a bearer token. */
function keyIn({ apiKey, authorization = '' }: SentKeys): string {
  return apiKey || authorization.replace(/^bearer(?: +|$)/i, '');
}
