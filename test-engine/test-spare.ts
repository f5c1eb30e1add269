import { untilAborted } from '../src/async/until-aborted.ts';
import type { BegunTurn, ProcessListener, Spare } from '../src/spec/engine.ts';
import type { MessagesRequest } from '../src/spec/messages.ts';
import type { ProcessEnd } from '../src/spec/process-end.ts';
import { type Faults, NEVER } from './faults.ts';
import type { TestProcess } from './test-process.ts';

/** What a spare needs of its engine. */
export interface SpareSurroundings {
  faults: Faults;
  toProcess: (request: MessagesRequest, listener: ProcessListener) => TestProcess;
  onGone: (spare: TestSpare) => void;
}

/** Stands in for a spare, without a process. */
export class TestSpare implements Spare {
  readonly pid = undefined;
  readonly exited: Promise<ProcessEnd | undefined>;
  #state: 'ready' | 'claimed' | 'gone' = 'ready';
  readonly #gone = new AbortController();
  readonly #surroundings: SpareSurroundings;

  constructor(surroundings: SpareSurroundings) {
    this.#surroundings = surroundings;
    this.exited = untilAborted(NEVER, this.#gone.signal, undefined);
  }

  async claim(
    request: MessagesRequest,
    listener: ProcessListener,
    signal: AbortSignal,
  ): Promise<BegunTurn | undefined> {
    const { claim } = this.#surroundings.faults;
    if (claim instanceof Promise) await untilAborted(claim, AbortSignal.any([signal, this.#gone.signal]), undefined);
    if (claim === 'fails' || signal.aborted || this.#state !== 'ready') {
      this.end();
      return undefined;
    }
    this.#state = 'claimed';
    this.#surroundings.onGone(this);
    const process = this.#surroundings.toProcess(request, listener);
    return { process, events: process.begin() };
  }

  end(): void {
    if (this.#state !== 'ready') return;
    this.#state = 'gone';
    this.#gone.abort();
    this.#surroundings.onGone(this);
  }

  async measureMemory(): Promise<undefined> {
    return undefined;
  }
}
