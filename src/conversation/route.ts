import type { ConversationProcess } from '../spec/engine.ts';
import type { MessagesRequest } from '../spec/messages.ts';
import { stableJson } from './canonical.ts';
import { obstacleToHeld, obstacleToIdle } from './carriage.ts';

/** Which way a request takes to the model, and why. */
export type Route =
  /** The first message of a conversation. `takesSpare`: a spare carries it unaltered. */
  | { path: 'start'; takesSpare: boolean }
  /** The live process takes the turn. */
  | { path: 'continue' }
  /** A new process gets the whole history. */
  | { path: 'replay'; reason: string };

/** What the route depends on, of the process that has reached the lineage of the request's history. */
export type LiveConversation = Pick<ConversationProcess, 'state' | 'toolsKey' | 'betasKey' | 'heldIds' | 'staleness'>;

/**
 * Chooses the way of a request.
 *
 * @param live what has reached the lineage of the request's history
 */
export function chooseRoute(request: MessagesRequest, live: LiveConversation | undefined): Route {
  const newest = request.messages.at(-1);
  if (request.messages.length === 1) {
    return { path: 'start', takesSpare: newest?.role === 'user' && obstacleToIdle(newest) === undefined };
  }
  if (!live) return { path: 'replay', reason: 'no live process holds this history' };
  const obstacle = obstacleTo(live, request);
  return obstacle === undefined ? { path: 'continue' } : { path: 'replay', reason: obstacle };
}

function obstacleTo(live: LiveConversation, request: MessagesRequest): string | undefined {
  const newest = request.messages.at(-1);
  if (newest?.role !== 'user') return 'the newest message is not from the user';
  if (live.staleness) return live.staleness;
  if (live.toolsKey !== stableJson(request.tools)) return 'the tools have changed';
  if (live.betasKey !== stableJson(request.betas)) return 'the betas have changed';
  return live.state === 'held' ? obstacleToHeld(newest, live.heldIds) : obstacleToIdle(newest);
}
