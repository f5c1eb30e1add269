import type { BegunTurn, Engine, ProcessListener, Spare } from '../engine/claude-engine.ts';
import type { ClaudeProcess, ProcessState } from '../engine/process/claude-process.ts';
import { processMemory } from '../engine/process/memory.ts';
import { clientGone, FailureError, shuttingDown } from '../spec/failure.ts';
import type { MessagesRequest } from '../spec/messages.ts';
import { type BudgetLimits, NEW_PROCESS_BYTES, type Place, ProcessBudget } from './budget.ts';
import { SpawnGate } from './spawn-gate.ts';

export interface PoolLimits extends BudgetLimits {
  /** Pre-started processes kept ready. */
  spares: number;
  /** Processes that may start at a time. */
  spawnsAtATime: number;
  /** How long a process may wait for its conversation's next turn, in milliseconds. */
  idleMs: number;
  /** How long it may wait for tool results, in milliseconds. */
  heldMs: number;
}

export type ProcessCounts = Record<Exclude<ProcessState, 'ended'> | 'spare', number>;

const SWEEP_MS = 5_000;
/** How long a start may keep others from starting. */
const LONGEST_START_MS = 10_000;
/** How long a count of tokens may take. */
const COUNT_MS = 30_000;
/** After a spare could not be started, the next is tried so much later. */
const SPARE_RETRY_MS = 5_000;

/**
 * All processes that live, each with its place in the budget: starts them one at a time, keeps spares ready, ends those
 * that have waited too long and, when room is needed, those that can be spared most.
 */
export class ProcessPool {
  readonly #engine: Engine;
  readonly #limits: PoolLimits;
  readonly #budget: ProcessBudget;
  readonly #gate: SpawnGate;
  readonly #places = new Map<ClaudeProcess, Place>();
  readonly #spares: Array<{ spare: Spare; place: Place }> = [];
  readonly #memory = new Map<number, number>();
  readonly #onGone: (process: ClaudeProcess) => void;
  #sparesStarting = 0;
  #isClosed = false;
  #isEnded = false;
  readonly #sweeper: NodeJS.Timeout;

  /** @param onGone called when a process has ended, for whatever reason */
  constructor(engine: Engine, limits: PoolLimits, onGone: (process: ClaudeProcess) => void) {
    this.#engine = engine;
    this.#limits = limits;
    this.#onGone = onGone;
    this.#gate = new SpawnGate(limits.spawnsAtATime, LONGEST_START_MS);
    this.#budget = new ProcessBudget(limits, { evict: () => this.#evict(), memoryBytes: () => this.#memoryBytes() });
    this.#sweeper = setInterval(() => void this.#sweep(), SWEEP_MS).unref();
  }

  get counts(): ProcessCounts {
    const counts: ProcessCounts = { streaming: 0, held: 0, idle: 0, spare: this.#spares.length };
    for (const { state } of this.#places.keys()) if (state !== 'ended') counts[state] += 1;
    return counts;
  }

  get waiting(): number {
    return this.#budget.waiting;
  }

  get memoryBytes(): number {
    return this.#memoryBytes();
  }

  /**
   * A new process that answers this request from its whole history.
   *
   * @throws FailureError `overloaded` or `client_gone`, see {@link ProcessBudget.reserve}
   */
  async replay(request: MessagesRequest, signal: AbortSignal): Promise<BegunTurn> {
    const place = await this.#budget.reserve(signal);
    let leaveGate = () => {};
    try {
      leaveGate = await this.#gate.enter(signal);
      if (signal.aborted) throw new FailureError(clientGone());
      if (this.#isEnded) throw new FailureError(shuttingDown());
      const begun = this.#engine.replay(request, this.#listener(leaveGate));
      this.#places.set(begun.process, place);
      return begun;
    } catch (error) {
      leaveGate();
      place.release();
      throw error;
    }
  }

  /**
   * The SDK's own count of a request's tokens, by a process of its own; undefined when it could not count.
   *
   * @throws FailureError `overloaded` or `client_gone`
   */
  async countTokens(request: MessagesRequest, signal: AbortSignal): Promise<number | undefined> {
    const place = await this.#budget.reserve(signal);
    let leaveGate = () => {};
    try {
      leaveGate = await this.#gate.enter(signal);
      if (signal.aborted) throw new FailureError(clientGone());
      if (this.#isEnded) throw new FailureError(shuttingDown());
      const deadline = AbortSignal.timeout(COUNT_MS);
      return await this.#engine.countTokens(request, leaveGate, AbortSignal.any([signal, deadline]));
    } finally {
      leaveGate();
      place.release();
    }
  }

  /** A spare turned into this conversation's process; undefined when there is none or it could not be claimed. */
  async claimSpare(request: MessagesRequest, signal: AbortSignal): Promise<BegunTurn | undefined> {
    const ready = this.#spares.shift();
    if (!ready) return undefined;
    const begun = await this.#engine.claim(
      ready.spare,
      request,
      this.#listener(() => this.refill()),
      signal,
    );
    if (!begun) {
      ready.place.release();
      this.refill();
      return undefined;
    }
    this.#places.set(begun.process, ready.place);
    if (this.#isEnded) begun.process.end(shuttingDown());
    if (begun.process.state === 'ended') this.#release(begun.process);
    return begun;
  }

  /** Starts spares in the background while there is room for them and nothing else is starting. */
  refill(): void {
    if (this.#isClosed || !this.#gate.isFree) return;
    if (this.#spares.length + this.#sparesStarting >= this.#limits.spares) return;
    const place = this.#budget.tryReserve();
    if (!place) return;
    this.#sparesStarting += 1;
    void this.#startSpare(place).then((isStarted) => {
      this.#sparesStarting -= 1;
      if (isStarted) this.refill();
      else setTimeout(() => this.refill(), SPARE_RETRY_MS).unref();
    });
  }

  /** Ends every process that is not streaming, and keeps no spares any more. */
  endWaiting(): void {
    this.#isClosed = true;
    clearInterval(this.#sweeper);
    for (const { spare, place } of this.#spares.splice(0)) {
      spare.end();
      place.release();
    }
    for (const process of [...this.#places.keys()]) if (process.state !== 'streaming') process.end();
  }

  /** Ends everything at once, and starts nothing any more. */
  endAll(): void {
    this.#isEnded = true;
    this.#budget.close();
    this.endWaiting();
    for (const process of [...this.#places.keys()]) process.end(shuttingDown());
  }

  async #startSpare(place: Place): Promise<boolean> {
    const leaveGate = await this.#gate.enter();
    try {
      const spare = await this.#engine.prestart();
      if (this.#isClosed) {
        spare.end();
        place.release();
        return true;
      }
      const ready = { spare, place };
      this.#spares.push(ready);
      // It is the one that can be spared most.
      this.#budget.admit();
      void spare.exited.then(() => {
        const at = this.#spares.indexOf(ready);
        if (at < 0) return;
        this.#spares.splice(at, 1);
        place.release();
        this.refill();
      });
      return true;
    } catch {
      place.release();
      return false;
    } finally {
      leaveGate();
    }
  }

  /** @param onSpawned called, at least once, when the start takes no more of the machine */
  #listener(onSpawned: () => void): ProcessListener {
    return {
      onSpawned,
      onEnded: (process) => {
        onSpawned();
        this.#release(process);
      },
      onParked: () => {
        this.#budget.admit();
        this.refill();
      },
    };
  }

  #release(process: ClaudeProcess): void {
    if (process.pid !== undefined) this.#memory.delete(process.pid);
    const place = this.#places.get(process);
    this.#places.delete(process);
    this.#onGone(process);
    place?.release();
  }

  /** Spares go first; then idle ones, those never continued before the others; then held ones; oldest first. */
  #evict(): boolean {
    const ready = this.#spares.shift();
    if (ready) {
      ready.spare.end();
      ready.place.release();
      return true;
    }
    const candidates = [...this.#places.keys()].filter(({ state }) => state === 'idle' || state === 'held');
    candidates.sort((a, b) => evictionRank(a) - evictionRank(b) || a.changedAt - b.changedAt);
    candidates[0]?.end();
    return candidates.length > 0;
  }

  /** One for each process, undefined before it has been spawned. */
  get #pids(): Array<number | undefined> {
    return [...[...this.#places.keys()].map(({ pid }) => pid), ...this.#spares.map(({ spare }) => spare.child.pid)];
  }

  #memoryBytes(): number {
    const pids = this.#pids;
    // Places are given before their processes start.
    const promised = Math.max(0, this.#budget.taken - pids.length) * NEW_PROCESS_BYTES;
    return pids.reduce((sum: number, pid) => sum + ((pid && this.#memory.get(pid)) || NEW_PROCESS_BYTES), promised);
  }

  async #sweep(): Promise<void> {
    const now = performance.now();
    for (const process of [...this.#places.keys()]) {
      const age = now - process.changedAt;
      if (process.state === 'idle' && age > this.#limits.idleMs) process.end();
      else if (process.state === 'held' && age > this.#limits.heldMs) process.end();
    }
    const living = this.#pids;
    for (const pid of living) {
      const bytes = pid === undefined ? undefined : await processMemory(pid);
      if (pid !== undefined && bytes !== undefined) this.#memory.set(pid, bytes);
    }
    for (const pid of this.#memory.keys()) if (!living.includes(pid)) this.#memory.delete(pid);
    this.#budget.enforceMemory();
    this.#budget.admit();
    this.refill();
  }
}

function evictionRank(process: ClaudeProcess): number {
  if (process.state === 'held') return 2;
  return process.turns > 1 ? 1 : 0;
}
