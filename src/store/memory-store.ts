import type { ExpansionRecord, ExpansionStore } from '../spec/expansion-store.ts';
import { type StoreLimits, sizeOf } from './store-limits.ts';

/** A store that ends with the program, and leaves nothing on the disk. */
export class MemoryStore implements ExpansionStore {
  /** By lineage, then by session. */
  readonly #byLineage = new Map<string, Map<string, ExpansionRecord>>();
  /** In the order in which they were put, each with its size. */
  readonly #sizes = new Map<ExpansionRecord, number>();
  #bytes = 0;

  constructor(private readonly limits: StoreLimits) {}

  async find(lineages: readonly string[]): Promise<Map<string, ExpansionRecord[]>> {
    this.#dropTooOld();
    const found = new Map<string, ExpansionRecord[]>();
    for (const lineage of lineages) {
      const records = this.#byLineage.get(lineage);
      if (records) found.set(lineage, [...records.values()].sort(newestFirst));
    }
    return found;
  }

  async put(record: ExpansionRecord): Promise<false> {
    const size = sizeOf(record);
    if (size > this.limits.maxBytes) return false;
    this.drop([record]);
    this.#sizes.set(record, size);
    this.#bytes += size;
    const ofLineage = this.#byLineage.get(record.lineage) ?? new Map<string, ExpansionRecord>();
    this.#byLineage.set(record.lineage, ofLineage.set(record.session, record));
    this.#dropTooOld();
    for (const oldest of this.#sizes.keys()) {
      if (this.#bytes <= this.limits.maxBytes) break;
      this.#remove(oldest);
    }
    return false;
  }

  async turn(id: string, caller: string): Promise<ExpansionRecord | undefined> {
    this.#dropTooOld();
    return [...this.#sizes.keys()]
      .filter((record) => record.turn === id && record.caller === caller)
      .sort(newestFirst)[0];
  }

  async close(): Promise<void> {
    this.#byLineage.clear();
    this.#sizes.clear();
    this.#bytes = 0;
  }

  /** All of them, in the order in which they were put. */
  records(): ExpansionRecord[] {
    return [...this.#sizes.keys()];
  }

  /** Forgets what has the lineages and sessions of these records. */
  drop(records: readonly ExpansionRecord[]): void {
    for (const { lineage, session } of records) {
      const known = this.#byLineage.get(lineage)?.get(session);
      if (known) this.#remove(known);
    }
  }

  #dropTooOld(): void {
    const oldest = Date.now() - this.limits.maxAgeMs;
    for (const record of this.#sizes.keys()) if (record.at < oldest) this.#remove(record);
  }

  #remove(record: ExpansionRecord): void {
    this.#bytes -= this.#sizes.get(record) ?? 0;
    this.#sizes.delete(record);
    const ofLineage = this.#byLineage.get(record.lineage);
    ofLineage?.delete(record.session);
    if (ofLineage?.size === 0) this.#byLineage.delete(record.lineage);
  }
}

export function newestFirst(one: ExpansionRecord, other: ExpansionRecord): number {
  return other.at - one.at;
}
