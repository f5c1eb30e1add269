import type { ConversationProcess } from '../spec/engine.ts';
import { cheapestToEvict, isOneShot, type Opening, rank } from './eviction.ts';

/** Whose a process is, and how its conversation began. A process that has held a caller's words serves no other caller. */
export interface Tenancy extends Opening {
  callerId: string;
}

/** What a request needs of a used process. */
export interface Wanted {
  callerId: string;
  /** The request's, which the process must have too; see `Engine.reuseKey`. */
  key: string;
}

type Known = Iterable<readonly [ConversationProcess, Tenancy]>;

/** The finished one-shot with this caller and key that has waited longest. */
export function finishedOneShotFor(wanted: Wanted, processes: Known): ConversationProcess | undefined {
  return cheapestToEvict(ownOf(wanted, processes).filter(([process, tenancy]) => isOneShot(process, tenancy)));
}

/**
 * An idle process with this caller and key, if no other process is cheaper to evict: it would be evicted anyway, or one of its
 * rank would.
 */
export function usedInsteadOfEvicted(wanted: Wanted, processes: Known): ConversationProcess | undefined {
  const all = [...processes];
  const rankOf = (process: ConversationProcess | undefined) =>
    all.flatMap(([other, tenancy]) => (other === process ? [rank(other, tenancy)] : [])).at(0) ?? Infinity;
  const own = cheapestToEvict(ownOf(wanted, all).filter(([{ state }]) => state === 'idle'));
  return rankOf(own) <= rankOf(cheapestToEvict(all)) ? own : undefined;
}

function ownOf({ callerId, key }: Wanted, processes: Known): Array<readonly [ConversationProcess, Tenancy]> {
  return [...processes].filter(([process, tenancy]) => tenancy.callerId === callerId && process.reuseKey === key);
}
