import { hash } from 'node:crypto';
import type { CountedPart } from '../spec/counted-part.ts';

/** Callers whose counts are remembered, and the counts of each. A count takes some 100 bytes. */
const MOST_CALLERS = 100;
const MOST_PARTS = 1_000;

/** Stands for a part of a request to a model, and does not reveal it. */
export type PartKey = string;

export function partKey(model: string, part: CountedPart): PartKey {
  return hash('sha256', JSON.stringify([model, part]), 'base64url');
}

/** The counts of parts, for each caller its own. The parts and the callers that were not used for the longest time go first. */
export class RememberedCounts {
  readonly #callers = new Map<string, Map<PartKey, number>>();

  get(callerId: string, key: PartKey): number | undefined {
    const counts = this.#callers.get(callerId);
    const count = counts?.get(key);
    if (counts && count !== undefined) {
      use(this.#callers, callerId, counts, MOST_CALLERS);
      use(counts, key, count, MOST_PARTS);
    }
    return count;
  }

  set(callerId: string, key: PartKey, count: number): void {
    const counts = this.#callers.get(callerId) ?? new Map<PartKey, number>();
    use(counts, key, count, MOST_PARTS);
    use(this.#callers, callerId, counts, MOST_CALLERS);
  }
}

/** Puts an entry last, and removes the first ones if there are too many. */
function use<Value>(map: Map<string, Value>, key: string, value: Value, most: number): void {
  map.delete(key);
  map.set(key, value);
  for (const first of map.keys()) {
    if (map.size <= most) return;
    map.delete(first);
  }
}
