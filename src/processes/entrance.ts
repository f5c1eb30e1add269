import type { Place, ProcessBudget } from './budget.ts';
import type { Purpose } from './purpose.ts';
import type { ServedTurn, SpawnMarks, UseInstead } from './seeker.ts';
import type { SpawnGate } from './spawn-gate.ts';

/** Room for a new process. */
export interface Room {
  place: Place;
  leaveGate: () => void;
}

/** What a turn that needs a process gets: room for a new one, or one that was used before. */
export type Entry = Room | { instead: Promise<ServedTurn | undefined> | undefined };

/** Where turns wait for a new process: for a place in the budget, then at the gate, or until a used process is there instead. */
export class Entrance {
  readonly #budget: ProcessBudget;
  readonly #gate: SpawnGate;
  /** Turns at the gate that may take a used process meanwhile; each tells whether it did. */
  readonly #atGate = new Set<() => boolean>();

  constructor(budget: ProcessBudget, gate: SpawnGate) {
    this.#budget = budget;
    this.#gate = gate;
  }

  /** @throws FailureError `overloaded`, `client_gone` or `shutting_down`, see {@link ProcessBudget.reserve} */
  async enter(purpose: Purpose, signal: AbortSignal, marks: SpawnMarks, useInstead?: UseInstead): Promise<Entry> {
    const taken = new AbortController();
    const used: { turn?: Promise<ServedTurn | undefined> | undefined } = {};
    const use = (isFull: boolean) => {
      if (!signal.aborted) used.turn ??= useInstead?.(isFull);
      if (used.turn) taken.abort();
      return used.turn !== undefined;
    };
    marks.queued = performance.now();
    const place = await this.#budget.reserve(signal, purpose, () => use(true));
    marks.admitted = performance.now();
    if (!place) return { instead: used.turn };
    const useAtGate = () => use(false);
    this.#atGate.add(useAtGate);
    try {
      const leaveGate = await this.#gate.enter(AbortSignal.any([signal, taken.signal]), purpose);
      if (!used.turn) return { place, leaveGate };
      leaveGate();
    } catch (error) {
      if (!used.turn) {
        place.release();
        throw error;
      }
    } finally {
      this.#atGate.delete(useAtGate);
    }
    place.release();
    return { instead: used.turn };
  }

  /** A process has answered and waits: who waits here may take it, or have it evicted. Those in the queue go first. */
  offer(): void {
    if (this.#budget.waiting > 0) this.#budget.admit();
    else for (const use of this.#atGate) if (use()) return;
  }
}
