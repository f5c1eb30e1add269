import { NEW_PROCESS_BYTES } from './budget.ts';

/** What can say how much memory it holds. */
export interface Measurable {
  measureMemory(): Promise<number | undefined>;
}

/** What the living processes hold, as last measured. */
export class MemoryGauge {
  readonly #bytes = new WeakMap<Measurable, number>();

  /** Measures one after another; what cannot be measured keeps its last figure. */
  async measure(living: readonly Measurable[]): Promise<void> {
    for (const process of living) {
      const bytes = await process.measureMemory();
      if (bytes !== undefined) this.#bytes.set(process, bytes);
    }
  }

  /** @param places given in the budget; some are given before their processes start */
  total(living: readonly Measurable[], places: number): number {
    const promised = Math.max(0, places - living.length) * NEW_PROCESS_BYTES;
    return living.reduce((sum, process) => sum + (this.#bytes.get(process) ?? NEW_PROCESS_BYTES), promised);
  }
}
