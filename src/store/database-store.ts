import type { ExpansionRecord, ExpansionStore } from '../spec/expansion-store.ts';
import type { ExpansionTable } from './expansion-table.ts';
import { LastingTable } from './lasting-table.ts';
import { MemoryStore, newestFirst } from './memory-store.ts';
import { type StoreLimits, sizeOf } from './store-limits.ts';

export interface DatabaseStoreOptions {
  /** Opens the table; tried again later when it rejects. */
  open: () => Promise<ExpansionTable>;
  limits: StoreLimits;
  /** How much of what the database does not take is kept in memory. */
  memoryBytes: number;
  /**
   * Hears once that the database does not work, and why, and once that it works again; not of each failed put.
   *
   * @param problem undefined when it works again
   */
  onChange: (problem: string | undefined) => void;
}

/** The most that one transaction takes. */
const BATCH = { records: 100, bytes: 8 * 1024 * 1024 };

/** How often the limits are enforced, in milliseconds; also whenever a tenth of the limit of size has been written. */
const SWEEP_MS = 10 * 60_000;

interface Waiting {
  record: ExpansionRecord;
  resolve: (outlives: boolean) => void;
}

/**
 * A store in a database. Puts that come while others are written go into one transaction together. What the database does not
 * take is kept in memory, and written when the database works again.
 */
export class DatabaseStore implements ExpansionStore {
  readonly #options: DatabaseStoreOptions;
  readonly #table: LastingTable;
  /** What the database has not taken. */
  readonly #memory: MemoryStore;
  readonly #sweeping: NodeJS.Timeout;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #bytesSinceSweep = 0;
  #problem: string | undefined;

  constructor(options: DatabaseStoreOptions) {
    this.#options = options;
    this.#table = new LastingTable(options.open, () => void this.sweep());
    this.#memory = new MemoryStore({ ...options.limits, maxBytes: options.memoryBytes });
    this.#sweeping = setInterval(() => void this.sweep(), SWEEP_MS).unref();
  }

  async find(lineages: readonly string[]): Promise<ReadonlyMap<string, readonly ExpansionRecord[]>> {
    const kept = await this.#memory.find(lineages);
    const stored = await this.#table
      .get()
      .then((table) => table.find(lineages, this.#since()))
      .catch(() => []);
    // What memory keeps came later.
    const isReplaced = ({ lineage, session }: ExpansionRecord) =>
      kept.get(lineage)?.some((record) => record.session === session);
    for (const record of stored) {
      if (isReplaced(record)) continue;
      const ofLineage = kept.get(record.lineage) ?? [];
      kept.set(record.lineage, ofLineage);
      ofLineage.push(record);
    }
    for (const records of kept.values()) records.sort(newestFirst);
    return kept;
  }

  async put(record: ExpansionRecord): Promise<boolean> {
    if (sizeOf(record) > this.#options.limits.maxBytes) return false;
    return await new Promise((resolve) => {
      this.#waiting.push({ record, resolve });
      this.#writing ??= this.#writeAll();
    });
  }

  async turn(id: string, caller: string): Promise<ExpansionRecord | undefined> {
    return (
      (await this.#memory.turn(id, caller)) ??
      (await this.#table
        .get()
        .then((table) => table.turn(id, caller, this.#since()))
        .catch(() => undefined))
    );
  }

  /** Deletes what is beyond the limits; it does so by itself now and then. What it cannot delete now, it deletes later. */
  async sweep(): Promise<void> {
    this.#bytesSinceSweep = 0;
    await this.#table
      .get()
      .then((table) => table.sweep(this.#since(), this.#options.limits.maxBytes))
      .catch(() => undefined);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    await this.#writing;
    await this.#table.close();
  }

  async #writeAll(): Promise<void> {
    for (;;) {
      const batch = this.#nextBatch();
      // What memory keeps, when nobody waits for anything else.
      const kept = this.#problem === undefined ? this.#memory.records().slice(0, BATCH.records) : [];
      if (batch.length > 0) await this.#writeBatch(batch);
      else if (kept.length > 0) await this.#tryToWrite(kept);
      else break;
    }
    this.#writing = undefined;
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    const newest = new Map(batch.map(({ record }) => [JSON.stringify([record.lineage, record.session]), record]));
    const isWritten = await this.#tryToWrite([...newest.values()]);
    for (const { record, resolve } of batch) {
      if (!isWritten) await this.#memory.put(record);
      resolve(isWritten);
    }
  }

  #nextBatch(): Waiting[] {
    let bytes = 0;
    const end = this.#waiting.findIndex(({ record }, at) => {
      bytes += sizeOf(record);
      return at > 0 && (at >= BATCH.records || bytes > BATCH.bytes);
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  async #tryToWrite(records: readonly ExpansionRecord[]): Promise<boolean> {
    try {
      const table = await this.#table.get();
      await table.write(records);
    } catch (error) {
      this.#changed(error instanceof Error ? error.message : String(error));
      return false;
    }
    this.#changed(undefined);
    this.#memory.drop(records);
    for (const record of records) this.#bytesSinceSweep += sizeOf(record);
    if (this.#bytesSinceSweep > this.#options.limits.maxBytes / 10) void this.sweep();
    return true;
  }

  #changed(problem: string | undefined): void {
    if ((problem === undefined) !== (this.#problem === undefined)) this.#options.onChange(problem);
    this.#problem = problem;
  }

  /** When the oldest record may have come. */
  #since(): number {
    return Date.now() - this.#options.limits.maxAgeMs;
  }
}
