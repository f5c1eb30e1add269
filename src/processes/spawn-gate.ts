import { failed } from '../spec/failures.ts';
import { type Purpose, WaitingLine } from './purpose.ts';

/**
 * Limits how many processes are spawned at a time. On two cores twenty at once take each twice as long as one after
 * another.
 */
export class SpawnGate {
  #free: number;
  readonly #longestMs: number;
  readonly #waiting = new WaitingLine<() => void>();

  /**
   * @param width spawns at a time
   * @param longestMs how long one spawn may keep others waiting, in milliseconds
   */
  constructor(width: number, longestMs: number) {
    this.#free = width;
    this.#longestMs = longestMs;
  }

  /** Whether a spawn could begin at once. */
  get isFree(): boolean {
    return this.#free > 0;
  }

  /**
   * Waits for its turn at the gate; a count lets others go first. Call what it resolves to when the spawn is over, whether it worked or not.
   *
   * @throws FailureError `client_gone` when the signal aborts before
   */
  async enter(signal?: AbortSignal, purpose: Purpose = 'turn'): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal, purpose);
    let isLeft = false;
    const leave = () => {
      if (isLeft) return;
      isLeft = true;
      clearTimeout(timer);
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    };
    const timer = setTimeout(leave, this.#longestMs).unref();
    return leave;
  }

  #wait(signal: AbortSignal | undefined, purpose: Purpose): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.remove(enter);
        reject(failed('client_gone'));
      };
      if (signal?.aborted) return reject(failed('client_gone'));
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(enter, purpose);
    });
  }
}
