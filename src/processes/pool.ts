import { untilAborted } from '../async/until-aborted.ts';
import type { CountedFor, CountedPlaces, PlaceCounts } from '../spec/counted-part.ts';
import type { BegunTurn, ConversationProcess, Engine, ProcessListener, ProcessState } from '../spec/engine.ts';
import { failed, failure, failureOf } from '../spec/failures.ts';
import type { MessagesRequest } from '../spec/messages.ts';
import { type BudgetLimits, type Place, ProcessBudget } from './budget.ts';
import { Entrance, type Room } from './entrance.ts';
import { cheapestToEvict, finishedOneShot, hasWaitedTooLong, openingOf, type WaitLimits } from './eviction.ts';
import type { LoadPace, Onto } from './load-pace.ts';
import { type LoadCounts, Loads } from './loads.ts';
import { MemoryGauge } from './memory-gauge.ts';
import type { Seeker, ServedTurn, SpawnMarks, UseInstead } from './seeker.ts';
import { type Failing, type OnSpareEnd, SpareHealth } from './spare-health.ts';
import { Spares } from './spares.ts';
import { SpawnGate } from './spawn-gate.ts';
import { finishedOneShotFor, type Tenancy, usedInsteadOfEvicted, type Wanted } from './used-processes.ts';

export interface PoolLimits extends BudgetLimits, WaitLimits {
  /** Spares kept ready, of which there are more while many conversations begin. */
  spares: number;
  /** Processes that may be spawned at a time. */
  spawnsAtATime: number;
}

/** `spawning`: spares that are still being spawned. */
export type ProcessCounts = Record<Exclude<ProcessState, 'ended'> | 'spare' | 'spawning', number>;

const SWEEP_MS = 5_000;
/** How long one spawn may keep others waiting, in milliseconds. */
const LONGEST_SPAWN_MS = 10_000;
/** How long a count of tokens may take, in milliseconds. */
const COUNT_MS = 30_000;
/** How long an ended process may take to give its files back to the machine, in milliseconds. */
const GIVEN_BACK_MS = 100;

/** What is made here keeps nothing else alive; made in a method, it would keep the request as long as the process lives. */
function onSpawned(marks: SpawnMarks, pace: LoadPace, leaveGate: () => void): () => void {
  return () => {
    if (marks.spawned === undefined) {
      marks.spawned = performance.now();
      pace.cameUp(marks.spawned - (marks.handed ?? marks.spawned));
    }
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
  readonly #places = new Map<ConversationProcess, Tenancy & { place: Place }>();
  readonly #loads = new Loads(this.#memory);
  readonly #entrance: Entrance;
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
    this.#entrance = new Entrance(this.#budget, this.#gate);
    this.#health = new SpareHealth(onSpareEnd);
    this.#spares = new Spares(engine, limits.spares, this.#budget, this.#gate, this.#health, () =>
      endOne(finishedOneShot(this.#places, performance.now())),
    );
    this.#sweeper = setInterval(() => void this.#sweep(), SWEEP_MS).unref();
  }

  get counts(): ProcessCounts {
    const { ready, spawning } = this.#spares;
    const counts: ProcessCounts = { streaming: 0, held: 0, idle: 0, spare: ready.length, spawning };
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

  get loadCounts(): LoadCounts {
    return { ...this.#loads.counts };
  }

  /** Takes a process for a turn; returns whether it is still that turn's. */
  hold(process: ConversationProcess): () => boolean {
    return this.#loads.hold(process);
  }

  /** Whether a process may take another load. */
  takesLoads(process: ConversationProcess): boolean {
    return this.#loads.mayTake(process);
  }

  /** Whether a load of so many messages is expected to be quicker than a new process. */
  isQuicker(onto: Onto, messages: number): boolean {
    return this.#loads.pace.isQuicker(onto, messages);
  }

  /**
   * A used process for another conversation: the finished one-shot of this caller that has waited longest. Where room would have
   * to be made for a new process, one that would be evicted.
   */
  usedFor(wanted: Wanted, isFull: boolean): ConversationProcess | undefined {
    const used = [...this.#places].filter(([process]) => this.takesLoads(process));
    return finishedOneShotFor(wanted, used) ?? (isFull ? usedInsteadOfEvicted(wanted, this.#places) : undefined);
  }

  /**
   * Loads a request into a process that waits and takes loads. It is taken at once.
   *
   * @param shared how many of the messages before the newest it holds
   * @returns undefined if it ended before the turn reached the model
   */
  async load(process: ConversationProcess, shared: number, seeker: Seeker): Promise<ServedTurn | undefined> {
    const served = await this.#loads.load(process, shared, seeker);
    const known = served && this.#places.get(process);
    if (known) Object.assign(known, openingOf(seeker.request, process));
    return served;
  }

  /** A process holds no conversation that may go on: it waits for another one of its caller. */
  isEmpty(process: ConversationProcess): void {
    const known = this.#places.get(process);
    if (known) Object.assign(known, openingOf({ messages: [], tools: [] }, process));
  }

  /**
   * Spawns a process that answers this request from its whole history.
   *
   * @param instead asked while the request waits for the process
   * @returns undefined only where a load was made instead, and did not succeed
   * @throws FailureError `claude_failing`; `overloaded`, `client_gone` or `shutting_down`, see {@link ProcessBudget.reserve}
   */
  replay(seeker: Seeker): Promise<ServedTurn>;
  replay(seeker: Seeker, instead: UseInstead | undefined): Promise<ServedTurn | undefined>;
  async replay(seeker: Seeker, instead?: UseInstead): Promise<ServedTurn | undefined> {
    const { request, caller, signal, marks } = seeker;
    this.#spares.assertWorks();
    const entry = await this.#entrance.enter('turn', signal, marks, instead);
    if ('instead' in entry) return entry.instead;
    const { place, leaveGate } = entry;
    return this.#spawn(entry, signal, marks, async () => {
      await untilAborted(this.#engine.prepare(request), signal, undefined);
      if (signal.aborted) throw failed('client_gone');
      if (this.#isEnded) throw failed('shutting_down');
      const listener = this.#listener(leaveGate, onSpawned(marks, this.#loads.pace, leaveGate));
      // It is kept at once: it may end before anything else runs.
      const replay = () => this.#keep(this.#engine.replay(request, listener), place, request, caller.id);
      try {
        return replay();
      } catch (error) {
        if (failureOf(error).code !== 'machine_at_limit' || !(await this.makeRoom())) throw error;
        return replay();
      }
    });
  }

  /**
   * Counts tokens in a process of its own, for which turns do not wait.
   *
   * @param take called when there is room for the process: the parts to count
   * @throws FailureError as {@link replay}
   */
  async countTokens(asked: CountedFor, take: () => CountedPlaces, signal: AbortSignal): Promise<PlaceCounts> {
    this.#spares.assertWorks();
    // Nothing is used instead.
    const room = (await this.#entrance.enter('count', signal, {})) as Room;
    return this.#spawn(room, signal, {}, async () => {
      const deadline = AbortSignal.timeout(COUNT_MS);
      const counts = await this.#engine.countTokens(asked, take(), room.leaveGate, AbortSignal.any([signal, deadline]));
      room.leaveGate();
      room.place.release();
      return counts;
    });
  }

  /**
   * Claims a spare for this conversation, also one that is coming up.
   *
   * @returns undefined when there is none or the claim failed
   */
  async claimSpare({ request, caller, signal, marks }: Seeker): Promise<ServedTurn | undefined> {
    const ready = await this.#spares.take(request, signal);
    if (!ready) return undefined;
    const startedAt = performance.now();
    marks.loading = startedAt;
    marks.handed = startedAt;
    const refill = () => this.#spares.refill();
    const begun = await ready.spare.claim(request, this.#listener(refill), signal);
    marks.loaded = performance.now();
    if (!begun) {
      ready.place.release();
      this.#spares.refill();
      return undefined;
    }
    this.#loads.pace.loaded('spare', request.messages.length - 1, marks.loaded - startedAt);
    const served = this.#keep(begun, ready.place, request, caller.id);
    if (this.#isEnded) begun.process.end(failure('shutting_down'));
    if (begun.process.state === 'ended') this.#release(begun.process);
    return served;
  }

  /**
   * Evicts a process that waits, for a machine that has reached a limit.
   *
   * @returns whether there was one; what it held is free then
   */
  async makeRoom(): Promise<boolean> {
    if (!this.#evict()) return false;
    await new Promise((resolve) => setTimeout(resolve, GIVEN_BACK_MS));
    return true;
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

  #keep(begun: BegunTurn, place: Place, request: MessagesRequest, callerId: string): ServedTurn {
    this.#places.set(begun.process, { place, callerId, ...openingOf(request, begun.process) });
    return { ...begun, isOwn: this.hold(begun.process) };
  }

  /** Uses the room for a new process; gives it back if that throws. */
  async #spawn<Value>(
    { place, leaveGate }: Room,
    signal: AbortSignal,
    marks: SpawnMarks,
    spawn: () => Promise<Value>,
  ): Promise<Value> {
    try {
      if (signal.aborted) throw failed('client_gone');
      if (this.#isEnded) throw failed('shutting_down');
      marks.handed = performance.now();
      return await spawn();
    } catch (error) {
      leaveGate();
      place.release();
      throw error;
    }
  }

  /**
   * @param onOver called when the process has ended
   * @param onSpawned called when it is up
   */
  #listener(onOver: () => void, onSpawned = onOver): ProcessListener {
    return {
      onSpawned,
      onEnded: (process) => {
        onOver();
        this.#release(process);
      },
      onParked: () => {
        this.#entrance.offer();
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

  /** A finished one-shot that serves nobody else is the cheapest to evict, then a spare. */
  #evict(): boolean {
    return (
      endOne(finishedOneShot(this.#places, performance.now())) ||
      this.#spares.evict() ||
      endOne(cheapestToEvict(this.#places))
    );
  }

  get #living() {
    return [...this.#places.keys(), ...this.#spares.ready];
  }

  async #sweep(): Promise<void> {
    const now = performance.now();
    for (const process of [...this.#places.keys()]) {
      if (hasWaitedTooLong(process, this.#limits, now)) process.end();
    }
    // Its conversation is over, and it may take no other.
    const retired = () => [...this.#places].filter(([process]) => process.loads > 0 && !this.takesLoads(process));
    while (endOne(finishedOneShot(retired(), now)));
    await this.#memory.measure(this.#living);
    this.#budget.enforceMemory();
    this.#budget.admit();
    this.#spares.trim();
    this.#spares.refill();
  }
}
