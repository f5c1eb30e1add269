import type { Engine, Spare } from '../spec/engine.ts';
import type { Place, ProcessBudget } from './budget.ts';
import type { SpawnGate } from './spawn-gate.ts';

/** A spare with its place in the budget; a claim takes both. */
export interface PlacedSpare {
  spare: Spare;
  place: Place;
}

/** The wait after a spare failed to spawn, in milliseconds. */
const RETRY_MS = 5_000;

/** Keeps spares ready for new conversations. Spawns them only while the gate is free: requests go first. */
export class Spares {
  readonly #engine: Engine;
  readonly #wanted: number;
  readonly #budget: ProcessBudget;
  readonly #gate: SpawnGate;
  readonly #ready: PlacedSpare[] = [];
  #spawning = 0;
  #isClosed = false;

  constructor(engine: Engine, wanted: number, budget: ProcessBudget, gate: SpawnGate) {
    this.#engine = engine;
    this.#wanted = wanted;
    this.#budget = budget;
    this.#gate = gate;
  }

  get ready(): readonly Spare[] {
    return this.#ready.map(({ spare }) => spare);
  }

  /** How many are still being spawned. */
  get spawning(): number {
    return this.#spawning;
  }

  take(): PlacedSpare | undefined {
    return this.#ready.shift();
  }

  /** Spawns spares in the background while there is room for them and the gate is free. */
  refill(): void {
    if (this.#isClosed || !this.#gate.isFree) return;
    if (this.#ready.length + this.#spawning >= this.#wanted) return;
    const place = this.#budget.tryReserve();
    if (!place) return;
    this.#spawning += 1;
    void this.#spawn(place).then((hasSpawned) => {
      this.#spawning -= 1;
      if (hasSpawned) this.refill();
      else setTimeout(() => this.refill(), RETRY_MS).unref();
    });
  }

  /** Ends the oldest spare; false if there is none. */
  evict(): boolean {
    const oldest = this.take();
    if (oldest) discard(oldest);
    return oldest !== undefined;
  }

  /** Ends all spares and spawns no more. */
  close(): void {
    this.#isClosed = true;
    while (this.evict());
  }

  async #spawn(place: Place): Promise<boolean> {
    const leaveGate = await this.#gate.enter();
    try {
      const placed = { spare: await this.#engine.spawnSpare(), place };
      if (this.#isClosed) {
        discard(placed);
        return true;
      }
      this.#ready.push(placed);
      // A waiting request may take its place at once: a fresh spare is the cheapest to evict.
      this.#budget.admit();
      void placed.spare.exited.then(() => this.#forget(placed));
      return true;
    } catch {
      place.release();
      return false;
    } finally {
      leaveGate();
    }
  }

  #forget(gone: PlacedSpare): void {
    const at = this.#ready.indexOf(gone);
    if (at < 0) return;
    this.#ready.splice(at, 1);
    gone.place.release();
    this.refill();
  }
}

function discard({ spare, place }: PlacedSpare): void {
  spare.end();
  place.release();
}
