/**
 * Lets so many processes start at a time. Twenty at once on two cores take twice as long as one after another, for
 * every one of them.
 */
export class StartGate {
  #free: number;
  readonly #waiting: Array<() => void> = [];

  /** @param width starts at a time */
  constructor(width: number) {
    this.#free = width;
  }

  /** Whether a start would begin at once. */
  get isFree(): boolean {
    return this.#free > 0;
  }

  /** Waits for a turn. Call what it resolves to once, when the start is over, however it ended. */
  async enter(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let isLeft = false;
    return () => {
      if (isLeft) return;
      isLeft = true;
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    };
  }
}
