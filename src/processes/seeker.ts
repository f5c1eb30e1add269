import type { Caller } from '../spec/caller.ts';
import type { BegunTurn } from '../spec/engine.ts';
import type { MessagesRequest } from '../spec/messages.ts';
import type { TurnMarks } from '../spec/turn-record.ts';

/** The moments of a turn on its way to a process. */
export type SpawnMarks = Pick<TurnMarks, 'queued' | 'admitted' | 'handed' | 'spawned' | 'loading' | 'loaded'>;

/** A turn that needs a process. */
export interface Seeker {
  request: MessagesRequest;
  caller: Pick<Caller, 'id'>;
  /** Aborts when the client has gone. */
  signal: AbortSignal;
  marks: SpawnMarks;
}

/** A turn that a process has begun. */
export interface ServedTurn extends BegunTurn {
  /** Whether the process is still this turn's; another may take it as soon as it waits. */
  isOwn: () => boolean;
}

/**
 * Loads a turn into a used process instead of a new one, if one suits now.
 *
 * @param isFull whether a process would be evicted for the new one
 */
export type UseInstead = (isFull: boolean) => Promise<ServedTurn | undefined> | undefined;
