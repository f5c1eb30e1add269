import { EventQueue } from '../src/async/event-queue.ts';
import { untilAborted } from '../src/async/until-aborted.ts';
import { stableJson } from '../src/conversation/canonical.ts';
import { carriedForm } from '../src/conversation/carried-form.ts';
import { toolsKeyOf } from '../src/conversation/route.ts';
import type { ConversationProcess, ProcessListener, ProcessState } from '../src/spec/engine.ts';
import { type Failure, failure } from '../src/spec/failures.ts';
import type { Message, MessagesRequest } from '../src/spec/messages.ts';
import type { PlanLimits } from '../src/spec/plan-limits.ts';
import type { TurnEvent } from '../src/spec/turn-events.ts';
import type { Fault, Faults } from './faults.ts';
import type { Answer } from './play.ts';

/** What a process needs of its engine. */
export interface Surroundings {
  reuseKey: string | undefined;
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
  readonly betasKey: string;
  readonly reuseKey: string | undefined;
  toolsKey: string;
  loads = 0;
  turns = 1;
  changedAt = performance.now();
  #state: ProcessState = 'streaming';
  #heldIds: readonly string[] = [];
  #turn: EventQueue<TurnEvent> | undefined;
  #isUp = false;
  #stopPlay: (() => void) | undefined;
  #onEnd: (() => void) | undefined;
  #model: string;
  readonly #first: MessagesRequest;
  /** What the model has seen and said. */
  readonly #messages: Message[];
  readonly #listener: ProcessListener;
  readonly #surroundings: Surroundings;

  constructor(request: MessagesRequest, listener: ProcessListener, surroundings: Surroundings) {
    this.toolsKey = toolsKeyOf(request);
    this.betasKey = stableJson(request.betas);
    this.reuseKey = surroundings.reuseKey;
    this.#first = request;
    this.#model = request.model;
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
      if (spawn === 'fails') return this.end(failure('process_spawn_failed', undefined));
      this.#isUp = true;
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
    if (!(await this.#takesTurn(this.#surroundings.faults.continue, signal))) {
      this.end();
      return undefined;
    }
    return this.#take(request, request.messages.slice(-1));
  }

  messagesToLoad(request: MessagesRequest, shared: number): number {
    return request.messages.length - 1 - keepable(request.messages, shared);
  }

  async load(
    request: MessagesRequest,
    shared: number,
    signal: AbortSignal,
  ): Promise<AsyncIterable<TurnEvent> | undefined> {
    if (this.#state !== 'held' && this.#state !== 'idle') return undefined;
    this.#setState('streaming');
    this.turns += 1;
    this.loads += 1;
    if (!(await this.#takesTurn(this.#surroundings.faults.load, signal))) {
      this.end();
      return undefined;
    }
    const kept = keepable(request.messages, shared);
    this.#messages.length = kept;
    this.#model = request.model;
    this.toolsKey = toolsKeyOf(request);
    return this.#take(request, request.messages.slice(kept));
  }

  async giveUp(): Promise<number | undefined> {
    if (!this.#turn || !this.#isUp || this.#surroundings.faults.giveUp === 'fails') {
      this.end();
      return undefined;
    }
    this.#closeTurn({ type: 'failure', failure: failure('client_gone') });
    this.turns -= 1;
    const held = keepable(this.#messages, this.#messages.length - 1);
    this.#messages.length = held;
    await Promise.resolve();
    if (this.#state === 'ended') return undefined;
    this.#setState('idle');
    this.#listener.onParked(this);
    return held;
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

  #take(request: MessagesRequest, added: readonly Message[]): AsyncIterable<TurnEvent> {
    this.#messages.push(...added);
    const turn = this.#openTurn();
    this.#play(turn, request);
    return turn;
  }

  async #takesTurn(fault: Fault | undefined, signal: AbortSignal): Promise<boolean> {
    if (fault instanceof Promise) {
      const ended = new AbortController();
      this.#onEnd = () => ended.abort();
      await untilAborted(fault, AbortSignal.any([signal, ended.signal]), undefined);
    }
    return fault !== 'fails' && !signal.aborted && this.#state === 'streaming';
  }

  #play(turn: EventQueue<TurnEvent>, { tools, parameters, agent }: MessagesRequest): void {
    const { system, betas } = this.#first;
    const play = this.#surroundings.answer({
      model: this.#model,
      system,
      messages: [...this.#messages],
      tools,
      parameters,
      betas,
      ...(agent && { agent }),
      process: this.id,
      turn: this.turns,
    });
    const isOpen = () => this.#turn === turn;
    const stop = play({
      push: (event) => turn.push(event),
      complete: (answer, { endsProcess = false, unfoldable, hidden } = {}) => {
        if (!isOpen()) return;
        this.#messages.push({ role: 'assistant', content: carriedForm(answer.content).content });
        if (!endsProcess) {
          this.#heldIds = answer.content.flatMap(({ type, id }) => (type === 'tool_use' ? [String(id)] : []));
          this.#setState(this.#heldIds.length > 0 ? 'held' : 'idle');
        }
        this.#closeTurn({ type: 'message_stop', answer, ...(unfoldable && { unfoldable }), ...(hidden && { hidden }) });
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

/** How many of the shared messages a load keeps: it cuts in front of a user's text, as Claude Code does. */
function keepable(messages: readonly Message[], shared: number): number {
  const isCut = ({ role, content }: Message) => role === 'user' && content.every(({ type }) => type !== 'tool_result');
  let kept = shared;
  while (kept > 0 && !isCut(messages[kept] as Message)) kept -= 1;
  return kept;
}
