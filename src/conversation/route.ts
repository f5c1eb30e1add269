import type { ConversationProcess } from '../spec/engine.ts';
import type { MessagesRequest } from '../spec/messages.ts';
import { stableJson } from './canonical.ts';
import { NOT_FROM_USER, obstacleToHeld, obstacleToIdle, obstacleToLoad } from './carriage.ts';

/** Which way a request takes to the model, if no process takes it by a load; and why. */
export type Route =
  /** The first message of a conversation. */
  | { path: 'start' }
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
  if (request.messages.length === 1) return { path: 'start' };
  if (!live) return { path: 'replay', reason: 'no live process holds this history' };
  const obstacle = obstacleTo(live, request);
  return obstacle === undefined ? { path: 'continue' } : { path: 'replay', reason: obstacle };
}

/** What a process must have to go on with a request: the client's tools, or the agents that it brings for an agent. */
export function toolsKeyOf({ tools, agent }: Pick<MessagesRequest, 'tools' | 'agent'>): string {
  return stableJson(agent ? (agent.subagents ?? {}) : tools);
}

function obstacleTo(live: LiveConversation, request: MessagesRequest): string | undefined {
  const newest = request.messages.at(-1);
  if (newest?.role !== 'user') return NOT_FROM_USER;
  if (live.staleness) return live.staleness;
  if (live.toolsKey !== toolsKeyOf(request)) return 'the tools have changed';
  if (live.betasKey !== stableJson(request.betas)) return 'the betas have changed';
  return live.state === 'held' ? obstacleToHeld(newest, live.heldIds) : obstacleToIdle(newest);
}

/** What a load depends on, of a process that waits. */
export type LoadableProcess = Pick<ConversationProcess, 'state' | 'reuseKey' | 'staleness' | 'messagesToLoad'>;

/**
 * How many messages a load of this request would write into a process; undefined if the process cannot take it unaltered.
 *
 * @param key that of the request
 * @param shared how many of the messages before the newest the process holds
 */
export function loadInto(
  process: LoadableProcess,
  { request, key, shared }: { request: MessagesRequest; key: string; shared: number },
): number | undefined {
  if (process.state !== 'idle' && process.state !== 'held') return undefined;
  if (process.reuseKey !== key || process.staleness) return undefined;
  const toLoad = process.messagesToLoad(request, shared);
  return obstacleToLoad(request.messages, toLoad) === undefined ? toLoad : undefined;
}
