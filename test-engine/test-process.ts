import { EventQueue } from '../src/async/event-queue.ts';
import { untilAborted } from '../src/async/until-aborted.ts';
import { stableJson } from '../src/conversation/canonical.ts';
import { carriedForm } from '../src/conversation/carried-form.ts';
import type { ConversationProcess, ProcessListener, ProcessState } from '../src/spec/engine.ts';
import { type Failure, failure } from '../src/spec/failures.ts';
import type { Message, MessagesRequest } from '../src/spec/messages.ts';
import type { PlanLimits } from '../src/spec/plan-limits.ts';
import type { TurnEvent } from '../src/spec/turn-events.ts';
import type { Faults } from './faults.ts';
import type { Answer } from './play.ts';

/** What a process needs of its engine. */
export interface Surroundings {
  answer: Answer;
  faults: Faults;
  onGone: (process: TestProcess) => void;
  onLimits: (heard: PlanLimits) => void;
}

let nextId = 1;

/** Stands in for a conversation's process: it remembers the conversation and has each turn answered. */
export class TestProcess implements ConversationProcess {
  readonly id = nextId++;
  readonly pid = undefined;
  readonly toolsKey: string;
  readonly betasKey: string;
  readonly reuseKey = undefined;
  readonly loads = 0;
  turns = 1;
  changedAt = performance.now();
  #state: ProcessState = 'streaming';
  #heldIds: readonly string[] = [];
  #turn: EventQueue<TurnEvent> | undefined;
  #stopPlay: (() => void) | undefined;
  #onEnd: (() => void) | undefined;
  readonly #first: MessagesRequest;
  /** What the model has seen and said. */
  readonly #messages: Message[];
  readonly #listener: ProcessListener;
  readonly #surroundings: Surroundings;

  constructor(request: MessagesRequest, listener: ProcessListener, surroundings: Surroundings) {
    this.toolsKey = stableJson(request.tools);
    this.betasKey = stableJson(request.betas);
    this.#first = request;
    this.#messages = [...request.messages];
    this.#listener = listener;
    this.#surroundings = surroundings;
  }

  get state(): ProcessState {
    return this.#state;
  }

  get staleness(): string | undefined {
    return this.#surroundings.faults.staleness;
  }

  get heldIds(): readonly string[] {
    return this.#state === 'held' ? this.#heldIds : [];
  }

  /** The events of its first turn. */
  begin(): AsyncIterable<TurnEvent> {
    const { spawn } = this.#surroundings.faults;
    const turn = this.#openTurn();
    const comesUp = () => {
      if (this.#turn !== turn) return;
      if (spawn === 'fails') return this.end(failure('process_start_failed', undefined));
      this.#listener.onSpawned();
      this.#play(turn, this.#first);
    };
    if (spawn instanceof Promise) void spawn.then(comesUp);
    else queueMicrotask(comesUp);
    return turn;
  }

  async continue(request: MessagesRequest, signal: AbortSignal): Promise<AsyncIterable<TurnEvent> | undefined> {
    if (this.#state !== 'held' && this.#state !== 'idle') return undefined;
    this.#setState('streaming');
    this.turns += 1;
    if (!(await this.#takesTurn(signal))) {
      this.end();
      return undefined;
    }
    this.#messages.push(...request.messages.slice(-1));
    const turn = this.#openTurn();
    this.#play(turn, request);
    return turn;
  }

  messagesToLoad(request: MessagesRequest, shared: number): number {
    return request.messages.length - 1 - shared;
  }

  async load(): Promise<undefined> {
    this.end();
    return undefined;
  }

  end(why: Failure = failure('client_gone')): void {
    if (this.#state === 'ended') return;
    this.#setState('ended');
    this.#closeTurn({ type: 'failure', failure: why });
    this.#onEnd?.();
    this.#surroundings.onGone(this);
    this.#listener.onEnded(this);
  }

  /** Kills it from outside. */
  lose(): void {
    this.end(failure('process_lost', { code: null, signal: 'SIGKILL', stderr: '' }));
  }

  async measureMemory(): Promise<undefined> {
    return undefined;
  }

  async #takesTurn(signal: AbortSignal): Promise<boolean> {
    const fault = this.#surroundings.faults.continue;
    if (fault instanceof Promise) {
      const ended = new AbortController();
      this.#onEnd = () => ended.abort();
      await untilAborted(fault, AbortSignal.any([signal, ended.signal]), undefined);
    }
    return fault !== 'fails' && !signal.aborted && this.#state === 'streaming';
  }

  #play(turn: EventQueue<TurnEvent>, { tools, parameters }: MessagesRequest): void {
    const { model, system, betas } = this.#first;
    const play = this.#surroundings.answer({
      model,
      system,
      messages: [...this.#messages],
      tools,
      parameters,
      betas,
      process: this.id,
      turn: this.turns,
    });
    const isOpen = () => this.#turn === turn;
    const stop = play({
      push: (event) => turn.push(event),
      complete: (answer, { endsProcess = false, unfoldable } = {}) => {
        if (!isOpen()) return;
        this.#messages.push({ role: 'assistant', content: carriedForm(answer.content).content });
        if (!endsProcess) {
          this.#heldIds = answer.content.flatMap(({ type, id }) => (type === 'tool_use' ? [String(id)] : []));
          this.#setState(this.#heldIds.length > 0 ? 'held' : 'idle');
        }
        this.#closeTurn({ type: 'message_stop', answer, ...(unfoldable && { unfoldable }) });
        if (endsProcess) this.end();
        else this.#listener.onParked(this);
      },
      fail: (why) => {
        if (isOpen()) this.end(why);
      },
      tell: this.#surroundings.onLimits,
    });
    if (isOpen()) this.#stopPlay = stop;
  }

  #openTurn(): EventQueue<TurnEvent> {
    const turn = new EventQueue<TurnEvent>();
    this.#turn = turn;
    return turn;
  }

  /** Gives the open turn, if there is one, its one terminal event. */
  #closeTurn(last: TurnEvent): void {
    const turn = this.#turn;
    this.#turn = undefined;
    turn?.push(last);
    turn?.close();
    this.#stopPlay?.();
    this.#stopPlay = undefined;
  }

  #setState(state: ProcessState): void {
    this.#state = state;
    this.changedAt = performance.now();
  }
}
