import type { ProcessState } from '../spec/engine.ts';
import { NEW_PROCESS_BYTES } from './budget.ts';

/** Something that can measure its memory. */
export interface Measurable {
  /** Absent for what has no conversation. */
  readonly state?: ProcessState;
  measureMemory(): Promise<number | undefined>;
}

/** A process has grown too much when it holds more than this many times the memory that it held when it first waited. */
const MOST_GROWTH = 4 / 3;

/** The memory of the living processes, as last measured. */
export class MemoryGauge {
  readonly #bytes = new WeakMap<Measurable, number>();
  /** The bytes of each process when it first waited. Before, while it still comes up, it holds far less. */
  readonly #first = new WeakMap<Measurable, number>();

  /** Measures one process after another. If one cannot be measured, its last figure stays. */
  async measure(living: readonly Measurable[]): Promise<void> {
    for (const process of living) {
      const waits = process.state !== 'streaming';
      const bytes = await process.measureMemory();
      if (bytes === undefined) continue;
      this.#bytes.set(process, bytes);
      if (waits && !this.#first.has(process)) this.#first.set(process, bytes);
    }
  }

  /** Whether a process holds a third more than when it first waited. */
  hasGrown(process: Measurable): boolean {
    const first = this.#first.get(process);
    return first !== undefined && (this.#bytes.get(process) ?? 0) > first * MOST_GROWTH;
  }

  /** @param places taken in the budget; some are taken before their processes are spawned */
  total(living: readonly Measurable[], places: number): number {
    const promised = Math.max(0, places - living.length) * NEW_PROCESS_BYTES;
    return living.reduce((sum, process) => sum + (this.#bytes.get(process) ?? NEW_PROCESS_BYTES), promised);
  }
}
