/** Which turn has a process: the latest that took it. */
export class Holds<Held extends object> {
  readonly #latest = new WeakMap<Held, symbol>();

  /** @returns whether nobody has taken it since */
  take(held: Held): () => boolean {
    const own = Symbol();
    this.#latest.set(held, own);
    return () => this.#latest.get(held) === own;
  }
}
