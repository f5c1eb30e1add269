/** How many steps of the queue its pace is measured by. */
const STEPS = 32;

/** How fast a queue moves. Times are milliseconds of one monotonic clock. */
export class QueuePace {
  /** When the queue began, then when the first of it left for a process; the newest steps. */
  readonly #moves: number[] = [];
  /** The mean step, of an earlier queue until this one has moved. */
  #meanMs: number | undefined;

  /** When the queue moved last, or began. */
  get movedAt(): number {
    return this.#moves.at(-1) ?? Number.NEGATIVE_INFINITY;
  }

  /** Whether the queue has moved since it began. */
  get isMeasured(): boolean {
    return this.#moves.length > 1;
  }

  /** Somebody comes into the empty queue. */
  begin(at: number): void {
    this.#moves.splice(0, this.#moves.length, at);
  }

  /** The first of the queue got a process. */
  move(at: number): void {
    this.#moves.push(at);
    if (this.#moves.length > STEPS + 1) this.#moves.shift();
    this.#meanMs = (at - (this.#moves[0] ?? at)) / (this.#moves.length - 1);
  }

  /** How long it takes until so many requests have left the queue; undefined if no queue has ever moved. */
  waitMs(requests: number, at: number): number | undefined {
    // While it stands still, it is slower than it was.
    return this.#meanMs === undefined ? undefined : Math.max(requests * this.#meanMs, at - this.movedAt);
  }
}
