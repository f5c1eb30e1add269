import type { Database, OpenDatabase } from './database.ts';

/** How long after an attempt to open a database it is not tried again, in milliseconds. */
const REOPEN_MS = 10_000;

/** A database that is opened when it is first asked for, and anew after it could not be opened or has ended. */
export class LastingDatabase {
  #opened: Promise<OpenDatabase> | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;
  #isOfNoUse = () => true;

  constructor(private readonly open: () => Promise<OpenDatabase>) {}

  /** @throws what opening it threw */
  async get(): Promise<Database> {
    const now = performance.now();
    if (this.#isOfNoUse() && now - this.#triedAt > REOPEN_MS) {
      this.#triedAt = now;
      this.#isOfNoUse = () => false;
      this.#opened = this.open();
      this.#opened.then(
        ({ hasEnded }) => (this.#isOfNoUse = hasEnded),
        () => (this.#isOfNoUse = () => true),
      );
    }
    const opened = await this.#opened;
    if (!opened) throw new Error('The database is closed.');
    return opened.database;
  }

  /** Ends it for good, behind what it has been asked before. */
  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    this.#isOfNoUse = () => false;
    await opened?.then(({ database }) => database.destroy()).catch(() => undefined);
  }
}
