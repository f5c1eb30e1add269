import type { Kysely, Transaction } from 'kysely';

/** The tables of the gateway's database. */
export interface Tables {
  expansions: ExpansionsTable;
  schema_version: { version: number };
}

/** The hidden steps of answers. No column but `expansion` holds what a message says. SQLite has no booleans. */
export interface ExpansionsTable {
  lineage: string;
  session: string;
  client_session: string | null;
  signatures: string | null;
  turn: string;
  caller: string;
  agent: string;
  /** Unix time in milliseconds. */
  at: number;
  /** `TurnSteps` as JSON. */
  steps: string;
  expansion: Uint8Array;
  /** What the record counts against the limit of size. */
  bytes: number;
}

/** Each makes the next version of the tables from the one before. What has been released is never changed, only followed. */
const MIGRATIONS: ReadonlyArray<(db: Transaction<Tables>) => Promise<void>> = [
  async (db) => {
    await db.schema
      .createTable('expansions')
      .addColumn('lineage', 'text', (column) => column.notNull())
      .addColumn('session', 'text', (column) => column.notNull())
      .addColumn('client_session', 'text')
      .addColumn('signatures', 'text')
      .addColumn('turn', 'text', (column) => column.notNull())
      .addColumn('caller', 'text', (column) => column.notNull())
      .addColumn('agent', 'text', (column) => column.notNull())
      .addColumn('at', 'integer', (column) => column.notNull())
      .addColumn('steps', 'text', (column) => column.notNull())
      .addColumn('bytes', 'integer', (column) => column.notNull())
      // Last: SQLite reads the columns before it without its pages.
      .addColumn('expansion', 'blob', (column) => column.notNull())
      .addPrimaryKeyConstraint('expansions_key', ['lineage', 'session'])
      .execute();
    await db.schema.createIndex('expansions_by_turn').on('expansions').column('turn').execute();
    await db.schema.createIndex('expansions_by_age').on('expansions').columns(['at', 'bytes']).execute();
    await db.schema
      .createIndex('expansions_by_session')
      .on('expansions')
      .columns(['session', 'agent', 'at', 'bytes'])
      .execute();
  },
];

/**
 * Brings the tables to the version of this program. Safe while other gateways do the same, and when it is killed.
 *
 * @throws Error for tables that a newer program has made
 */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  // Read first: a reader need not wait, nor be able to write.
  const found = await versionOf(db).catch(() => 0);
  if (found === MIGRATIONS.length) return;
  await db.transaction().execute(async (transaction) => {
    await transaction.schema
      .createTable('schema_version')
      .ifNotExists()
      .addColumn('version', 'integer', (column) => column.primaryKey())
      .execute();
    const before = await versionOf(transaction);
    if (before > MIGRATIONS.length) throw new Error('It was made by a newer version of Isthmus.');
    for (const [at, step] of MIGRATIONS.entries()) {
      if (at < before) continue;
      await step(transaction);
      await transaction
        .insertInto('schema_version')
        .values({ version: at + 1 })
        .execute();
    }
  });
}

async function versionOf(db: Kysely<Tables>): Promise<number> {
  const newest = await db
    .selectFrom('schema_version')
    .select(({ fn }) => fn.max('version').as('version'))
    .executeTakeFirst();
  return newest?.version ?? 0;
}
