import type { ConversationProcess } from '../spec/engine.ts';
import { Holds } from './holds.ts';
import { LoadPace } from './load-pace.ts';
import type { MemoryGauge } from './memory-gauge.ts';
import type { Seeker, ServedTurn } from './seeker.ts';

/** The loads since the boot. */
export interface LoadCounts {
  loads: number;
  /** Those that did not succeed; their turns went to new processes. */
  failed: number;
}

/** A process takes so many loads: it grows by each. */
const MOST_LOADS = 200;

/** Gives processes that wait to other turns: whether one may be given away, whether that pays, and who has it then. */
export class Loads {
  readonly counts: LoadCounts = { loads: 0, failed: 0 };
  readonly pace = new LoadPace();
  readonly #memory: MemoryGauge;
  readonly #holds = new Holds<ConversationProcess>();

  constructor(memory: MemoryGauge) {
    this.#memory = memory;
  }

  /** Takes a process for a turn; returns whether it is still that turn's. */
  hold(process: ConversationProcess): () => boolean {
    return this.#holds.take(process);
  }

  /** Whether a process may take another load. */
  mayTake(process: ConversationProcess): boolean {
    return process.loads < MOST_LOADS && !this.#memory.hasGrown(process);
  }

  /**
   * Loads a request into a process that waits. It is taken at once.
   *
   * @param shared how many of the messages before the newest it holds
   * @returns undefined if it ended before the turn reached the model
   */
  async load(
    process: ConversationProcess,
    shared: number,
    { request, signal, marks }: Seeker,
  ): Promise<ServedTurn | undefined> {
    const isOwn = this.hold(process);
    const messages = process.messagesToLoad(request, shared);
    const startedAt = performance.now();
    marks.loading = startedAt;
    marks.handed = startedAt;
    this.counts.loads += 1;
    const events = await process.load(request, shared, signal);
    marks.loaded = performance.now();
    if (!events) {
      if (!signal.aborted) this.counts.failed += 1;
      return undefined;
    }
    this.pace.loaded('used', messages, marks.loaded - startedAt);
    return { process, events, isOwn };
  }
}
