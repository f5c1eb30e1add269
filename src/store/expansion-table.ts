import type { ExpansionRecord } from '../spec/expansion-store.ts';

/** The expansions in a database. */
export interface ExpansionTable {
  /**
   * Writes all records or none; each replaces that of its lineage and session.
   *
   * @param records each of another lineage or session
   */
  write(records: readonly ExpansionRecord[]): Promise<void>;

  /**
   * The records of these lineages, in no order.
   *
   * @param since Unix time in milliseconds; what is older is not found
   */
  find(lineages: readonly string[], since: number): Promise<ExpansionRecord[]>;

  /** A turn of this caller, unless it is older. */
  turn(id: string, caller: string, since: number): Promise<ExpansionRecord | undefined>;

  /** Deletes what is older or too much, the oldest first. */
  sweep(since: number, maxBytes: number): Promise<void>;

  /** Whether it can be used no more. */
  hasEnded(): boolean;

  close(): Promise<void>;
}
