import { untilAborted } from '../src/async/until-aborted.ts';
import { stableJson } from '../src/conversation/canonical.ts';
import type { CountedFor, CountedPart, CountedPlaces, PlaceCounts } from '../src/spec/counted-part.ts';
import type { BegunTurn, Engine, Introduction, ProcessListener } from '../src/spec/engine.ts';
import { type Failure, FailureError, failed, failure } from '../src/spec/failures.ts';
import type { MessagesRequest } from '../src/spec/messages.ts';
import type { PlanLimits } from '../src/spec/plan-limits.ts';
import type { Fault, Faults } from './faults.ts';
import type { Answer } from './play.ts';
import { TestProcess } from './test-process.ts';
import { TestSpare } from './test-spare.ts';

export interface TestEngineOptions {
  answer: Answer;
  /** The tokens of a part of a request; by default one for each character. */
  count?: (part: CountedPart, model: string) => number | undefined;
  introduction?: Introduction;
  /** Hears what the answers tell of the plan's limits. */
  onLimits?: (heard: PlanLimits) => void;
}

const INTRODUCTION: Introduction = {
  account: { apiProvider: 'firstParty', apiKeySource: 'ANTHROPIC_API_KEY', tokenSource: 'none' },
  models: [
    { id: 'claude-opus-5-5', aliases: ['opus'] },
    { id: 'claude-sonnet-5', aliases: ['sonnet'] },
    { id: 'claude-haiku-5-5', aliases: ['haiku'] },
  ],
};

/**
 * An engine without processes, for tests of the gateway in front of it. One conformance suite holds it and the real engine to
 * the contract of {@link Engine}.
 */
export class TestEngine implements Engine {
  /** What goes wrong from now on. */
  readonly faults: Faults = {};
  readonly sparesServe = 'any request';
  readonly #options: TestEngineOptions;
  readonly #processes = new Set<TestProcess>();
  readonly #spares = new Set<TestSpare>();
  /** Ends what nobody has yet: spares being spawned, counts, introductions. */
  #nobodys = new AbortController();
  #spawning = 0;
  readonly #waiting: Array<() => void> = [];

  constructor(options: TestEngineOptions) {
    this.#options = options;
  }

  /** The living processes of conversations. */
  get processes(): readonly TestProcess[] {
    return [...this.#processes];
  }

  /** The spares that can be claimed. */
  get spares(): readonly TestSpare[] {
    return [...this.#spares];
  }

  async prepare(): Promise<void> {}

  async recover(failure: Failure): Promise<boolean> {
    return this.faults.recover?.(failure) ?? failure.code === 'process_tools_missing';
  }

  replay(request: MessagesRequest, listener: ProcessListener): BegunTurn {
    if (this.faults.files) throw failed('files_not_written', { folder: '/full', problem: 'ENOSPC' });
    const { machine } = this.faults;
    const isAtLimit = machine !== undefined && this.#processes.size >= machine.most;
    const limit = failure('machine_at_limit', { limit: '`ulimit -n`', problem: 'EMFILE' });
    if (isAtLimit && machine.met === 'before') throw new FailureError(limit);
    const process = this.#newProcess(request, listener);
    const events = process.begin();
    if (isAtLimit) process.end(limit);
    return { process, events };
  }

  spawnSpare(): Promise<TestSpare> {
    return this.#onceUp(this.faults.spawnSpare, undefined, () => {
      const spare = new TestSpare({
        faults: this.faults,
        toProcess: (request, listener) => this.#newProcess(request, listener),
        onGone: () => {
          this.#spares.delete(spare);
          this.#tellGone();
        },
      });
      this.#spares.add(spare);
      return spare;
    });
  }

  introduction(): Promise<Introduction> {
    return this.#onceUp(this.faults.introduction, undefined, () => this.#options.introduction ?? INTRODUCTION);
  }

  async countTokens(
    { model }: CountedFor,
    parts: CountedPlaces,
    onSpawned: () => void,
    signal: AbortSignal,
  ): Promise<PlaceCounts> {
    const { count = (part: CountedPart) => JSON.stringify(part).length } = this.#options;
    return this.#onceUp(this.faults.count, signal, () => {
      onSpawned();
      return Object.fromEntries(Object.entries(parts).map(([place, part]) => [place, count(part, model)]));
    }).catch(() => ({}));
  }

  get signIn(): string | undefined {
    return this.faults.signIn;
  }

  get reuse(): 'on' | 'unsupported' {
    return this.faults.reuse === 'off' ? 'unsupported' : 'on';
  }

  reuseKey({ system, betas, agent }: MessagesRequest): string | undefined {
    return this.faults.reuse === 'off' || agent ? undefined : stableJson([system, betas]);
  }

  /** Does nothing: nothing works in a workspace. */
  async tidy(): Promise<void> {}

  /** Does nothing: it spawns nothing by itself. */
  close(): void {}

  endAll(): void {
    this.#nobodys.abort();
    this.#nobodys = new AbortController();
    for (const spare of this.spares) spare.end();
    for (const process of this.processes) process.lose();
  }

  async allGone(): Promise<void> {
    while (this.#living > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Does nothing: no process leaves files. */
  abandonAll(): void {}

  get #living(): number {
    return this.#processes.size + this.#spares.size + this.#spawning;
  }

  #newProcess(request: MessagesRequest, listener: ProcessListener): TestProcess {
    const process = new TestProcess(request, listener, {
      reuseKey: this.reuseKey(request),
      answer: this.#options.answer,
      faults: this.faults,
      onLimits: this.#options.onLimits ?? (() => undefined),
      onGone: (gone) => {
        this.#processes.delete(gone);
        this.#tellGone();
      },
    });
    this.#processes.add(process);
    return process;
  }

  /**
   * Does something once a process is up that nobody has yet.
   *
   * @throws Error when it does not come up, or is ended before
   */
  async #onceUp<Value>(fault: Fault | undefined, signal: AbortSignal | undefined, use: () => Value): Promise<Value> {
    const ended = signal ? AbortSignal.any([signal, this.#nobodys.signal]) : this.#nobodys.signal;
    this.#spawning += 1;
    try {
      await (fault instanceof Promise ? untilAborted(fault, ended, undefined) : undefined);
      if (fault === 'fails' || ended.aborted) throw new Error('The process did not come up.');
      return use();
    } finally {
      this.#spawning -= 1;
      this.#tellGone();
    }
  }

  #tellGone(): void {
    if (this.#living === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
