import type { Expansion, TurnSteps } from './agent.ts';

/** The hidden steps of one answer, with what finds them again. */
export interface ExpansionRecord {
  /** The id of the turn's request: the gateway's, or the client's own, which it may use again. */
  turn: string;
  /** The lineage up to and including the visible answer. It holds the caller and the agent. */
  lineage: string;
  /** The gateway's id of the conversation: tells conversations apart that look alike. */
  session: string;
  /** The client's own id of the conversation, if it sends one. */
  clientSession?: string;
  /** A digest of the signatures in the answer's thinking, if it has any: they come back with it. */
  signatures?: string;
  /** The caller's id. */
  caller: string;
  agent: string;
  /** Unix time in milliseconds. */
  at: number;
  steps: TurnSteps;
  expansion: Expansion;
}

/** Keeps the hidden steps of answers, within limits of age and size. The oldest go first. */
export interface ExpansionStore {
  /** Those of each lineage, the newest first; a lineage without any is absent. A problem of the store finds nothing. */
  find(lineages: readonly string[]): Promise<ReadonlyMap<string, readonly ExpansionRecord[]>>;

  /**
   * Keeps a record. A second one of the same lineage and session replaces the first.
   *
   * @returns whether it outlives the program; false, for example, when the disk is full. Never throws.
   */
  put(record: ExpansionRecord): Promise<boolean>;

  /** The steps of a turn of this caller; of several with one id the newest. */
  turn(id: string, caller: string): Promise<ExpansionRecord | undefined>;

  /** Writes what waits, and lets the database go. */
  close(): Promise<void>;
}
