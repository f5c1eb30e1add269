/** What a process is for. Where several wait, a turn goes before every count of tokens. */
export type Purpose = 'turn' | 'count';

/** Waiting requests of both purposes, in the order in which they go. */
export class WaitingLine<Waiter> {
  readonly #turns: Waiter[] = [];
  readonly #counts: Waiter[] = [];

  get length(): number {
    return this.#turns.length + this.#counts.length;
  }

  push(waiter: Waiter, purpose: Purpose): void {
    (purpose === 'turn' ? this.#turns : this.#counts).push(waiter);
  }

  /** Who goes next. */
  get first(): Waiter | undefined {
    return this.#turns[0] ?? this.#counts[0];
  }

  shift(): Waiter | undefined {
    return this.#turns.shift() ?? this.#counts.shift();
  }

  /** Does nothing if it does not wait. */
  remove(waiter: Waiter): void {
    for (const line of [this.#turns, this.#counts]) {
      const at = line.indexOf(waiter);
      if (at >= 0) line.splice(at, 1);
    }
  }
}
