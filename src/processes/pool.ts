import { untilAborted } from '../async/until-aborted.ts';
import type { CountedFor, CountedPlaces, PlaceCounts } from '../spec/counted-part.ts';
import type { BegunTurn, ConversationProcess, Engine, ProcessListener, ProcessState } from '../spec/engine.ts';
import { failed, failure } from '../spec/failures.ts';
import type { MessagesRequest } from '../spec/messages.ts';
import type { TurnMarks } from '../spec/turn-record.ts';
import { type BudgetLimits, type Place, ProcessBudget } from './budget.ts';
import {
  cheapestToEvict,
  finishedOneShot,
  hasWaitedTooLong,
  type Opening,
  openingOf,
  type WaitLimits,
} from './eviction.ts';
import { MemoryGauge } from './memory-gauge.ts';
import type { Purpose } from './purpose.ts';
import { type Failing, type OnSpareEnd, SpareHealth } from './spare-health.ts';
import { Spares } from './spares.ts';
import { SpawnGate } from './spawn-gate.ts';

export interface PoolLimits extends BudgetLimits, WaitLimits {
  /** Spares kept ready, of which there are more while many conversations begin. */
  spares: number;
  /** Processes that may be spawned at a time. */
  spawnsAtATime: number;
}

/** `starting`: spares that are still being spawned. */
export type ProcessCounts = Record<Exclude<ProcessState, 'ended'> | 'spare' | 'starting', number>;

/** The moments of a turn on its way to a new process. */
export type SpawnMarks = Pick<TurnMarks, 'queued' | 'admitted' | 'handed' | 'spawned'>;

const SWEEP_MS = 5_000;
/** How long one spawn may keep others waiting, in milliseconds. */
const LONGEST_SPAWN_MS = 10_000;
/** How long a count of tokens may take, in milliseconds. */
const COUNT_MS = 30_000;

/** What is made here keeps nothing else alive; made in a method, it would keep the request as long as the process lives. */
function onSpawned(marks: SpawnMarks, leaveGate: () => void): () => void {
  return () => {
    marks.spawned ??= performance.now();
    leaveGate();
  };
}

/** Ends a process; false if there is none. */
function endOne(process: ConversationProcess | undefined): boolean {
  process?.end();
  return process !== undefined;
}

/**
 * Owns all processes, each with its place in the budget. Spawns them through a gate, keeps spares ready, ends those that have
 * waited too long, and evicts the cheapest when room is needed.
 */
export class ProcessPool {
  readonly #engine: Engine;
  readonly #limits: PoolLimits;
  readonly #budget: ProcessBudget;
  readonly #gate: SpawnGate;
  readonly #health: SpareHealth;
  readonly #spares: Spares;
  readonly #memory = new MemoryGauge();
  readonly #places = new Map<ConversationProcess, Opening & { place: Place }>();
  readonly #onGone: (process: ConversationProcess) => void;
  readonly #sweeper: NodeJS.Timeout;
  #isEnded = false;

  /**
   * @param onGone called when a process has ended, whatever the reason
   * @param onSpareEnd called when a spare has ended by itself
   */
  constructor(
    engine: Engine,
    limits: PoolLimits,
    onGone: (process: ConversationProcess) => void,
    onSpareEnd: OnSpareEnd,
  ) {
    this.#engine = engine;
    this.#limits = limits;
    this.#onGone = onGone;
    this.#gate = new SpawnGate(limits.spawnsAtATime, LONGEST_SPAWN_MS);
    this.#budget = new ProcessBudget(limits, { evict: () => this.#evict(), memoryBytes: () => this.memoryBytes });
    this.#health = new SpareHealth(onSpareEnd);
    this.#spares = new Spares(engine, limits.spares, this.#budget, this.#gate, this.#health, () =>
      endOne(finishedOneShot(this.#places, performance.now())),
    );
    this.#sweeper = setInterval(() => void this.#sweep(), SWEEP_MS).unref();
  }

  get counts(): ProcessCounts {
    const { ready, spawning } = this.#spares;
    const counts: ProcessCounts = { streaming: 0, held: 0, idle: 0, spare: ready.length, starting: spawning };
    for (const { state } of this.#places.keys()) if (state !== 'ended') counts[state] += 1;
    return counts;
  }

  /** Set while the `claude` processes end by themselves. */
  get failing(): Failing | undefined {
    return this.#health.failing;
  }

  get waiting(): number {
    return this.#budget.waiting;
  }

  get memoryBytes(): number {
    return this.#memory.total(this.#living, this.#budget.taken);
  }

  /**
   * Spawns a process that answers this request from its whole history.
   *
   * @throws FailureError `claude_failing`; `overloaded`, `client_gone` or `shutting_down`, see {@link ProcessBudget.reserve}
   */
  replay(request: MessagesRequest, signal: AbortSignal, marks: SpawnMarks): Promise<BegunTurn> {
    return this.#withPlace('turn', signal, marks, async (place, leaveGate) => {
      await untilAborted(this.#engine.prepare(request.model), signal, undefined);
      if (signal.aborted) throw failed('client_gone');
      if (this.#isEnded) throw failed('shutting_down');
      const begun = this.#engine.replay(request, this.#listener(onSpawned(marks, leaveGate)));
      this.#places.set(begun.process, { place, ...openingOf(request) });
      return begun;
    });
  }

  /**
   * Counts tokens in a process of its own, for which turns do not wait.
   *
   * @param take called when there is room for the process: the parts to count
   * @throws FailureError as {@link replay}
   */
  countTokens(asked: CountedFor, take: () => CountedPlaces, signal: AbortSignal): Promise<PlaceCounts> {
    return this.#withPlace('count', signal, {}, async (place, leaveGate) => {
      try {
        const deadline = AbortSignal.timeout(COUNT_MS);
        return await this.#engine.countTokens(asked, take(), leaveGate, AbortSignal.any([signal, deadline]));
      } finally {
        leaveGate();
        place.release();
      }
    });
  }

  /** Claims a spare for this conversation, also one that is coming up; undefined when there is none or the claim failed. */
  async claimSpare(request: MessagesRequest, signal: AbortSignal, marks: SpawnMarks): Promise<BegunTurn | undefined> {
    const ready = await this.#spares.take(signal);
    if (!ready) return undefined;
    marks.handed = performance.now();
    const listener = this.#listener(() => this.#spares.refill());
    const begun = await ready.spare.claim(request, listener, signal);
    if (!begun) {
      ready.place.release();
      this.#spares.refill();
      return undefined;
    }
    this.#places.set(begun.process, { place: ready.place, ...openingOf(request) });
    if (this.#isEnded) begun.process.end(failure('shutting_down'));
    if (begun.process.state === 'ended') this.#release(begun.process);
    return begun;
  }

  /** A process has answered a turn. */
  works(): void {
    this.#health.works();
  }

  /** Spawns spares in the background while there is room for them and the gate is free. */
  refill(): void {
    this.#spares.refill();
  }

  /** Ends every process that is not streaming, and spawns no more spares. */
  endWaiting(): void {
    clearInterval(this.#sweeper);
    this.#spares.close();
    for (const process of [...this.#places.keys()]) if (process.state !== 'streaming') process.end();
  }

  /** Ends everything at once, and spawns nothing more. */
  endAll(): void {
    this.#isEnded = true;
    this.#budget.close();
    this.endWaiting();
    for (const process of [...this.#places.keys()]) process.end(failure('shutting_down'));
  }

  /** Waits for a place in the budget and a turn at the gate, then uses them; gives both back if that throws. */
  async #withPlace<Value>(
    purpose: Purpose,
    signal: AbortSignal,
    marks: SpawnMarks,
    use: (place: Place, leaveGate: () => void) => Value | Promise<Value>,
  ): Promise<Value> {
    this.#spares.assertWorks();
    marks.queued = performance.now();
    const place = await this.#budget.reserve(signal, purpose);
    marks.admitted = performance.now();
    let leaveGate = () => {};
    try {
      leaveGate = await this.#gate.enter(signal, purpose);
      if (signal.aborted) throw failed('client_gone');
      if (this.#isEnded) throw failed('shutting_down');
      marks.handed = performance.now();
      return await use(place, leaveGate);
    } catch (error) {
      leaveGate();
      place.release();
      throw error;
    }
  }

  /** @param onSpawned called at least once, when the process is up or has ended */
  #listener(onSpawned: () => void): ProcessListener {
    return {
      onSpawned,
      onEnded: (process) => {
        onSpawned();
        this.#release(process);
      },
      onParked: () => {
        this.#budget.admit();
        this.#spares.refill();
      },
    };
  }

  #release(process: ConversationProcess): void {
    const gone = this.#places.get(process);
    this.#places.delete(process);
    this.#onGone(process);
    gone?.place.release();
  }

  /** A spare is the cheapest to evict. */
  #evict(): boolean {
    return this.#spares.evict() || endOne(cheapestToEvict(this.#places));
  }

  get #living() {
    return [...this.#places.keys(), ...this.#spares.ready];
  }

  async #sweep(): Promise<void> {
    const now = performance.now();
    for (const process of [...this.#places.keys()]) {
      if (hasWaitedTooLong(process, this.#limits, now)) process.end();
    }
    await this.#memory.measure(this.#living);
    this.#budget.enforceMemory();
    this.#budget.admit();
    this.#spares.trim();
    this.#spares.refill();
  }
}
