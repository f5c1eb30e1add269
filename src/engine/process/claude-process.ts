import type { SessionStoreEntry } from '@anthropic-ai/claude-agent-sdk';
import { EventQueue } from '../../async/event-queue.ts';
import { within } from '../../async/within.ts';
import { stableJson } from '../../conversation/canonical.ts';
import { toolsKeyOf } from '../../conversation/route.ts';
import type { ConversationProcess, ProcessListener, ProcessState } from '../../spec/engine.ts';
import { type Failure, failure } from '../../spec/failures.ts';
import type { MessagesRequest } from '../../spec/messages.ts';
import type { HeardModel } from '../../spec/model-listing.ts';
import type { PlanLimits } from '../../spec/plan-limits.ts';
import type { TurnEvent } from '../../spec/turn-events.ts';
import type { EngineLog } from '../announcements/announcements.ts';
import type { Environment } from '../environment/environment.ts';
import { fileFailure } from '../files/process-files.ts';
import type { RunDirectory } from '../files/run-directory.ts';
import { logReuseFailed, type ReuseStep } from '../reuse/reuse-log.ts';
import { type AnswerStrategy, oneAnswer } from '../turn/answer-strategy.ts';
import { MessageReader, type Reading } from '../turn/message-reader.ts';
import type { Child } from './child.ts';
import { processMemory } from './memory.ts';
import { type InputParts, ProcessInput } from './process-input.ts';
import type { RequestParts } from './request-parts.ts';

/** What is the same for every process of an engine. */
export interface ProcessRules {
  /** Where the SDK writes the transcript of a replay. */
  directory: RunDirectory;
  /** Silence after which a turn is given up, in milliseconds. */
  stallMs: number;
  /** Whether a failed call becomes the answer instead of being repeated by the CLI. */
  failsAtFirstRetry: boolean;
  /** The headers of a process's requests, by the gateways that the client's request came through. */
  headersFor: (via: readonly string[]) => string;
  /** Hears what any process is told of the plan's limits. */
  onLimits: (heard: PlanLimits) => void;
  /** Hears of each model that has answered. */
  onModel: (heard: HeardModel) => void;
  /** Hears of a process that ended because it did not take another conversation. */
  log: EngineLog;
}

/** The variables of a process that takes turns. */
export function forTurns({ failsAtFirstRetry }: ProcessRules): Environment {
  // Without this variable the CLI says nothing of a wait over a minute. With it, it would repeat a refused call for ever, were its
  // process not ended at the first announcement.
  return failsAtFirstRetry ? { CLAUDE_CODE_RETRY_WATCHDOG: '1' } : {};
}

export interface ProcessParts extends InputParts, ProcessRules {
  /** See `Engine.reuseKey`. */
  reuseKey: string | undefined;
  child: Child;
  listener: ProcessListener;
  /** Why the process must not take another turn; undefined if it may. */
  staleness: () => string | undefined;
  /** How the model's answers make up a turn; by default each is one. */
  strategy?: AnswerStrategy;
  /** How long a turn may take. */
  timeLimit?: TimeLimit;
}

/** How long a turn may take, whatever happens in it. */
export interface TimeLimit {
  milliseconds: number;
  /** Called before the turn is ended as far as it has come. */
  onOver: () => void;
}

/** How long the CLI may take until it is ready for the next turn, in milliseconds. */
const SETTLE_MS = 10_000;
/** How long after the SDK's last message the end of its process may come, in milliseconds. */
const END_MS = 1_000;

const HAS_ENDED = 'the process has ended';

let nextId = 1;

/** One `claude` process. It feeds the SDK's messages to the reader and does what the readings ask for. */
export class ClaudeProcess implements ConversationProcess {
  readonly id = nextId++;
  readonly betasKey: string;
  loads = 0;
  turns = 1;
  changedAt = performance.now();
  #state: ProcessState = 'idle';
  #toolsKey: string;
  #turn: EventQueue<TurnEvent> | undefined;
  /** Resolves when the CLI has finished the previous turn and reads its input again. */
  #settled: Promise<void> = Promise.resolve();
  #settle: () => void = () => undefined;
  #stall: NodeJS.Timeout | undefined;
  #clock: NodeJS.Timeout | undefined;
  /** Whether it has said that it is about to call the model. */
  #isUp = false;
  /** Aborts when the process has ended. */
  readonly #over = new AbortController();
  readonly #input: ProcessInput;
  readonly #reader: MessageReader;
  readonly #parts: ProcessParts;

  constructor(parts: ProcessParts) {
    this.#parts = parts;
    this.#input = new ProcessInput(parts);
    this.#toolsKey = parts.toolsKey;
    this.betasKey = stableJson(parts.betas);
    this.#reader = new MessageReader({
      ...namesIn(parts),
      failsAtFirstRetry: parts.failsAtFirstRetry,
      strategy: parts.strategy ?? oneAnswer,
      now: Date.now,
    });
    parts.child.onExit = () => void this.#lose();
  }

  get state(): ProcessState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#parts.child.pid;
  }

  get staleness(): string | undefined {
    return this.#parts.staleness();
  }

  get toolsKey(): string {
    return this.#toolsKey;
  }

  get heldIds(): readonly string[] {
    return this.#state === 'held' ? (this.#reader.heldIds ?? []) : [];
  }

  get reuseKey(): string | undefined {
    return this.#parts.reuseKey;
  }

  /** The events of the turn that the process was made for, which it makes by itself. */
  begin(): AsyncIterable<TurnEvent> {
    this.#setState('streaming');
    this.#settled = this.#newSettled();
    this.#input.begin();
    const turn = this.#openTurn();
    void this.#pump();
    return turn;
  }

  /**
   * Gives its first request to a process without a conversation.
   *
   * @param claimed resolves when the process is this conversation's
   */
  beginEmpty(
    request: MessagesRequest,
    claimed: Promise<unknown>,
    signal: AbortSignal,
  ): Promise<AsyncIterable<TurnEvent> | undefined> {
    void this.#pump();
    this.turns = 0;
    const claim = async () => {
      await Promise.all([claimed, this.#bringTo(request, 0, false)]);
      return false;
    };
    return this.#take(request, signal, claim, 'claim');
  }

  /** For a session store's `append`: what the CLI has added to its transcript. */
  hear(entries: readonly SessionStoreEntry[]): void {
    this.#follow(this.#reader.hear(entries));
  }

  continue(request: MessagesRequest, signal: AbortSignal): Promise<AsyncIterable<TurnEvent> | undefined> {
    const isHolding = this.#state === 'held';
    return this.#take(request, signal, async () => {
      if (!isHolding) await this.#settled;
      if (!this.#hasEnded()) await this.#input.setParameters(request);
      return isHolding;
    });
  }

  messagesToLoad(request: MessagesRequest, shared: number): number {
    return this.#input.messagesToLoad(request, shared, this.#state === 'held');
  }

  load(request: MessagesRequest, shared: number, signal: AbortSignal): Promise<AsyncIterable<TurnEvent> | undefined> {
    const isHolding = this.#state === 'held';
    this.loads += 1;
    this.turns = 0;
    const load = async () => {
      await this.#bringTo(request, shared, isHolding);
      return false;
    };
    return this.#take(request, signal, load, 'load');
  }

  async giveUp(): Promise<number | undefined> {
    // While it comes up, only its end is quick.
    if (this.#turn && this.#isUp && this.#input.canCutTurn) {
      this.#follow(this.#reader.abandon(failure('client_gone')));
      try {
        const held = await this.#input.cutTurn();
        if (this.#hasEnded()) return undefined;
        this.#settle();
        this.#setState('idle');
        this.#parts.listener.onParked(this);
        return held;
      } catch (error) {
        // It ends, as a process does that is not used again.
        if (!this.#hasEnded()) logReuseFailed(this.#parts.log, 'give up', error);
      }
    }
    this.end();
    return undefined;
  }

  end(why: Failure = failure('client_gone')): void {
    if (this.#state === 'ended') return;
    this.#setState('ended');
    this.#parts.child.end();
    this.#input.close();
    this.#over.abort();
    this.#follow(this.#reader.fail(why));
    // Removes the transcript that the SDK wrote for a replay; the process itself is already dead.
    this.#parts.query.close();
    this.#parts.listener.onEnded(this);
  }

  measureMemory(): Promise<number | undefined> {
    return processMemory(this.pid);
  }

  /** A method, because the type checker assumes that an `await` leaves the state as it was. */
  #hasEnded(): boolean {
    return this.#state === 'ended';
  }

  /**
   * Gives a waiting process its next turn.
   *
   * @param makeReady brings it there, and says whether it holds the calls whose results the turn brings
   * @param step what that is, where it makes the process another conversation's
   */
  async #take(
    request: MessagesRequest,
    signal: AbortSignal,
    makeReady: () => Promise<boolean>,
    step?: ReuseStep,
  ): Promise<AsyncIterable<TurnEvent> | undefined> {
    if (this.#state !== 'held' && this.#state !== 'idle') return undefined;
    this.#setState('streaming');
    this.turns += 1;
    let hasHeld = false;
    try {
      hasHeld = await within(makeReady(), SETTLE_MS, AbortSignal.any([signal, this.#over.signal]));
    } catch (error) {
      if (step && !signal.aborted) logReuseFailed(this.#parts.log, step, this.#hasEnded() ? HAS_ENDED : error);
      this.end();
    }
    if (this.#hasEnded()) return undefined;
    const turn = this.#openTurn();
    if (hasHeld) this.#input.complete(request);
    else {
      this.#settled = this.#newSettled();
      this.#input.say(request);
    }
    return turn;
  }

  async #bringTo(request: MessagesRequest, shared: number, isHolding: boolean): Promise<void> {
    await this.#input.bringTo(request, shared, isHolding);
    this.#toolsKey = toolsKeyOf(request);
    this.#reader.turnTo(namesIn(this.#input.tools));
  }

  /** Iterates by hand: leaving a `for await` would close the query. */
  async #pump(): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await this.#parts.query.next();
        if (done || this.#state === 'ended') break;
        this.#stall?.refresh();
        this.#input.hear(value);
        this.#follow(this.#reader.read(value, performance.now()));
      }
      await this.#lose();
    } catch (error) {
      // A failed call throws here too, but its message came first; of a dead process this is the only word.
      await this.#lose(fileFailure(error, this.#parts.directory));
    }
  }

  /** An open turn waits for the process's last words: the SDK tells of the end before they are read. */
  async #lose(cause?: Failure): Promise<void> {
    if (this.#turn) await within(this.#parts.child.gone, END_MS).catch(() => undefined);
    const { ended, limit } = this.#parts.child;
    this.#follow(this.#reader.lose(ended, cause ?? limit));
  }

  #follow(readings: readonly Reading[]): void {
    for (const reading of readings) {
      switch (reading.type) {
        case 'event':
          this.#pass(reading.event);
          break;
        case 'spawned':
          this.#isUp = true;
          this.#startClock();
          this.#parts.listener.onSpawned();
          break;
        case 'limits':
          this.#parts.onLimits(reading.limits);
          break;
        case 'model':
          this.#parts.onModel(reading.model);
          break;
        case 'settled':
          this.#settle();
          break;
        case 'wait':
          setTimeout(() => this.#follow(this.#reader.waited()), reading.milliseconds).unref();
          break;
        case 'end':
          this.end();
          break;
      }
    }
  }

  #pass(event: TurnEvent): void {
    const turn = this.#turn;
    const isLast = event.type === 'message_stop' || event.type === 'failure';
    const { heldIds } = this.#reader;
    if (event.type === 'message_stop' && heldIds) this.#setState(heldIds.length > 0 ? 'held' : 'idle');
    turn?.push(event);
    if (!isLast) return;
    this.#turn = undefined;
    clearTimeout(this.#stall);
    clearTimeout(this.#clock);
    this.#stall = undefined;
    this.#clock = undefined;
    turn?.close();
    if (this.#state === 'held' || this.#state === 'idle') this.#parts.listener.onParked(this);
  }

  #openTurn(): EventQueue<TurnEvent> {
    const turn = new EventQueue<TurnEvent>();
    const { stallMs } = this.#parts;
    this.#turn = turn;
    this.#reader.open(performance.now());
    this.#stall = setTimeout(() => this.#isSilent(), stallMs).unref();
    return turn;
  }

  /** The time of a turn begins when the process is about to call the model. */
  #startClock(): void {
    const { timeLimit } = this.#parts;
    if (!timeLimit || !this.#turn || this.#clock) return;
    this.#clock = setTimeout(() => {
      timeLimit.onOver();
      this.#follow(this.#reader.cut(failure('agent_out_of_time', { seconds: timeLimit.milliseconds / 1000 })));
    }, timeLimit.milliseconds).unref();
  }

  #isSilent(): void {
    if (this.#reader.runsTools) this.#stall?.refresh();
    else this.#follow(this.#reader.fail(failure('upstream_stalled', { silentMs: this.#parts.stallMs })));
  }

  #setState(state: ProcessState): void {
    this.#state = state;
    this.changedAt = performance.now();
  }

  #newSettled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }
}

/** What the reader must know of a request's tools. */
function namesIn({ names, tools }: Pick<RequestParts, 'names' | 'tools'>) {
  return { names, declaredTools: new Set(tools.map((tool) => names.toModel(tool.name))) };
}
