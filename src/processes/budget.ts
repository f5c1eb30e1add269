import { type FailureError, failed } from '../spec/failures.ts';
import { type Purpose, WaitingLine } from './purpose.ts';
import { QueuePace } from './queue-pace.ts';

export interface BudgetLimits {
  /** Processes at a time, spares included. */
  processes: number;
  /** Bytes that the processes may hold together. */
  memoryBytes: number;
  /** Requests that may wait for room. */
  queueLength: number;
  /** How long one may wait while the queue stands still, in milliseconds. */
  queueDeadlineMs: number;
}

/** What the budget asks of the owner of the processes. */
export interface BudgetHolder {
  /** Ends the process that is cheapest to evict; false if every one is needed. */
  evict: () => boolean;
  /** What the living processes hold now, in bytes. */
  memoryBytes: () => number;
}

/** Room for one process. Call `release` when the process has ended. */
export interface Place {
  release(): void;
}

/** What a process counts for until it is measured, in bytes; a young one holds about this. */
export const NEW_PROCESS_BYTES = 150 * 1024 * 1024;

/** Serves a request without a place of its own; false if that is not possible now. */
export type Instead = () => boolean;

interface Waiter {
  instead: Instead | undefined;
  resolve: (place: Place | undefined) => void;
  reject: (error: Error) => void;
  stop: () => void;
}

/** A longer wait is in vain, in milliseconds: clients give up after 300 s without headers, as Node's `fetch` does. */
const LONGEST_WAIT_MS = 240_000;

/**
 * Keeps the processes within their number and their memory. A request for a place gets one at once, or after an eviction, or
 * waits in a bounded queue. Here a 529 is decided: the queue is full, or so slow that the wait would be in vain, or it has
 * stood still for too long. Nobody who waits is refused while the queue moves.
 */
export class ProcessBudget {
  #taken = 0;
  #isAdmitting = false;
  #isClosed = false;
  readonly #queue = new WaitingLine<Waiter>();
  readonly #pace = new QueuePace();
  readonly #limits: BudgetLimits;
  readonly #holder: BudgetHolder;

  constructor(limits: BudgetLimits, holder: BudgetHolder) {
    this.#limits = limits;
    this.#holder = holder;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * A place if nobody waits for one and there is room.
   *
   * @param evict makes room; false if it cannot
   */
  tryReserve(evict: () => boolean): Place | undefined {
    if (this.#isClosed || this.#queue.length > 0) return undefined;
    return this.#makeRoom(evict) ? this.#take() : undefined;
  }

  /**
   * A place, as soon as there is one; a count lets turns go first.
   *
   * @param instead tried before an eviction, when it is this request's turn; without a place if it succeeds
   * @throws FailureError `overloaded` when the queue is full, too slow or stands still; `client_gone` on abort
   */
  async reserve(signal: AbortSignal, purpose?: Purpose): Promise<Place>;
  async reserve(signal: AbortSignal, purpose: Purpose, instead: Instead | undefined): Promise<Place | undefined>;
  async reserve(signal: AbortSignal, purpose: Purpose = 'turn', instead?: Instead): Promise<Place | undefined> {
    if (signal.aborted) throw failed('client_gone');
    if (this.#isClosed) throw failed('shutting_down');
    if (this.#queue.length === 0) {
      if (!this.#hasRoom() && instead?.()) return undefined;
      if (this.#makeRoom()) return this.#take();
    }
    const now = performance.now();
    if (this.#queue.length >= this.#limits.queueLength) {
      throw this.#overloaded(`the queue of ${this.#limits.queueLength} requests is full`);
    }
    if (this.#queue.length === 0) this.#pace.begin(now);
    if (this.#pace.isMeasured && (this.#pace.waitMs(this.#queue.length + 1, now) ?? 0) > LONGEST_WAIT_MS) {
      throw this.#overloaded(`the ${this.#queue.length} requests in the queue take too long`);
    }
    return new Promise((resolve, reject) => {
      const deadlineMs = this.#limits.queueDeadlineMs;
      const leave = (error: Error) => {
        waiter.stop();
        this.#queue.remove(waiter);
        reject(error);
      };
      const onAbort = () => leave(failed('client_gone'));
      const onDeadline = () => {
        const leftMs = this.#pace.movedAt + deadlineMs - performance.now();
        if (leftMs > 0) timer = setTimeout(onDeadline, leftMs);
        else leave(this.#overloaded(`no process became free within ${deadlineMs} ms`));
      };
      let timer = setTimeout(onDeadline, deadlineMs);
      const waiter: Waiter = {
        instead,
        resolve,
        reject,
        stop: () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#queue.push(waiter, purpose);
    });
  }

  /** Gives no more places; refuses those that wait, and all that follow. */
  close(): void {
    this.#isClosed = true;
    for (let waiter = this.#queue.shift(); waiter; waiter = this.#queue.shift()) {
      waiter.stop();
      waiter.reject(failed('shutting_down'));
    }
  }

  /** Lets waiting requests in if there is room now: call it whenever a process has become evictable. */
  admit(): void {
    // An eviction releases a place, which calls this again.
    if (this.#isAdmitting) return;
    this.#isAdmitting = true;
    try {
      for (let next = this.#queue.first; next; next = this.#queue.first) {
        const isServed = !this.#hasRoom() && next.instead?.() === true;
        if (!isServed && !this.#makeRoom()) return;
        this.#queue.shift();
        this.#pace.move(performance.now());
        next.stop();
        next.resolve(isServed ? undefined : this.#take());
      }
    } finally {
      this.#isAdmitting = false;
    }
  }

  /** Evicts while the measured memory is over the limit. */
  enforceMemory(): void {
    while (this.#taken > 1 && this.#holder.memoryBytes() > this.#limits.memoryBytes) if (!this.#holder.evict()) return;
  }

  /** Tells the client to come back when those that wait now have left. */
  #overloaded(why: string): FailureError {
    const waitMs = this.#pace.waitMs(this.#queue.length, performance.now());
    return failed('overloaded', { why, ...(waitMs !== undefined && { retryAfterSeconds: Math.ceil(waitMs / 1000) }) });
  }

  #makeRoom(evict = this.#holder.evict): boolean {
    while (!this.#hasRoom()) if (!evict()) return false;
    return true;
  }

  #hasRoom(): boolean {
    if (this.#taken === 0) return true;
    if (this.#taken >= this.#limits.processes) return false;
    return this.#holder.memoryBytes() + NEW_PROCESS_BYTES <= this.#limits.memoryBytes;
  }

  #take(): Place {
    this.#taken += 1;
    let isReleased = false;
    return {
      release: () => {
        if (isReleased) return;
        isReleased = true;
        this.#taken -= 1;
        this.admit();
      },
    };
  }
}
