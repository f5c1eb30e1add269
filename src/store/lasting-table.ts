import type { ExpansionTable } from './expansion-table.ts';

/** How long after an attempt to open a table it is not tried again, in milliseconds. */
const REOPEN_MS = 10_000;

/** A table that is opened when it is first asked for, and anew after it could not be opened or has ended. */
export class LastingTable {
  #opened: Promise<ExpansionTable> | undefined;
  #triedAt = 0;
  #isOfNoUse = () => false;
  #isClosed = false;

  /** @param onOpen is called each time that it has been opened */
  constructor(
    private readonly open: () => Promise<ExpansionTable>,
    private readonly onOpen: () => void,
  ) {}

  /** @throws what opening it threw */
  async get(): Promise<ExpansionTable> {
    if (this.#isClosed) throw new Error('The database is closed.');
    const isDue = performance.now() - this.#triedAt > REOPEN_MS;
    if (!this.#opened || (this.#isOfNoUse() && isDue)) this.#opened = this.#tryToOpen();
    return await this.#opened;
  }

  async #tryToOpen(): Promise<ExpansionTable> {
    this.#triedAt = performance.now();
    this.#isOfNoUse = () => false;
    try {
      const table = await this.open();
      this.#isOfNoUse = () => table.hasEnded();
      // Behind the caller's own use of it.
      setImmediate(this.onOpen);
      return table;
    } catch (error) {
      this.#isOfNoUse = () => true;
      throw error;
    }
  }

  /** Ends it for good, behind what it has been asked before. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#opened?.then((table) => table.close()).catch(() => undefined);
  }
}
