import { setImmediate } from 'node:timers/promises';
import type { Selectable } from 'kysely';
import type { TurnSteps } from '../spec/agent.ts';
import type { ExpansionRecord } from '../spec/expansion-store.ts';
import { type Database, type OpenDatabase, openDatabase } from './database.ts';
import type { ExpansionTable } from './expansion-table.ts';
import type { ExpansionsTable } from './schema.ts';
import { sizeOf } from './store-limits.ts';

/** The most lineages that one query names; databases limit the parameters of a statement. */
const LINEAGES_PER_QUERY = 1_000;

/** The most records that one transaction of a sweep deletes, so that a put waits for no more. */
const RECORDS_PER_SWEEP = 200;

export const FILE_REMOVED = 'The file of the database has been removed.';

/** The expansions in a database of this thread, which each call blocks. */
export class DatabaseTable implements ExpansionTable {
  readonly #database: Database;

  private constructor(private readonly opened: OpenDatabase) {
    this.#database = opened.database;
  }

  /** @throws Error whose message says why the database cannot be used */
  static async open(file: string): Promise<DatabaseTable> {
    return new DatabaseTable(await openDatabase(file));
  }

  async write(records: readonly ExpansionRecord[]): Promise<void> {
    await this.#database
      .insertInto('expansions')
      .values(records.map(rowOf))
      .onConflict((conflict) =>
        conflict.columns(['lineage', 'session']).doUpdateSet(({ ref }) => ({
          client_session: ref('excluded.client_session'),
          signatures: ref('excluded.signatures'),
          turn: ref('excluded.turn'),
          caller: ref('excluded.caller'),
          agent: ref('excluded.agent'),
          at: ref('excluded.at'),
          steps: ref('excluded.steps'),
          expansion: ref('excluded.expansion'),
          bytes: ref('excluded.bytes'),
        })),
      )
      .execute();
    if (this.hasEnded()) throw new Error(FILE_REMOVED);
  }

  async find(lineages: readonly string[], since: number): Promise<ExpansionRecord[]> {
    const records: ExpansionRecord[] = [];
    for (let from = 0; from < lineages.length; from += LINEAGES_PER_QUERY) {
      const rows = await this.#database
        .selectFrom('expansions')
        .selectAll()
        .where('lineage', 'in', lineages.slice(from, from + LINEAGES_PER_QUERY))
        .where('at', '>=', since)
        .execute();
      records.push(...rows.map(recordOf));
    }
    return records;
  }

  async turn(id: string, caller: string, since: number): Promise<ExpansionRecord | undefined> {
    const row = await this.#database
      .selectFrom('expansions')
      .selectAll()
      .where('turn', '=', id)
      .where('caller', '=', caller)
      .where('at', '>=', since)
      .orderBy('at', 'desc')
      .limit(1)
      .executeTakeFirst();
    return row && recordOf(row);
  }

  async sweep(since: number, maxBytes: number): Promise<void> {
    let hasDeleted = false;
    // Each in a transaction: gateways that sweep at a time would delete twice what is too much.
    while (await this.#database.transaction().execute((transaction) => sweepSome(transaction, since, maxBytes))) {
      hasDeleted = true;
      await setImmediate();
    }
    if (hasDeleted) this.opened.reclaim();
  }

  hasEnded(): boolean {
    return !this.opened.isInPlace();
  }

  async close(): Promise<void> {
    await this.#database.destroy();
  }
}

/** @returns whether there may be more */
async function sweepSome(database: Database, since: number, maxBytes: number): Promise<boolean> {
  const sum = await database
    .selectFrom('expansions')
    .select(({ fn }) => fn.sum('bytes').as('bytes'))
    .executeTakeFirst();
  const oldest = await database
    .selectFrom('expansions')
    .select(['at', 'bytes'])
    .orderBy('at')
    .limit(RECORDS_PER_SWEEP)
    .execute();
  let excess = Number(sum?.bytes ?? 0) - maxBytes;
  let last: number | undefined;
  for (const { at, bytes } of oldest) {
    if (at >= since && excess <= 0) break;
    excess -= bytes;
    last = at;
  }
  if (last === undefined) return false;
  await database.deleteFrom('expansions').where('at', '<=', last).execute();
  return true;
}

function rowOf(record: ExpansionRecord): ExpansionsTable {
  return {
    lineage: record.lineage,
    session: record.session,
    client_session: record.clientSession ?? null,
    signatures: record.signatures ?? null,
    turn: record.turn,
    caller: record.caller,
    agent: record.agent,
    at: record.at,
    steps: JSON.stringify(record.steps),
    bytes: sizeOf(record),
    expansion: record.expansion,
  };
}

function recordOf({
  client_session,
  signatures,
  bytes: _,
  steps,
  expansion,
  ...row
}: Selectable<ExpansionsTable>): ExpansionRecord {
  return {
    ...row,
    ...(client_session === null ? {} : { clientSession: client_session }),
    ...(signatures === null ? {} : { signatures }),
    steps: JSON.parse(steps) as TurnSteps,
    // libsql gives a buffer.
    expansion: new Uint8Array(expansion),
  };
}
