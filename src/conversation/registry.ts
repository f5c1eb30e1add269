import { type Lineage, sharedMessages } from './lineage.ts';

/** A live process, and how much of a request it holds. */
export interface Sharing<Live> {
  live: Live;
  /** How many of the request's messages, from the first on. */
  shared: number;
  /** How many messages it holds in all. */
  held: number;
}

/**
 * Finds the process that can continue a conversation, or go back to an earlier point of it: an index of live processes by the
 * lineages that they hold.
 *
 * Several may have reached one lineage, as forks that went the same way do; the newest is taken first. Taking is synchronous, so
 * that two requests that continue the same point never get the same process.
 */
export class LineageRegistry<Live> {
  readonly #byReached = new Map<Lineage, Live[]>();
  /** The lineages of what each holds, from the beginning on; the newest process last. */
  readonly #held = new Map<Live, readonly Lineage[]>();

  /** @param lineages of all beginnings of what it holds; the last is what it has reached */
  add(lineages: readonly Lineage[], live: Live): void {
    this.remove(live);
    this.#held.set(live, lineages);
    const reached = lineages.at(-1) as Lineage;
    const standing = this.#byReached.get(reached);
    if (standing) standing.push(live);
    else this.#byReached.set(reached, [live]);
  }

  /** Removes and returns the newest that has reached a lineage. */
  take(reached: Lineage): Live | undefined {
    const found = this.#byReached.get(reached)?.at(-1);
    if (found !== undefined) this.remove(found);
    return found;
  }

  /**
   * The process that suits and holds the most of these messages, at least one; of several the newest. It stays.
   *
   * @param lineages of all beginnings of the request
   */
  mostSharing(lineages: readonly Lineage[], suits: (sharing: Sharing<Live>) => boolean): Sharing<Live> | undefined {
    return [...this.#held]
      .map(([live, held]) => ({ live, shared: sharedMessages(lineages, held), held: held.length - 1 }))
      .filter(({ shared }) => shared > 0)
      .reverse()
      .sort((a, b) => b.shared - a.shared)
      .find(suits);
  }

  remove(live: Live): void {
    const reached = this.#held.get(live)?.at(-1);
    if (reached === undefined) return;
    this.#held.delete(live);
    const rest = (this.#byReached.get(reached) ?? []).filter((other) => other !== live);
    if (rest.length > 0) this.#byReached.set(reached, rest);
    else this.#byReached.delete(reached);
  }
}
