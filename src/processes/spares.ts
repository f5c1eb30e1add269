import type { Engine, Spare, SpareLikeness } from '../spec/engine.ts';
import { type Failure, failed, failure, failureOf } from '../spec/failures.ts';
import type { MessagesRequest } from '../spec/messages.ts';
import type { ProcessEnd } from '../spec/process-end.ts';
import type { Place, ProcessBudget } from './budget.ts';
import { Demand } from './demand.ts';
import { SOUND_MS, type SpareHealth } from './spare-health.ts';
import type { SpawnGate } from './spawn-gate.ts';

/** A spare with its place in the budget; a claim takes both. */
export interface PlacedSpare {
  spare: Spare;
  place: Place;
}

interface KeptSpare extends PlacedSpare {
  /** That of its {@link Kind}. */
  key: string;
}

/** What spares are spawned for. */
interface Kind {
  /** Equal for all requests that one of them can serve. */
  key: string;
  likeness?: SpareLikeness;
}

/** Of spares that serve any request. */
const ANY: Kind = { key: '' };

/** How long a spawn is worth waiting for, in milliseconds. */
const HOPEFUL_MS = 10_000;

/**
 * Keeps spares ready for new conversations, more of them while new ones come. Spawns them only while the gate is free and
 * nobody waits for a process: requests go first. Where a spare serves alike requests alone, they are those of the latest
 * conversation that began without one.
 */
export class Spares {
  readonly #engine: Engine;
  readonly #demand: Demand;
  readonly #evictOneShot: () => boolean;
  readonly #budget: ProcessBudget;
  readonly #gate: SpawnGate;
  readonly #health: SpareHealth;
  #ready: KeptSpare[] = [];
  /** What the next ones are spawned for; undefined until it is known. */
  #kind: Kind | undefined;
  /** Conversations that take the next spares to come up. */
  readonly #waiting: Array<(placed: PlacedSpare | undefined) => void> = [];
  #spawning = 0;
  /** How many of the spares that are being spawned may soon be up. Never fewer than conversations wait for. */
  #hopeful = 0;
  #isClosed = false;

  /**
   * @param wanted spares without any demand; with 0 there is never one
   * @param evictOneShot ends a process that is of less use than a spare; false if there is none
   */
  constructor(
    engine: Engine,
    wanted: number,
    budget: ProcessBudget,
    gate: SpawnGate,
    health: SpareHealth,
    evictOneShot: () => boolean,
  ) {
    this.#engine = engine;
    this.#kind = engine.sparesServe === 'alike requests' ? undefined : ANY;
    this.#demand = new Demand(wanted);
    this.#budget = budget;
    this.#gate = gate;
    this.#health = health;
    this.#evictOneShot = evictOneShot;
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

  /**
   * A spare for a new conversation: one that is ready, or the next to come up, which is sooner there than a new process.
   *
   * @param request that it is to serve
   * @param signal aborts when the client has gone
   * @returns undefined when there is none, or it did not come up
   */
  async take(request: MessagesRequest, signal: AbortSignal): Promise<PlacedSpare | undefined> {
    this.#demand.begin(performance.now());
    const kind = this.#kindFor(request);
    const [ready] = this.#ready.filter(({ key }) => key === kind?.key);
    if (ready) this.#ready = this.#ready.filter((other) => other !== ready);
    else this.#turnTo(kind);
    // One that serves any request is the next to come up.
    if (ready || kind !== ANY || this.#waiting.length >= this.#hopeful) return ready;
    return new Promise((resolve) => {
      const give = (placed: PlacedSpare | undefined) => {
        signal.removeEventListener('abort', leave);
        resolve(placed);
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(give), 1);
        give(undefined);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(give);
    });
  }

  /** Spawns spares in the background while there is room for them and the gate is free. */
  refill(): void {
    const kind = this.#kind;
    if (!kind || this.#isClosed || !this.#gate.isFree || this.#health.waitMs > 0) return;
    if (this.#ready.length + this.#spawning - this.#waiting.length >= this.#wanted) return;
    const place = this.#budget.tryReserve(this.#evictOneShot);
    if (!place) return;
    this.#spawning += 1;
    const loseHope = this.#hope();
    void this.#spawn(place, kind.likeness).then((spawned) => {
      this.#spawning -= 1;
      if ('spare' in spawned) this.#place({ ...spawned, key: kind.key });
      loseHope();
      if ('spare' in spawned) this.refill();
      else this.#lost(spawned);
    });
  }

  /** Ends the spares that nobody wants any more. */
  trim(): void {
    while (this.#ready.length > this.#wanted) this.evict();
  }

  /** Ends the oldest spare; false if there is none. */
  evict(): boolean {
    const oldest = this.#ready.shift();
    if (oldest) discard(oldest);
    return oldest !== undefined;
  }

  /** Ends all spares and spawns no more. */
  close(): void {
    this.#isClosed = true;
    while (this.evict());
  }

  get #wanted(): number {
    const wanted = this.#demand.wanted(performance.now());
    return this.#health.isInDoubt ? Math.min(1, wanted) : wanted;
  }

  /** @returns the spare, or why it did not come up */
  async #spawn(place: Place, likeness: SpareLikeness | undefined): Promise<PlacedSpare | Failure> {
    const leaveGate = await this.#gate.enter();
    try {
      return { spare: await this.#engine.spawnSpare(likeness), place };
    } catch (error) {
      place.release();
      return failureOf(error);
    } finally {
      leaveGate();
    }
  }

  /** @returns ends the hope in one spawn; so does time */
  #hope(): () => void {
    this.#hopeful += 1;
    let isLost = false;
    const lose = () => {
      if (isLost) return;
      isLost = true;
      clearTimeout(timer);
      this.#hopeful -= 1;
      while (this.#waiting.length > this.#hopeful) this.#waiting.pop()?.(undefined);
    };
    const timer = setTimeout(lose, HOPEFUL_MS).unref();
    return lose;
  }

  #place(placed: KeptSpare): void {
    const next = this.#waiting.shift();
    if (next) next(placed);
    else if (this.#isClosed || placed.key !== this.#kind?.key) discard(placed);
    else this.#keep(placed);
  }

  #kindFor(request: MessagesRequest): Kind | undefined {
    if (this.#kind === ANY) return ANY;
    const key = this.#engine.reuseKey(request);
    const { model, system, betas } = request;
    return key === undefined ? undefined : { key, likeness: { model, system, betas } };
  }

  /** The next spares are of this kind, and those of another one serve nobody. */
  #turnTo(kind: Kind | undefined): void {
    if (!kind || kind.key === this.#kind?.key) return;
    this.#kind = kind;
    while (this.#ready.length > 0) this.evict();
  }

  #keep(placed: KeptSpare): void {
    this.#ready.push(placed);
    // A waiting request may take its place at once: a fresh spare is the cheapest to evict.
    this.#budget.admit();
    const sound = setTimeout(() => this.#isSound(placed), SOUND_MS).unref();
    void placed.spare.exited.then((end) => {
      clearTimeout(sound);
      this.#forget(placed, end);
    });
  }

  #isSound(placed: KeptSpare): void {
    if (!this.#ready.includes(placed)) return;
    this.#health.works();
    this.refill();
  }

  #forget(gone: KeptSpare, end: ProcessEnd | undefined): void {
    const at = this.#ready.indexOf(gone);
    if (at < 0) return;
    this.#ready.splice(at, 1);
    gone.place.release();
    this.#lost(failure('process_spawn_failed', end));
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
