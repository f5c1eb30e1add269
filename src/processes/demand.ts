/** How long a conversation that began counts as demand for another spare, in milliseconds. */
const RECENT_MS = 30_000;
/** How many times the spares of a quiet hour there may be at the most. */
const MOST_TIMES = 4;

/**
 * How many spares are wanted: as many as conversations began of late, within bounds. A crowd that comes in waves then finds
 * its processes spawned while it waits for answers.
 */
export class Demand {
  readonly #least: number;
  readonly #begun: number[] = [];

  /** @param least spares without any demand; with 0 there is never one */
  constructor(least: number) {
    this.#least = least;
  }

  /** A conversation begins that a spare could serve. */
  begin(at: number): void {
    this.#begun.push(at);
    if (this.#begun.length > this.#least * MOST_TIMES) this.#begun.shift();
  }

  /** @param at now, in milliseconds of the same clock */
  wanted(at: number): number {
    return Math.max(this.#least, this.#begun.filter((begun) => at - begun < RECENT_MS).length);
  }
}
