import type { ConversationProcess } from '../spec/engine.ts';
import type { MessagesRequest } from '../spec/messages.ts';
import { stableJson } from './canonical.ts';
import { obstacleToHeld, obstacleToIdle } from './carriage.ts';

/** Which way a request takes to the model, and why. */
export type Route =
  /** A first message. `takesSpare`: a process that has no history yet carries it unaltered. */
  | { path: 'start'; takesSpare: boolean }
  /** The live process goes on. */
  | { path: 'continue' }
  /** A new process gets the whole history. */
  | { path: 'replay'; reason: string };

/** What a route is chosen by, of the process that stands where the request's history ends. */
export type LiveConversation = Pick<ConversationProcess, 'state' | 'toolsKey' | 'betasKey' | 'heldIds'>;

/** @param live what stands at the lineage of the request's history */
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
  if (live.toolsKey !== stableJson(request.tools)) return 'the tools have changed';
  if (live.betasKey !== stableJson(request.betas)) return 'the betas have changed';
  return live.state === 'held' ? obstacleToHeld(newest, live.heldIds) : obstacleToIdle(newest);
}
