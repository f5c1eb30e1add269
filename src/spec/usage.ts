import type { JsonObject } from './messages.ts';

/** A usage with later counts of the same answer. A null count says nothing: the one before stays. */
export function withCounts(usage: JsonObject, later: JsonObject = {}): JsonObject {
  return { ...usage, ...Object.fromEntries(Object.entries(later).filter(([, count]) => count !== null)) };
}
