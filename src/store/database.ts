import { Kysely, sql } from 'kysely';
import { LibsqlDialect } from './libsql-dialect.ts';
import { LibsqlThread } from './libsql-thread.ts';
import { migrate, type Tables } from './schema.ts';

/** The gateway's database. */
export type Database = Kysely<Tables>;

/** An open database. */
export interface OpenDatabase {
  database: Database;
  /** Whether it can be used no more. */
  hasEnded(): boolean;
  /** Gives the disk what deletes have left free, and leaves nothing of them in other files. */
  reclaim(): Promise<void>;
}

/**
 * Opens the database; makes the file and its folder if they are not there. Several programs may have it open.
 *
 * @throws DatabaseError or Error, whose message says why it cannot be used
 */
export async function openDatabase(file: string): Promise<OpenDatabase> {
  const thread = await LibsqlThread.open(file);
  const database: Database = new Kysely<Tables>({ dialect: new LibsqlDialect(thread) });
  try {
    await migrate(database);
  } catch (error) {
    await database.destroy();
    throw error;
  }
  return {
    database,
    hasEnded: () => thread.hasEnded,
    reclaim: async () => {
      await sql`pragma incremental_vacuum`.execute(database);
      await sql`pragma wal_checkpoint(truncate)`.execute(database);
    },
  };
}
