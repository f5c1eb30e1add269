import type { Lineage } from './lineage.ts';

/**
 * Finds the process that can continue a conversation: an index of live processes by the lineage that they have reached.
 *
 * Several may have reached one lineage, as forks that went the same way do; the newest is taken first. Taking is synchronous, so
 * that two requests that continue the same point never get the same process.
 */
export class LineageRegistry<Live> {
  readonly #byLineage = new Map<Lineage, Live[]>();
  readonly #lineageOf = new Map<Live, Lineage>();

  add(lineage: Lineage, live: Live): void {
    this.remove(live);
    const standing = this.#byLineage.get(lineage);
    if (standing) standing.push(live);
    else this.#byLineage.set(lineage, [live]);
    this.#lineageOf.set(live, lineage);
  }

  /** Removes and returns the newest at a lineage. */
  take(lineage: Lineage): Live | undefined {
    const found = this.#byLineage.get(lineage)?.at(-1);
    if (found !== undefined) this.remove(found);
    return found;
  }

  remove(live: Live): void {
    const lineage = this.#lineageOf.get(live);
    if (lineage === undefined) return;
    this.#lineageOf.delete(live);
    const rest = (this.#byLineage.get(lineage) ?? []).filter((other) => other !== live);
    if (rest.length > 0) this.#byLineage.set(lineage, rest);
    else this.#byLineage.delete(lineage);
  }
}
