import type { ConversationProcess } from '../spec/engine.ts';
import type { MessagesRequest } from '../spec/messages.ts';

/** How long a process may wait for its client, in milliseconds. */
export interface WaitLimits {
  /** For its conversation's next turn. */
  idleMs: number;
  /** For tool results. */
  heldMs: number;
}

/** How long a finished one-shot keeps its place from a spare, in milliseconds: a program that goes on does so sooner. */
const ONE_SHOT_MS = 5_000;

/** What the request with which a process got its conversation tells of whether that goes on. */
export interface Opening {
  /** Whether it brought a history, as one that is replayed does. */
  hasHistory: boolean;
  /** Its client's, or an agent's. */
  hasTools: boolean;
  /** The turns of the process with this one: it may have had other conversations before. */
  turns: number;
}

/** Keeps nothing of the request. */
export function openingOf(
  { messages, tools, agent }: Pick<MessagesRequest, 'messages' | 'tools' | 'agent'>,
  { turns }: Pick<ConversationProcess, 'turns'>,
): Opening {
  return { hasHistory: messages.length > 1, hasTools: tools.length > 0 || agent !== undefined, turns };
}

/**
 * The process that is cheapest to evict; a streaming one never is. The order of those that are idle: a finished one-shot
 * (one turn, no history, no tools), as evaluations and requests for a title leave them; one turn without a history; a
 * conversation that has gone on. Then those that hold calls. Within each, the one that has waited longest goes first.
 */
export function cheapestToEvict(
  processes: Iterable<readonly [ConversationProcess, Opening]>,
): ConversationProcess | undefined {
  const [cheapest] = [...processes]
    .filter(([{ state }]) => state === 'idle' || state === 'held')
    .sort(([a, ofA], [b, ofB]) => rank(a, ofA) - rank(b, ofB) || a.changedAt - b.changedAt);
  return cheapest?.[0];
}

/** The cheapest process to evict, if it is a finished one-shot that no longer looks as if it went on. */
export function finishedOneShot(
  processes: Iterable<readonly [ConversationProcess, Opening]>,
  now: number,
): ConversationProcess | undefined {
  return cheapestToEvict(
    [...processes].filter(([process, opening]) => isOneShot(process, opening) && now - process.changedAt > ONE_SHOT_MS),
  );
}

/** Whether a process has answered one question without tools, and waits. */
export function isOneShot(process: ConversationProcess, opening: Opening): boolean {
  return process.state === 'idle' && rank(process, opening) === 0;
}

/** The lower, the cheaper to evict. */
export function rank({ state, turns }: ConversationProcess, { hasHistory, hasTools, turns: first }: Opening): number {
  if (state === 'held') return 3;
  if (turns > first || hasHistory) return 2;
  return hasTools ? 1 : 0;
}

/** Whether a process has waited for its client longer than it may. */
export function hasWaitedTooLong({ state, changedAt }: ConversationProcess, limits: WaitLimits, now: number): boolean {
  const age = now - changedAt;
  return (state === 'idle' && age > limits.idleMs) || (state === 'held' && age > limits.heldMs);
}
