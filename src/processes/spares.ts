import type { Engine, Spare } from '../spec/engine.ts';
import { type Failure, failed, failure, failureOf } from '../spec/failures.ts';
import type { ProcessEnd } from '../spec/process-end.ts';
import type { Place, ProcessBudget } from './budget.ts';
import { SOUND_MS, type SpareHealth } from './spare-health.ts';
import type { SpawnGate } from './spawn-gate.ts';

/** A spare with its place in the budget; a claim takes both. */
export interface PlacedSpare {
  spare: Spare;
  place: Place;
}

/** Keeps spares ready for new conversations. Spawns them only while the gate is free: requests go first. */
export class Spares {
  readonly #engine: Engine;
  readonly #wanted: number;
  readonly #budget: ProcessBudget;
  readonly #gate: SpawnGate;
  readonly #health: SpareHealth;
  readonly #ready: PlacedSpare[] = [];
  #spawning = 0;
  #isClosed = false;

  constructor(engine: Engine, wanted: number, budget: ProcessBudget, gate: SpawnGate, health: SpareHealth) {
    this.#engine = engine;
    this.#wanted = wanted;
    this.#budget = budget;
    this.#gate = gate;
    this.#health = health;
  }

  get ready(): readonly Spare[] {
    return this.#ready.map(({ spare }) => spare);
  }

  /** How many are still being spawned. */
  get spawning(): number {
    return this.#spawning;
  }

  /**
   * Call it before a process is spawned for a request. One that is let through tries whether processes live again: while a spare
   * is up, or where there is no room to spawn one.
   *
   * @throws FailureError `claude_failing` while the spares end by themselves
   */
  assertWorks(): void {
    const { failing, waitMs } = this.#health;
    if (failing && this.#ready.length === 0 && (waitMs > 0 || this.#spawning > 0))
      throw failed('claude_failing', failing);
  }

  take(): PlacedSpare | undefined {
    return this.#ready.shift();
  }

  /** Spawns spares in the background while there is room for them and the gate is free. */
  refill(): void {
    if (this.#isClosed || !this.#gate.isFree || this.#health.waitMs > 0) return;
    const wanted = this.#health.isInDoubt ? Math.min(1, this.#wanted) : this.#wanted;
    if (this.#ready.length + this.#spawning >= wanted) return;
    const place = this.#budget.tryReserve();
    if (!place) return;
    this.#spawning += 1;
    void this.#spawn(place).then((why) => {
      this.#spawning -= 1;
      if (why) this.#lost(why);
      else this.refill();
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

  /** @returns why the spare did not come up; undefined if it did */
  async #spawn(place: Place): Promise<Failure | undefined> {
    const leaveGate = await this.#gate.enter();
    try {
      const placed = { spare: await this.#engine.spawnSpare(), place };
      if (this.#isClosed) {
        discard(placed);
        return undefined;
      }
      this.#ready.push(placed);
      // A waiting request may take its place at once: a fresh spare is the cheapest to evict.
      this.#budget.admit();
      const sound = setTimeout(() => this.#isSound(placed), SOUND_MS).unref();
      void placed.spare.exited.then((end) => {
        clearTimeout(sound);
        this.#forget(placed, end);
      });
      return undefined;
    } catch (error) {
      place.release();
      return failureOf(error);
    } finally {
      leaveGate();
    }
  }

  #isSound(placed: PlacedSpare): void {
    if (!this.#ready.includes(placed)) return;
    this.#health.works();
    this.refill();
  }

  #forget(gone: PlacedSpare, end: ProcessEnd | undefined): void {
    const at = this.#ready.indexOf(gone);
    if (at < 0) return;
    this.#ready.splice(at, 1);
    gone.place.release();
    this.#lost(failure('process_start_failed', end));
  }

  /** A spare ended that nobody ended, or did not come up. */
  #lost(why: Failure): void {
    if (this.#isClosed) return;
    this.#health.ended(why);
    this.#refillInTime();
  }

  #refillInTime(): void {
    const { waitMs } = this.#health;
    // A timer may be early by the clock.
    if (waitMs > 0) setTimeout(() => this.#refillInTime(), Math.ceil(waitMs)).unref();
    else this.refill();
  }
}

function discard({ spare, place }: PlacedSpare): void {
  spare.end();
  place.release();
}
