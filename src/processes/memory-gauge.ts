import { NEW_PROCESS_BYTES } from './budget.ts';

/** Something that can measure its memory. */
export interface Measurable {
  measureMemory(): Promise<number | undefined>;
}

/** The memory of the living processes, as last measured. */
export class MemoryGauge {
  readonly #bytes = new WeakMap<Measurable, number>();

  /** Measures one process after another. If one cannot be measured, its last figure stays. */
  async measure(living: readonly Measurable[]): Promise<void> {
    for (const process of living) {
      const bytes = await process.measureMemory();
      if (bytes !== undefined) this.#bytes.set(process, bytes);
    }
  }

  /** @param places taken in the budget; some are taken before their processes are spawned */
  total(living: readonly Measurable[], places: number): number {
    const promised = Math.max(0, places - living.length) * NEW_PROCESS_BYTES;
    return living.reduce((sum, process) => sum + (this.#bytes.get(process) ?? NEW_PROCESS_BYTES), promised);
  }
}
