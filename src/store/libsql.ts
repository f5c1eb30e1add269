import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SqliteDatabase, SqliteStatement } from 'kysely';
import Libsql from 'libsql';

/** How long a statement waits for another program that writes the file, in milliseconds. */
const BUSY_MS = 5_000;

/** A SQLite file as Kysely's SQLite takes it. Each statement blocks its thread. */
export class LibsqlFile implements SqliteDatabase {
  readonly #database: Libsql.Database;

  /**
   * Makes the file and its folder if they are not there.
   *
   * @throws Error of libsql, with SQLite's words
   */
  constructor(file: string) {
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      // SQLite would let others read it; the files that it adds get the rights of this one.
      closeSync(openSync(file, 'a', 0o600));
    } catch {
      // What cannot be written may be read; if not, SQLite says why.
    }
    this.#database = new Libsql(file);
    for (const pragma of [
      `busy_timeout = ${BUSY_MS}`,
      // Only before there is a table.
      'auto_vacuum = incremental',
      'journal_mode = wal',
      'synchronous = full',
      'secure_delete = on',
    ]) {
      this.#database.prepare(`pragma ${pragma}`).all();
    }
  }

  prepare(sql: string): SqliteStatement {
    // As a writer from the first: one that becomes a writer later is refused, not delayed, while another writes.
    const statement = this.#database.prepare(sql === 'begin' ? 'begin immediate' : sql);
    return {
      reader: statement.reader,
      all: (parameters) => statement.all(checked(parameters)),
      run: (parameters) => statement.run(checked(parameters)),
      iterate: (parameters) => statement.iterate(checked(parameters)),
    };
  }

  /** Gives the disk what deletes have left free, and leaves nothing of them in the files beside it. */
  reclaim(): void {
    this.#database.exec('pragma incremental_vacuum');
    this.#database.exec('pragma wal_checkpoint(truncate)');
  }

  close(): void {
    this.#database.close();
  }
}

/** libsql ends the whole program for a boolean. */
function checked(parameters: readonly unknown[]): readonly unknown[] {
  if (parameters.some((parameter) => typeof parameter === 'boolean')) throw new TypeError('SQLite has no booleans.');
  return parameters;
}
