import type { Selectable } from 'kysely';
import type { TurnSteps } from '../spec/agent.ts';
import type { ExpansionRecord } from '../spec/expansion-store.ts';
import type { Database } from './database.ts';
import type { ExpansionsTable } from './schema.ts';
import { sizeOf } from './store-limits.ts';

/** The most lineages that one query names; databases limit the parameters of a statement. */
const LINEAGES_PER_QUERY = 1_000;

/** The most records that one statement deletes, so that a put waits for no more. */
const RECORDS_PER_SWEEP = 200;

/**
 * The records of these lineages, in no order.
 *
 * @param since Unix time in milliseconds; what is older is not found
 */
export async function findRecords(
  database: Database,
  lineages: readonly string[],
  since: number,
): Promise<ExpansionRecord[]> {
  const records: ExpansionRecord[] = [];
  for (let from = 0; from < lineages.length; from += LINEAGES_PER_QUERY) {
    const asked = lineages.slice(from, from + LINEAGES_PER_QUERY);
    const rows = await database
      .selectFrom('expansions')
      .selectAll()
      .where('lineage', 'in', asked)
      .where('at', '>=', since)
      .execute();
    records.push(...rows.map(recordOf));
  }
  return records;
}

/** @param since as above */
export async function findTurn(
  database: Database,
  id: string,
  caller: string,
  since: number,
): Promise<ExpansionRecord | undefined> {
  const row = await database
    .selectFrom('expansions')
    .selectAll()
    .where('turn', '=', id)
    .where('caller', '=', caller)
    .where('at', '>=', since)
    .executeTakeFirst();
  return row && recordOf(row);
}

/**
 * Writes all records or none.
 *
 * @param records each of another lineage or session
 */
export async function writeRecords(database: Database, records: readonly ExpansionRecord[]): Promise<void> {
  await database
    .insertInto('expansions')
    .values(records.map(rowOf))
    .onConflict((conflict) =>
      conflict.columns(['lineage', 'session']).doUpdateSet(({ ref }) => ({
        client_session: ref('excluded.client_session'),
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
}

/**
 * Deletes what is too old or too much, the oldest first, a few at a time.
 *
 * @param since as above
 */
export async function sweep(database: Database, since: number, maxBytes: number): Promise<void> {
  // Each in a transaction: gateways that sweep at a time would delete twice what is too much.
  while (await database.transaction().execute((transaction) => sweepSome(transaction, since, maxBytes)));
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
    turn: record.turn,
    caller: record.caller,
    agent: record.agent,
    at: record.at,
    steps: JSON.stringify(record.steps),
    bytes: sizeOf(record),
    expansion: record.expansion,
  };
}

function recordOf({ client_session, bytes: _, steps, ...row }: Selectable<ExpansionsTable>): ExpansionRecord {
  return {
    ...row,
    ...(client_session === null ? {} : { clientSession: client_session }),
    steps: JSON.parse(steps) as TurnSteps,
  };
}
