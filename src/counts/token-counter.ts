import { countedParts } from '../conversation/counted-parts.ts';
import { estimateTokens } from '../conversation/estimate-tokens.ts';
import type { ProcessPool } from '../processes/pool.ts';
import type { CountedPart } from '../spec/counted-part.ts';
import { failed } from '../spec/failures.ts';
import type { MessagesRequest } from '../spec/messages.ts';
import { partKey, RememberedCounts } from './remembered-counts.ts';
import { entriesOf, partsOf, type TakenParts, WantedParts } from './wanted-parts.ts';

export interface CountLimits {
  /** Processes that may count at a time. */
  processes: number;
  /** Requests that may wait for one. */
  queueLength: number;
}

export interface TokenCount {
  inputTokens: number;
  /** `estimate` if only one of the parts is a guess. */
  source: 'sdk' | 'estimate';
}

/**
 * Counts tokens by parts. A part that was counted before is remembered, one that is being counted is not counted again, and
 * the parts of one caller that wait together share a process. Few processes count at a time, and turns go before them.
 */
export class TokenCounter {
  readonly #pool: Pick<ProcessPool, 'countTokens'>;
  readonly #limits: CountLimits;
  readonly #remembered = new RememberedCounts();
  /** By caller, model and way, in the order in which they came. */
  readonly #wanted = new Map<string, WantedParts>();
  #running = 0;
  /** Requests that wait or are being counted. */
  #asking = 0;

  constructor(pool: Pick<ProcessPool, 'countTokens'>, limits: CountLimits) {
    this.#pool = pool;
    this.#limits = limits;
  }

  /**
   * The tokens of a request. A part that could not be counted is guessed.
   *
   * @throws FailureError `overloaded`, `shutting_down`; `client_gone` when the signal aborts
   */
  async count(request: MessagesRequest, callerId: string, signal: AbortSignal): Promise<TokenCount> {
    const parts = countedParts(request).map((part) => ({ part, key: partKey(request.model, part) }));
    const known = parts.map(({ key }) => this.#remembered.get(callerId, key));
    if (known.every((count) => count !== undefined)) return sum(parts, known);
    if (signal.aborted) throw failed('client_gone');
    const { processes, queueLength } = this.#limits;
    if (this.#asking >= processes + queueLength) {
      throw failed('overloaded', { why: `the queue of ${queueLength} counts is full` });
    }
    const group = this.#groupOf(callerId, request);
    const wanted = parts.map(({ part, key }, index) => known[index] ?? group.want(key, part));
    this.#asking += 1;
    this.#run();
    try {
      const counts = wanted.map((one) => (typeof one === 'number' ? one : one.count));
      return sum(parts, await orGone(Promise.all(counts), signal));
    } finally {
      this.#asking -= 1;
      for (const one of wanted) if (typeof one !== 'number') group.leave(one);
    }
  }

  #groupOf(callerId: string, { model, via }: MessagesRequest): WantedParts {
    const name = JSON.stringify([callerId, model, via]);
    const group = this.#wanted.get(name) ?? new WantedParts(callerId, { model, ...(via && { via }) });
    this.#wanted.set(name, group);
    return group;
  }

  /** Lets processes count as long as there may be another; each group has one at a time, and they take turns. */
  #run(): void {
    for (const [name, group] of this.#wanted) {
      if (this.#running >= this.#limits.processes) return;
      if (group.isBeingCounted) continue;
      this.#wanted.delete(name);
      if (!group.hasWaiting) continue;
      this.#wanted.set(name, group);
      this.#running += 1;
      void this.#countIn(group).finally(() => {
        this.#running -= 1;
        this.#run();
      });
    }
  }

  async #countIn(group: WantedParts): Promise<void> {
    const { callerId, asked } = group;
    let taken: TakenParts = {};
    const signal = group.begin();
    try {
      const counts = await this.#pool.countTokens(
        asked,
        () => {
          taken = group.take();
          return partsOf(taken);
        },
        signal,
      );
      for (const [place, wanted] of entriesOf(taken)) {
        const count = counts[place];
        if (count !== undefined) this.#remembered.set(callerId, wanted.key, count);
        wanted.resolve(count);
      }
    } catch (error) {
      // Who has come since nobody asked any more gets another process.
      if (entriesOf(taken).length === 0 && !signal.aborted) taken = group.take();
      for (const [, wanted] of entriesOf(taken)) wanted.reject(error);
    } finally {
      group.end(taken);
    }
  }
}

/** @param counts of the parts, one by one; undefined where the API did not count */
function sum(parts: ReadonlyArray<{ part: CountedPart }>, counts: ReadonlyArray<number | undefined>): TokenCount {
  const tokens = parts.map(({ part }, index) => counts[index] ?? estimateTokens(part));
  return {
    inputTokens: tokens.reduce((total, some) => total + some, 0),
    source: counts.includes(undefined) ? 'estimate' : 'sdk',
  };
}

/** @throws FailureError `client_gone` when the signal aborts first */
function orGone<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const gone = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(failed('client_gone')), { once: true });
  });
  return Promise.race([promise, gone]);
}
