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
 * The caller of a request, identified by a digest of the client's key; the key itself goes no further. An empty `x-api-key`
 * does not count: some clients send one beside a bearer token.
 */
export function callerOf({ apiKey, authorization }: SentKeys): Caller {
  const key = apiKey || authorization || '';
  const id = hash('sha256', key, 'base64url');
  return { id, name: key === '' ? 'no-key' : id.slice(0, 8), limits: { turns: Number.POSITIVE_INFINITY } };
}

/**
 * SHA-256 of the client's key itself, whichever header it came in: an agent's key is compared by it. Without a key it is that of
 * an empty one, which no agent has.
 */
export function keyDigest({ apiKey, authorization = '' }: SentKeys): Buffer {
  return hash('sha256', apiKey || authorization.replace(/^bearer +/i, ''), 'buffer');
}
