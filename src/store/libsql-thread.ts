import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** A statement that failed, or a database that cannot be opened. */
export class DatabaseError extends Error {
  /** @param code SQLite's, such as `SQLITE_FULL` */
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
  }
}

/** What a statement gives. */
export interface StatementResult {
  rows: unknown[];
  /** How many rows it changed; undefined for one that reads. */
  changes?: number;
}

/** A SQLite file on a thread of its own: what takes long there holds nobody up here. */
export class LibsqlThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(result: StatementResult): void; reject(error: DatabaseError): void }>();
  #statements = 0;
  #end: DatabaseError | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', ({ id, error, isEnd, ...result }) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) worker.unref();
      if (error) waiting?.reject(new DatabaseError(error.message, error.code));
      else waiting?.resolve(result);
      if (isEnd) this.#ended(error.message);
    });
    worker.on('error', (error) => this.#ended(error.message));
    worker.on('exit', () => this.#ended('its thread has ended'));
    // A program that waits for nothing here may end.
    worker.unref();
  }

  /**
   * Opens the file; makes it, and its folder, if it is not there.
   *
   * @throws DatabaseError
   */
  static async open(file: string): Promise<LibsqlThread> {
    const worker = new Worker(new URL('./libsql-worker.js', import.meta.url), { workerData: { file } });
    // Without what a thread cannot take, such as a package that is missing, this rejects.
    const [{ error }] = await once(worker, 'message').catch((failure: Error) => [{ error: failure }]);
    if (error) {
      worker.on('error', () => undefined);
      throw new DatabaseError(error.message, error.code ?? 'SQLITE_CANTOPEN');
    }
    return new LibsqlThread(worker);
  }

  /** Whether it runs no more statements. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /**
   * Runs one statement.
   *
   * @throws DatabaseError
   */
  run(sql: string, parameters: readonly unknown[]): Promise<StatementResult> {
    const end = this.#end;
    if (end) return Promise.reject(end);
    this.#statements += 1;
    const id = this.#statements;
    this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, sql, parameters });
    });
  }

  /** Closes the file behind the statements that were given before. */
  async close(): Promise<void> {
    if (this.#end) return;
    const ended = once(this.#worker, 'exit');
    this.#worker.ref();
    this.#worker.postMessage({});
    await ended;
  }

  #ended(why: string): void {
    this.#end ??= new DatabaseError(`The database is closed: ${why}.`, 'SQLITE_MISUSE');
    for (const { reject } of this.#waiting.values()) reject(this.#end);
    this.#waiting.clear();
  }
}
