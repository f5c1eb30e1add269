import { existsSync } from 'node:fs';
import { similar } from '../config/similar.ts';
import { stateFolder } from '../config/state-folder.ts';
import type { AgentStep } from '../spec/agent.ts';
import { type OpenDatabase, openDatabase } from '../store/database.ts';
import { databaseFile } from '../store/database-file.ts';
import { listSessions, purge, type StoredSession, type StoredTurn, turnsOf } from '../store/stored-sessions.ts';
import { escapeUnseen } from '../telemetry/escape-unseen.ts';
import type { RunCommand } from './command.ts';
import { CommandError } from './command-error.ts';
import { print } from './print.ts';
import { table } from './text-table.ts';

const COMMANDS = ['list', 'show', 'purge'] as const;

const HOW = 'isthmus sessions list, show ID, or purge ID | --all | --older-than DAYS';

/** The least length of a shortened id. */
const SHORT = 8;

const DAY_MS = 24 * 60 * 60_000;

/** `isthmus sessions`: what is kept of conversations with agents. It prints nothing that a message says. */
export const run: RunCommand = async ({ words: [command, ...ids], flags, environment }) => {
  const olderThan = flags['older-than'];
  const isAll = 'all' in flags;
  if (command !== 'purge' && (olderThan !== undefined || isAll)) {
    throw new CommandError('--all and --older-than belong to `isthmus sessions purge`.');
  }
  const [id] = ids;
  switch (command) {
    case 'list':
      if (id !== undefined) throw new CommandError('`isthmus sessions list` takes no id; `show ID` shows one session.');
      return await withStore(environment, async (store, all) => {
        print(store ? listed(all) : [`There are no sessions yet: a gateway keeps them once an agent has answered.`]);
      });
    case 'show':
      if (id === undefined || ids.length > 1) throw new CommandError('Which session? isthmus sessions show ID.');
      return await withStore(environment, async (store, all) => {
        const session = theOne(all, id);
        if (store) print(shown(session, await turnsOf(store.database, session.id)));
      });
    case 'purge': {
      const ways = [ids.length === 1, isAll, olderThan !== undefined].filter(Boolean);
      if (ids.length > 1 || ways.length !== 1) {
        throw new CommandError('What should go? isthmus sessions purge ID, or --all, or --older-than DAYS.');
      }
      const before = Date.now() - days(olderThan ?? '0') * DAY_MS;
      return await withStore(environment, async (store, all) => {
        const chosen = id !== undefined ? [theOne(all, id)] : all.filter(({ lastAt }) => lastAt < before || isAll);
        if (store)
          await purge(
            store,
            chosen.map((session) => session.id),
          );
        print([`Removed ${counted(chosen.length, 'session')}.`]);
      });
    }
    default: {
      const meant = command && similar(command, COMMANDS);
      throw new CommandError(
        command === undefined
          ? `What about sessions? ${HOW}.`
          : `There is no command sessions ${JSON.stringify(command)}. ${meant ? `Did you mean ${meant}?` : `There is: ${HOW}.`}`,
      );
    }
  }
};

/** @param use gets no store if there is none yet */
async function withStore(
  environment: NodeJS.ProcessEnv,
  use: (store: OpenDatabase | undefined, all: StoredSession[]) => Promise<void>,
): Promise<void> {
  const folder = stateFolder(environment);
  if (folder === undefined)
    throw new CommandError('Neither HOME nor XDG_STATE_HOME is set, so there is no place for a store.');
  const file = databaseFile(folder);
  if (!existsSync(file)) return await use(undefined, []);
  let store: OpenDatabase | undefined;
  try {
    store = await openDatabase(file);
    await use(store, await listSessions(store.database));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(
      `The store ${file} cannot be used: ${error instanceof Error ? error.message : String(error)}.`,
    );
  } finally {
    await store?.database.destroy();
  }
}

function days(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0))
    throw new CommandError(`--older-than must be a number of days (it is ${JSON.stringify(text)}).`);
  return value;
}

function theOne(all: readonly StoredSession[], start: string): StoredSession {
  const [found, another] = all.filter(({ id }) => id.startsWith(start));
  if (!found) throw new CommandError(`There is no session ${JSON.stringify(start)}; see isthmus sessions list.`);
  if (another && found.id !== start)
    throw new CommandError(`Several sessions begin with ${JSON.stringify(start)}: give more of the id.`);
  return found;
}

function listed(all: readonly StoredSession[]): string[] {
  if (all.length === 0) return ['There are no sessions.'];
  const short = shortestLength(all.map(({ id }) => id));
  const rows = all.map(({ id, agent, turns, bytes, firstAt, lastAt }) => [
    id.slice(0, short),
    agent,
    String(turns),
    size(bytes),
    time(firstAt),
    time(lastAt),
  ]);
  return table([['session', 'agent', 'turns', 'size', 'first turn', 'last turn'], ...rows]);
}

function shown({ id, agent, bytes }: StoredSession, turns: readonly StoredTurn[]): string[] {
  const lines = [`Session ${id} of the agent ${agent}: ${counted(turns.length, 'turn')}, ${size(bytes)}`];
  for (const { id: turn, at, steps } of turns) {
    lines.push('', `${time(at)}  ${turn}`);
    lines.push(...table(steps.steps.map(stepRow)).map((line) => `  ${line}`));
    if (steps.changedFiles.length > 0) lines.push(`  changed: ${steps.changedFiles.join(', ')}`);
  }
  return lines.map(escapeUnseen);
}

function stepRow({ tool, about, isError, subagent }: AgentStep): string[] {
  return [tool, [about, isError && '(failed)', subagent && `(by ${subagent})`].filter(Boolean).join(' ')];
}

/** How many characters tell all of these ids apart. */
function shortestLength(ids: readonly string[]): number {
  let length = SHORT;
  while (new Set(ids.map((id) => id.slice(0, length))).size < new Set(ids).size) length += 1;
  return length;
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

function size(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

/** In the time zone of who reads it, to the minute. */
function time(at: number): string {
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16).replace('T', ' ');
}
