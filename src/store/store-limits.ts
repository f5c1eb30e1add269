import type { ExpansionRecord } from '../spec/expansion-store.ts';

/** What a store keeps at most. Beyond either limit the oldest records go. */
export interface StoreLimits {
  maxAgeMs: number;
  maxBytes: number;
}

/** About what the keys of a record and its places in the indexes take. */
const KEYS_BYTES = 600;

/** What a record counts against the limit of size. */
export function sizeOf({ expansion, steps }: ExpansionRecord): number {
  return KEYS_BYTES + expansion.byteLength + Buffer.byteLength(JSON.stringify(steps));
}
