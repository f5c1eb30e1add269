import { LRUCache } from 'lru-cache';
import type { AnswerMemory } from '../dialects/dialect.ts';

/** For all callers together, in bytes. */
const MOST_BYTES = 32 * 1024 * 1024;
/** From when it was last asked for. */
const LIFETIME_MS = 60 * 60 * 1000;

/** What answers leave for the next requests of their callers. What was not asked for the longest goes first. */
export class AnswerMemories {
  readonly #kept = new LRUCache<string, object>({ maxSize: MOST_BYTES, ttl: LIFETIME_MS, updateAgeOnGet: true });

  /** The part that one caller sees. */
  of(callerId: string): AnswerMemory {
    const keyOf = (id: string) => `${callerId}\n${id}`;
    return {
      get: (id) => this.#kept.get(keyOf(id)),
      put: (id, value, bytes) => this.#kept.set(keyOf(id), value, { size: Math.max(1, bytes) }),
    };
  }
}
