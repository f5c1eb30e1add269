import type { Failure } from '../spec/failures.ts';
import type { ProcessEnd } from '../spec/process-end.ts';

/** What is known while `claude` processes keep ending by themselves. */
export interface Failing {
  /** How many have ended, one after the other. */
  inARow: number;
  /** How the last one ended. */
  end: ProcessEnd;
  /** When it ended, by the system's clock. */
  endedAt: number;
  /** Until the next is spawned, in whole seconds. */
  retrySeconds: number;
}

/** What anyone may know of it, for `GET /health`; the last words are for the operator's log. */
export interface FailingStatus {
  inARow: number;
  /** `at` is ISO 8601 in UTC. */
  end: { code: number | null; signal: string | null; at: string };
  retrySeconds: number;
}

export function toldOfFailing({ inARow, end, endedAt, retrySeconds }: Failing): FailingStatus {
  const { code, signal } = end;
  return { inARow, end: { code, signal, at: new Date(endedAt).toISOString() }, retrySeconds };
}

/** Hears of each spare that ended by itself or did not come up. */
export type OnSpareEnd = (why: Failure, inARow: number, waitMs: number) => void;

/** So many in a row are no accident. */
const FAILING = 3;
/** A spare that has lived so long shows that the binary works, in milliseconds. */
export const SOUND_MS = 10_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/**
 * Whether the `claude` binary works, judged by the spares alone: no request has reached them, so no request can make it look
 * broken. The first spare that ends by itself is replaced at once, the next after a second, then after twice the time each.
 */
export class SpareHealth {
  readonly #onEnd: OnSpareEnd;
  #inARow = 0;
  #last: ProcessEnd | undefined;
  #endedAt = 0;
  #retryAt = 0;

  constructor(onEnd: OnSpareEnd) {
    this.#onEnd = onEnd;
  }

  /** A spare ended by itself, or did not come up. */
  ended(why: Failure): void {
    this.#inARow += 1;
    this.#last = why.process;
    this.#endedAt = Date.now();
    const waitMs = this.#inARow === 1 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (this.#inARow - 2), LONGEST_WAIT_MS);
    this.#retryAt = performance.now() + waitMs;
    this.#onEnd(why, this.#inARow, waitMs);
  }

  /** A process has answered, or a spare has lived long. */
  works(): void {
    this.#inARow = 0;
    this.#retryAt = 0;
  }

  /** Until the next spare may be spawned, in milliseconds. */
  get waitMs(): number {
    return Math.max(0, this.#retryAt - performance.now());
  }

  /** Whether one spare is enough to try: the last ones have ended. */
  get isInDoubt(): boolean {
    return this.#inARow > 1;
  }

  /** Undefined where no process is to blame, such as for a full disk: a turn meets the same failure, which says its own cure. */
  get failing(): Failing | undefined {
    if (this.#inARow < FAILING || !this.#last || this.#last.spawnError) return undefined;
    const retrySeconds = Math.max(1, Math.ceil(this.waitMs / 1000));
    return { inARow: this.#inARow, end: this.#last, endedAt: this.#endedAt, retrySeconds };
  }
}
