/** How many names are remembered, and for how long, in milliseconds: a model may come, and a count may fail for another reason. */
const MOST_NAMES = 1_000;
const REMEMBERED_MS = 60_000;

/** The names for which the API has lately counted no tokens, so that a client that asks again costs no process each time. */
export class MissingModels {
  /** When each was asked, the oldest first. */
  readonly #askedAt = new Map<string, number>();

  add(name: string, now: number): void {
    this.#askedAt.delete(name);
    this.#askedAt.set(name, now);
    const [oldest] = this.#askedAt.keys();
    if (this.#askedAt.size > MOST_NAMES && oldest !== undefined) this.#askedAt.delete(oldest);
  }

  has(name: string, now: number): boolean {
    const askedAt = this.#askedAt.get(name);
    return askedAt !== undefined && now - askedAt < REMEMBERED_MS;
  }
}
