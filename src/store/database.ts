import { statSync } from 'node:fs';
import { Kysely, SqliteDialect } from 'kysely';
import { LibsqlFile } from './libsql.ts';
import { migrate, type Tables } from './schema.ts';

/** The gateway's database. */
export type Database = Kysely<Tables>;

/** A database in a file. Each query blocks its thread. */
export interface OpenDatabase {
  database: Database;
  /** Whether the file is still in its place. SQLite goes on in one that has been removed, and what it writes there is lost. */
  isInPlace(): boolean;
  /** Gives the disk what deletes have left free. */
  reclaim(): void;
}

/**
 * Opens a database; makes the file and its folder if they are not there. Several programs may have it open.
 *
 * @throws Error whose message says why it cannot be used
 */
export async function openDatabase(file: string): Promise<OpenDatabase> {
  const libsql = new LibsqlFile(file);
  const database: Database = new Kysely<Tables>({ dialect: new SqliteDialect({ database: libsql }) });
  try {
    await migrate(database);
  } catch (error) {
    await database.destroy();
    throw error;
  }
  const inode = inodeOf(file);
  return { database, isInPlace: () => inodeOf(file) === inode, reclaim: () => libsql.reclaim() };
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}
