import {
  CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { LibsqlThread } from './libsql-thread.ts';

/** Kysely's SQLite over a thread; what is Kysely's own blocks its caller. */
export class LibsqlDialect implements Dialect {
  constructor(private readonly thread: LibsqlThread) {}

  createDriver(): Driver {
    return new LibsqlDriver(this.thread);
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return new SqliteAdapter();
  }

  // biome-ignore lint/suspicious/noExplicitAny: Kysely's interface.
  createIntrospector(db: Kysely<any>): DatabaseIntrospector {
    return new SqliteIntrospector(db);
  }
}

/** Hands out its one connection to one user at a time, so that no statement of another falls into a transaction. */
class LibsqlDriver implements Driver {
  #free: Promise<unknown> = Promise.resolve();

  constructor(private readonly thread: LibsqlThread) {}

  async init(): Promise<void> {}

  async acquireConnection(): Promise<LibsqlConnection> {
    const connection = new LibsqlConnection(this.thread);
    const before = this.#free;
    this.#free = connection.released;
    await before;
    return connection;
  }

  /** As a writer from the first: one that only becomes a writer later is refused, not delayed, while another writes. */
  async beginTransaction(connection: LibsqlConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  async commitTransaction(connection: LibsqlConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: LibsqlConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  async releaseConnection(connection: LibsqlConnection): Promise<void> {
    connection.release();
  }

  async destroy(): Promise<void> {
    await this.thread.close();
  }
}

class LibsqlConnection implements DatabaseConnection {
  release: () => void = () => undefined;
  readonly released = new Promise<void>((resolve) => {
    this.release = resolve;
  });

  constructor(private readonly thread: LibsqlThread) {}

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const { rows, changes } = await this.thread.run(sql, parameters);
    return { rows: rows as Row[], ...(changes === undefined ? {} : { numAffectedRows: BigInt(changes) }) };
  }

  // biome-ignore lint/correctness/useYield: nothing here streams.
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('The store streams no rows.');
  }
}
