import type { TurnSteps } from '../spec/agent.ts';
import type { Database, OpenDatabase } from './database.ts';

/** The most conversations that one statement deletes. */
const SESSIONS_PER_DELETE = 20;

/** A conversation with an agent, of which the store has turns. */
export interface StoredSession {
  id: string;
  agent: string;
  turns: number;
  bytes: number;
  /** Unix times of its first and last turn, in milliseconds. */
  firstAt: number;
  lastAt: number;
}

/** A turn of such a conversation, without its content. */
export interface StoredTurn {
  id: string;
  at: number;
  bytes: number;
  steps: TurnSteps;
}

/** All conversations, the one with the newest turn first. */
export async function listSessions(database: Database): Promise<StoredSession[]> {
  const rows = await database
    .selectFrom('expansions')
    .select(({ fn }) => [
      'session as id',
      'agent',
      fn.countAll().as('turns'),
      fn.sum('bytes').as('bytes'),
      fn.min('at').as('firstAt'),
      fn.max('at').as('lastAt'),
    ])
    .groupBy(['session', 'agent'])
    .orderBy('lastAt', 'desc')
    .execute();
  return rows.map(({ id, agent, ...counts }) => ({
    id,
    agent,
    turns: Number(counts.turns),
    bytes: Number(counts.bytes),
    firstAt: Number(counts.firstAt),
    lastAt: Number(counts.lastAt),
  }));
}

/** The turns of a conversation, the oldest first. */
export async function turnsOf(database: Database, session: string): Promise<StoredTurn[]> {
  const rows = await database
    .selectFrom('expansions')
    .select(['turn as id', 'at', 'bytes', 'steps'])
    .where('session', '=', session)
    .orderBy('at')
    .execute();
  return rows.map(({ steps, ...row }) => ({ ...row, steps: JSON.parse(steps) as TurnSteps }));
}

/** Deletes conversations with all their turns, a few at a time, so that a gateway's put waits for no more. */
export async function purge({ database, reclaim }: OpenDatabase, sessions: readonly string[]): Promise<void> {
  for (let from = 0; from < sessions.length; from += SESSIONS_PER_DELETE) {
    const some = sessions.slice(from, from + SESSIONS_PER_DELETE);
    await database.deleteFrom('expansions').where('session', 'in', some).execute();
  }
  reclaim();
}
