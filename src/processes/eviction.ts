import type { ConversationProcess } from '../spec/engine.ts';

/** How long a process may wait for its client, in milliseconds. */
export interface WaitLimits {
  /** For its conversation's next turn. */
  idleMs: number;
  /** For tool results. */
  heldMs: number;
}

/**
 * The process that is cheapest to evict; a streaming one never is. The order: idle and never continued, as title and summary
 * requests leave them; idle; held. Within each, the one that has waited longest goes first.
 */
export function cheapestToEvict(processes: Iterable<ConversationProcess>): ConversationProcess | undefined {
  const [cheapest] = [...processes]
    .filter(({ state }) => state === 'idle' || state === 'held')
    .sort((a, b) => rank(a) - rank(b) || a.changedAt - b.changedAt);
  return cheapest;
}

function rank({ state, turns }: ConversationProcess): number {
  if (state === 'held') return 2;
  return turns > 1 ? 1 : 0;
}

/** Whether a process has waited for its client longer than it may. */
export function hasWaitedTooLong({ state, changedAt }: ConversationProcess, limits: WaitLimits, now: number): boolean {
  const age = now - changedAt;
  return (state === 'idle' && age > limits.idleMs) || (state === 'held' && age > limits.heldMs);
}
