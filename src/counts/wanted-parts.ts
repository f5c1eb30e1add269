import type { CountedFor, CountedPart, CountedPlaces } from '../spec/counted-part.ts';
import type { PartKey } from './remembered-counts.ts';

/** Where a part can be counted. A text leaves the prompt of the process, which a system prompt needs, if it can. */
const PLACES: Record<CountedPart['kind'], ReadonlyArray<keyof CountedPlaces>> = {
  messages: ['conversation'],
  text: ['conversation', 'prompt'],
  system: ['prompt'],
  tools: ['tools'],
};

/** A part that somebody waits for. */
export interface WantedPart {
  readonly key: PartKey;
  readonly part: CountedPart;
  /** Undefined when the part could not be counted. */
  readonly count: Promise<number | undefined>;
  resolve(count: number | undefined): void;
  reject(error: unknown): void;
}

/** The parts that one process counts, by their places. */
export type TakenParts = { [Place in keyof CountedPlaces]?: WantedPart };

/** What one caller wants to know of one model: one process can count it. */
export class WantedParts {
  readonly callerId: string;
  readonly asked: CountedFor;
  /** Waiting or being counted, with how many ask for it. */
  readonly #entries = new Map<PartKey, { wanted: WantedPart; askers: number }>();
  #waiting: WantedPart[] = [];
  #gone: AbortController | undefined;

  constructor(callerId: string, asked: CountedFor) {
    this.callerId = callerId;
    this.asked = asked;
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  get isBeingCounted(): boolean {
    return this.#gone !== undefined;
  }

  /** Asks for a part; {@link leave} it in the end. */
  want(key: PartKey, part: CountedPart): WantedPart {
    const asked = this.#entries.get(key);
    if (asked) {
      asked.askers += 1;
      return asked.wanted;
    }
    const wanted = newWanted(key, part);
    this.#entries.set(key, { wanted, askers: 1 });
    this.#waiting.push(wanted);
    return wanted;
  }

  /** The asker has its count, or has gone. What nobody asks for any more is not counted. */
  leave(wanted: WantedPart): void {
    const asked = this.#entries.get(wanted.key);
    if (asked?.wanted !== wanted) return;
    asked.askers -= 1;
    if (asked.askers > 0) return;
    this.#waiting = this.#waiting.filter((one) => one !== wanted);
    this.#entries.delete(wanted.key);
    if (this.#entries.size === 0) this.#gone?.abort();
  }

  /** A process is to count. @returns aborts when nobody asks any more */
  begin(): AbortSignal {
    this.#gone = new AbortController();
    return this.#gone.signal;
  }

  /** Takes what one process can count. */
  take(): TakenParts {
    const taken: TakenParts = {};
    this.#waiting = this.#waiting.filter((wanted) => {
      const place = PLACES[wanted.part.kind].find((one) => taken[one] === undefined);
      if (place) taken[place] = wanted;
      return !place;
    });
    return taken;
  }

  /** The process has counted these, or could not. */
  end(counted: TakenParts): void {
    this.#gone = undefined;
    for (const [, wanted] of entriesOf(counted)) {
      if (this.#entries.get(wanted.key)?.wanted === wanted) this.#entries.delete(wanted.key);
    }
  }
}

export function entriesOf(taken: TakenParts): Array<[keyof CountedPlaces, WantedPart]> {
  return Object.entries(taken) as Array<[keyof CountedPlaces, WantedPart]>;
}

export function partsOf(taken: TakenParts): CountedPlaces {
  return Object.fromEntries(entriesOf(taken).map(([place, { part }]) => [place, part]));
}

function newWanted(key: PartKey, part: CountedPart): WantedPart {
  let resolve: WantedPart['resolve'] = () => {};
  let reject: WantedPart['reject'] = () => {};
  const count = new Promise<number | undefined>((onCount, onError) => {
    resolve = onCount;
    reject = onError;
  });
  // Its askers may have gone.
  count.catch(() => undefined);
  return { key, part, count, resolve, reject };
}
