import { randomUUID } from 'node:crypto';
import type { Query, SDKUserMessage, SessionStoreEntry } from '@anthropic-ai/claude-agent-sdk';
import { EventQueue } from '../../async/event-queue.ts';
import { within } from '../../async/within.ts';
import { stableJson } from '../../conversation/canonical.ts';
import type { ConversationProcess, ProcessListener, ProcessState } from '../../spec/engine.ts';
import { type Failure, failure } from '../../spec/failures.ts';
import type { ClientTool, Message, MessagesRequest } from '../../spec/messages.ts';
import type { HeardModel } from '../../spec/model-listing.ts';
import type { PlanLimits } from '../../spec/plan-limits.ts';
import type { TurnEvent } from '../../spec/turn-events.ts';
import { HeldCalls } from '../held-calls/held-calls.ts';
import { type RequestVariables, toRequestVariables } from '../parameters/request-variables.ts';
import { ToolNames } from '../parameters/tool-names.ts';
import { toHistoryLine, toUserLine } from '../reuse/history-lines.ts';
import { InputReceipts } from '../reuse/input-receipts.ts';
import type { KnownMessages, Point } from '../reuse/known-messages.ts';
import { rewind } from '../reuse/rewind.ts';
import { oneAnswer } from '../turn/answer-strategy.ts';
import { MessageReader, type Reading } from '../turn/message-reader.ts';
import type { Child } from './child.ts';
import { CUSTOM_HEADERS } from './custom-headers.ts';
import type { Environment } from './environment.ts';
import { processMemory } from './memory.ts';
import { fileFailure } from './process-files.ts';
import type { RunDirectory } from './run-directory.ts';

/** What a process needs for the request that begins its conversation, whether it is spawned, claimed or used again. */
export interface RequestParts {
  heldCalls: HeldCalls;
  tools: readonly ClientTool[];
  betas: readonly string[];
  via: readonly string[];
  names: ToolNames;
  /** As they stand in the process's environment. */
  variables: RequestVariables;
}

export function partsFor(request: MessagesRequest): RequestParts {
  const { tools, betas, via = [] } = request;
  const names = new ToolNames(tools);
  return {
    heldCalls: new HeldCalls(tools, names),
    tools,
    betas,
    via,
    names,
    variables: toRequestVariables(request, names),
  };
}

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
}

/** The variables of a process that takes turns. */
export function forTurns({ failsAtFirstRetry }: ProcessRules): Environment {
  // Without this variable the CLI says nothing of a wait over a minute. With it, it would repeat a refused call for ever, were its
  // process not ended at the first announcement.
  return failsAtFirstRetry ? { CLAUDE_CODE_RETRY_WATCHDOG: '1' } : {};
}

export interface ProcessParts extends RequestParts, ProcessRules {
  query: Query;
  input: EventQueue<SDKUserMessage>;
  /** What it was given before its first turn begins. */
  known: KnownMessages;
  /** See `Engine.reuseKey`. */
  reuseKey: string | undefined;
  child: Child;
  listener: ProcessListener;
  /** Why the process must not take another turn; undefined if it may. */
  staleness: () => string | undefined;
}

/** How long the CLI may take until it is ready for the next turn, in milliseconds. */
const SETTLE_MS = 10_000;
/** How long after the SDK's last message the end of its process may come, in milliseconds. */
const END_MS = 1_000;

let nextId = 1;

/** One `claude` process. It feeds the SDK's messages to the reader and does what the readings ask for. */
export class ClaudeProcess implements ConversationProcess {
  readonly id = nextId++;
  readonly betasKey: string;
  toolsKey: string;
  loads = 0;
  turns = 1;
  changedAt = performance.now();
  #state: ProcessState = 'idle';
  #heldCalls: HeldCalls;
  /** How often it got other tools. */
  #toolChanges = 0;
  #names: ToolNames;
  #variables: RequestVariables;
  #headers: string;
  #turn: EventQueue<TurnEvent> | undefined;
  /** Resolves when the CLI has finished the previous turn and reads its input again. */
  #settled: Promise<void> = Promise.resolve();
  #settle: () => void = () => undefined;
  /** Resolves, some milliseconds later, when the CLI can be rewound. */
  #done: Promise<void> = Promise.resolve();
  #stall: NodeJS.Timeout | undefined;
  /** Whether it has said that it is about to call the model. */
  #isUp = false;
  readonly #receipts = new InputReceipts();
  /** Aborts when the process has ended. */
  readonly #over = new AbortController();
  readonly #reader: MessageReader;
  readonly #parts: ProcessParts;

  constructor(parts: ProcessParts) {
    this.#parts = parts;
    this.toolsKey = stableJson(parts.tools);
    this.betasKey = stableJson(parts.betas);
    this.#heldCalls = parts.heldCalls;
    this.#names = parts.names;
    this.#reader = new MessageReader({
      ...namesIn(parts),
      failsAtFirstRetry: parts.failsAtFirstRetry,
      strategy: oneAnswer,
      now: Date.now,
    });
    this.#variables = parts.variables;
    this.#headers = parts.headersFor(parts.via);
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
    this.#done = this.#receipts.taken(this.#parts.known.lastGiven);
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
    return this.#take(request, signal, async () => {
      await Promise.all([claimed, this.#bringTo(request, 0)]);
      return false;
    });
  }

  /** For a session store's `append`: what the CLI has added to its transcript. */
  hear(entries: readonly SessionStoreEntry[]): void {
    this.#follow(this.#reader.hear(entries));
  }

  continue(request: MessagesRequest, signal: AbortSignal): Promise<AsyncIterable<TurnEvent> | undefined> {
    const wasHeld = this.#state === 'held';
    return this.#take(request, signal, async () => {
      if (!wasHeld) await this.#settled;
      if (!this.#hasEnded()) await this.#applyVariables(request, this.#names);
      return wasHeld;
    });
  }

  messagesToLoad({ messages }: MessagesRequest, shared: number): number {
    const way = this.#parts.known.wayTo(shared);
    return way ? messages.length - 1 - way.from : Number.POSITIVE_INFINITY;
  }

  load(request: MessagesRequest, shared: number, signal: AbortSignal): Promise<AsyncIterable<TurnEvent> | undefined> {
    const way = this.#parts.known.wayTo(shared);
    const hasHeld = this.#state === 'held';
    this.loads += 1;
    this.turns = 0;
    return this.#take(request, signal, async () => {
      // Held calls are given up by a rewind alone.
      if (!way || (hasHeld && !way.rewindTo)) throw new Error('the process cannot be brought to this conversation');
      if (!hasHeld) await this.#done;
      if (way.rewindTo) await this.#rewindTo(way.rewindTo, hasHeld);
      await this.#bringTo(request, way.from);
      return false;
    });
  }

  async giveUp(): Promise<number | undefined> {
    const { lastPoint } = this.#parts.known;
    // While it comes up, only its end is quick.
    if (this.#turn && this.#isUp && lastPoint) {
      this.#follow(this.#reader.abandon(failure('client_gone')));
      try {
        await this.#rewindTo(lastPoint, true);
        if (this.#hasEnded()) return undefined;
        this.#done = Promise.resolve();
        this.#settle();
        this.#setState('idle');
        this.#parts.listener.onParked(this);
        return lastPoint.at;
      } catch {
        // It ends, as a process does that is not used again.
      }
    }
    this.end();
    return undefined;
  }

  end(why: Failure = failure('client_gone')): void {
    if (this.#state === 'ended') return;
    this.#setState('ended');
    this.#parts.child.end();
    this.#parts.input.close();
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
   */
  async #take(
    request: MessagesRequest,
    signal: AbortSignal,
    makeReady: () => Promise<boolean>,
  ): Promise<AsyncIterable<TurnEvent> | undefined> {
    if (this.#state !== 'held' && this.#state !== 'idle') return undefined;
    this.#setState('streaming');
    this.turns += 1;
    let hasHeld = false;
    try {
      hasHeld = await within(makeReady(), SETTLE_MS, AbortSignal.any([signal, this.#over.signal]));
    } catch {
      this.end();
    }
    if (this.#hasEnded()) return undefined;
    const newest = request.messages.at(-1) as Message;
    const at = request.messages.length - 1;
    const turn = this.#openTurn();
    if (hasHeld) {
      this.#parts.known.addResults(at);
      for (const result of newest.content) this.#heldCalls.complete(result);
    } else {
      this.#settled = this.#newSettled();
      const uuid = randomUUID();
      this.#parts.known.addTurn(newest, at, uuid);
      this.#done = this.#receipts.taken(uuid);
      this.#parts.input.push(toUserLine(newest, this.#names, uuid));
    }
    return turn;
  }

  async #rewindTo({ at, uuid }: Point, interrupts: boolean): Promise<void> {
    const { known, query } = this.#parts;
    await rewind(query, { target: uuid, lastSeen: known.lastGiven ?? uuid, isFirst: at === 0, interrupts });
    known.cutBack(at);
    this.#heldCalls.drop();
  }

  /** Makes the conversation the request's, but for its newest message, from this message on. */
  async #bringTo(request: MessagesRequest, from: number): Promise<void> {
    const { known, input } = this.#parts;
    await this.#changeTo(request);
    for (const [index, message] of request.messages.slice(from, -1).entries()) {
      const uuid = randomUUID();
      const taken = this.#receipts.taken(uuid);
      known.addHistory(message, from + index, uuid);
      input.push(toHistoryLine(message, request.model, this.#names, uuid));
      await taken;
    }
  }

  /** Gives it the request's tools and parameters. */
  async #changeTo(request: MessagesRequest): Promise<void> {
    const { query } = this.#parts;
    const parts = partsFor(request);
    const changes: Array<Promise<unknown>> = [this.#applyVariables(request, parts.names)];
    if (!parts.heldCalls.hasSameNames(this.#heldCalls)) {
      this.#toolChanges += 1;
      changes.push(query.setMcpServers(parts.heldCalls.servers(this.#toolChanges)));
      this.#heldCalls = parts.heldCalls;
    }
    await Promise.all(changes);
    this.toolsKey = stableJson(request.tools);
    this.#names = parts.names;
    this.#reader.turnTo(namesIn(parts));
  }

  async #applyVariables(request: MessagesRequest, names: ToolNames): Promise<void> {
    const wanted = toRequestVariables(request, names);
    const headers = this.#parts.headersFor(request.via ?? []);
    const hasOtherHeaders = headers !== this.#headers;
    if (!hasOtherHeaders && stableJson(wanted) === stableJson(this.#variables)) return;
    const env = hasOtherHeaders ? { ...wanted, [CUSTOM_HEADERS]: headers } : wanted;
    await this.#parts.query.applyFlagSettings({ env });
    this.#variables = wanted;
    this.#headers = headers;
  }

  /** Iterates by hand: leaving a `for await` would close the query. */
  async #pump(): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await this.#parts.query.next();
        if (done || this.#state === 'ended') break;
        this.#stall?.refresh();
        this.#receipts.hear(value);
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
    this.#stall = undefined;
    turn?.close();
    if (this.#state === 'held' || this.#state === 'idle') this.#parts.listener.onParked(this);
  }

  #openTurn(): EventQueue<TurnEvent> {
    const turn = new EventQueue<TurnEvent>();
    const { stallMs } = this.#parts;
    this.#turn = turn;
    this.#reader.open(performance.now());
    this.#stall = setTimeout(
      () => this.#follow(this.#reader.fail(failure('upstream_stalled', { silentMs: stallMs }))),
      stallMs,
    ).unref();
    return turn;
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
