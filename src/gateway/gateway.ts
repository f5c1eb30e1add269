import { untilAborted } from '../async/until-aborted.ts';
import { estimateTokens } from '../conversation/estimate-tokens.ts';
import { extendLineageByAnswer, type Lineage, requestLineages } from '../conversation/lineage.ts';
import { LineageRegistry } from '../conversation/registry.ts';
import { chooseRoute } from '../conversation/route.ts';
import { TokenCounter } from '../counts/token-counter.ts';
import { CallerTurns } from '../processes/caller-limit.ts';
import { type PoolLimits, type ProcessCounts, ProcessPool } from '../processes/pool.ts';
import type { Failing, OnSpareEnd } from '../processes/spare-health.ts';
import type { Caller } from '../spec/caller.ts';
import type { BegunTurn, ConversationProcess, Engine } from '../spec/engine.ts';
import { type Failure, failed, failureOf } from '../spec/failures.ts';
import type { AnswerMessage, Message, MessagesRequest } from '../spec/messages.ts';
import type { TurnEvent, TurnPath } from '../spec/turn-events.ts';
import type { TurnMarks } from '../spec/turn-record.ts';

/** A request with all that the gateway needs to answer it. */
export interface Order {
  request: MessagesRequest;
  caller: Caller;
  /** Aborts when the client has gone. */
  signal: AbortSignal;
  /** The gateway writes the moments of the turn into it. */
  marks: TurnMarks;
  /** The message in which the client will send an answer back. */
  asReturned: (answer: AnswerMessage) => Message;
}

/** A turn on its way to the model. */
export interface OpenTurn {
  path: TurnPath;
  /** Why a turn with a history went by replay. */
  reason?: string;
  /** To be iterated once; leaving the iteration early cancels the turn at the model. */
  events: AsyncIterable<TurnEvent>;
}

export interface TokenCount {
  inputTokens: number;
  source: 'sdk' | 'estimate';
}

export interface GatewayStatus {
  processes: ProcessCounts;
  waiting: number;
  memoryBytes: number;
  /** Set while the `claude` processes end by themselves. */
  failing?: Failing;
}

/** Processes that may count tokens at a time; turns wait for none of them. */
const MOST_COUNTING = 2;
/** How long turns that have been cut off may take to pass their error on. */
const LAST_ERRORS_MS = 500;

/**
 * The life of a turn between decoding and encoding: continue on the process that holds its conversation, or start, or replay;
 * relay the events; index the lineage that the process then holds.
 *
 * All state is a cache. Dropping any of it changes how long the next turn takes, never what the model sees.
 */
export class Gateway {
  readonly #registry = new LineageRegistry<ConversationProcess>();
  readonly #engine: Engine;
  readonly #pool: ProcessPool;
  readonly #counter: TokenCounter;
  readonly #callers = new CallerTurns();
  #isDraining = false;
  #open = 0;

  /** @param onSpareEnd hears of each spare that ended by itself */
  constructor(engine: Engine, limits: PoolLimits, onSpareEnd: OnSpareEnd = () => undefined) {
    this.#engine = engine;
    this.#pool = new ProcessPool(engine, limits, (process) => this.#registry.remove(process), onSpareEnd);
    this.#counter = new TokenCounter(this.#pool, {
      processes: Math.min(Math.max(limits.spawnsAtATime - 1, 1), MOST_COUNTING),
      queueLength: limits.queueLength,
    });
    this.#pool.refill();
  }

  /** Open turns and token counts: from their arrival to their last event. */
  get openRequests(): number {
    return this.#open;
  }

  get status(): GatewayStatus {
    const { counts, waiting, memoryBytes, failing } = this.#pool;
    return { processes: counts, waiting, memoryBytes, ...(failing && { failing }) };
  }

  /**
   * Brings a request to the model.
   *
   * @throws FailureError when the turn could not begin
   */
  async open(order: Order): Promise<OpenTurn> {
    const leave = this.#enter(order.caller);
    try {
      const { history, whole } = requestLineages(order.request, order.caller.id);
      const { path, reason, begun } = await this.#reach(order, history);
      return {
        path,
        ...(reason === undefined ? {} : { reason }),
        events: this.#relay(begun, order, whole, leave),
      };
    } catch (error) {
      leave();
      throw error;
    }
  }

  /**
   * Counts the tokens that a request would send to the model: the engine counts, or else the gateway guesses.
   *
   * @throws FailureError when there is no room for the process that counts
   */
  async countTokens({ request, caller, signal }: Pick<Order, 'request' | 'caller' | 'signal'>): Promise<TokenCount> {
    const leave = this.#enter(caller);
    try {
      const inputTokens = await this.#counter.count(request, caller.id, signal);
      return inputTokens === undefined
        ? { inputTokens: estimateTokens(request), source: 'estimate' }
        : { inputTokens, source: 'sdk' };
    } finally {
      leave();
    }
  }

  /** Takes no new turns, lets open ones finish until the deadline, then ends every process. */
  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true;
    this.#pool.endWaiting();
    await this.#untilNoneIsOpen(deadlineMs);
    this.#pool.endAll();
    await this.#untilNoneIsOpen(LAST_ERRORS_MS);
  }

  async #untilNoneIsOpen(deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs;
    while (this.#open > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Ends every process at once. */
  endAll(): void {
    this.#isDraining = true;
    this.#pool.endAll();
  }

  /**
   * Opens a turn of this caller.
   *
   * @returns ends the turn
   * @throws FailureError `shutting_down`, `caller_at_limit`
   */
  #enter(caller: Caller): () => void {
    if (this.#isDraining) throw failed('shutting_down');
    const leaveCaller = this.#callers.enter(caller);
    this.#open += 1;
    return () => {
      this.#open -= 1;
      leaveCaller();
    };
  }

  async #reach(
    { request, signal, marks }: Order,
    history: Lineage,
  ): Promise<{ path: TurnPath; reason?: string; begun: BegunTurn }> {
    const process = this.#registry.take(history);
    const route = chooseRoute(request, process);
    if (route.path === 'start') {
      const claimed = route.takesSpare ? await this.#pool.claimSpare(request, signal, marks) : undefined;
      return { path: 'start', begun: claimed ?? (await this.#pool.replay(request, signal, marks)) };
    }
    if (process && route.path === 'continue') {
      marks.handed = performance.now();
      const events = await process.continue(request, signal);
      if (events) return { path: 'continue', begun: { process, events } };
    }
    // This request replaces what the process holds.
    process?.end();
    const begun = await this.#pool.replay(request, signal, marks);
    return { path: 'replay', reason: route.path === 'replay' ? route.reason : 'the live process was lost', begun };
  }

  #relay(begun: BegunTurn, order: Order, whole: Lineage, leave: () => void): AsyncIterable<TurnEvent> {
    const { request, signal, marks, asReturned } = order;
    let { process } = begun;
    const cancel = () => process.end();
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    const onTerminal = (event: TurnEvent) => {
      signal.removeEventListener('abort', cancel);
      if (event.type === 'message_stop') this.#pool.works();
      if (event.type !== 'message_stop' || process.state === 'ended') return;
      // The process holds the assistant's last words as two messages; the client may send them back as one.
      if (request.messages.at(-1)?.role === 'assistant') process.end();
      else this.#registry.add(extendLineageByAnswer(whole, asReturned(event.answer)), process);
    };
    const replayInstead = async () => {
      delete marks.spawned;
      const next = await this.#pool.replay(request, signal, marks);
      process = next.process;
      if (signal.aborted) cancel();
      return next.events;
    };
    return observed(
      withSecondTry(
        begun.events,
        (failure) => untilAborted(this.#engine.recover(failure), signal, false),
        replayInstead,
      ),
      {
        onEvent: () => {
          marks.eventAt = performance.now();
        },
        onTerminal,
        onOver: (isComplete) => {
          leave();
          if (!isComplete) cancel();
        },
      },
    );
  }
}

/** What {@link observed} tells its observer. */
interface TurnHooks {
  /** An event came from the engine. */
  onEvent: () => void;
  /** The terminal event came; it has not been passed on yet. */
  onTerminal: (event: TurnEvent) => void;
  /** The turn is over; `isComplete` is false if its reader left before the terminal event. */
  onOver: (isComplete: boolean) => void;
}

/** Relays a turn's events and tells the hooks about them. */
async function* observed(
  events: AsyncIterable<TurnEvent>,
  { onEvent, onTerminal, onOver }: TurnHooks,
): AsyncGenerator<TurnEvent, void, undefined> {
  let isComplete = false;
  try {
    for await (const event of events) {
      onEvent();
      if (event.type === 'message_stop' || event.type === 'failure') {
        isComplete = true;
        onTerminal(event);
      }
      yield event;
    }
  } finally {
    onOver(isComplete);
  }
}

/**
 * Relays a turn, and replays it once if it failed before its first event and the engine could mend the cause. The client
 * notices nothing.
 */
async function* withSecondTry(
  events: AsyncIterable<TurnEvent>,
  recover: (failure: Failure) => Promise<boolean>,
  replayInstead: () => Promise<AsyncIterable<TurnEvent>>,
): AsyncGenerator<TurnEvent, void, undefined> {
  let hasBegun = false;
  for await (const event of events) {
    if (event.type !== 'failure' || hasBegun || !(await recover(event.failure))) {
      hasBegun = true;
      yield event;
      continue;
    }
    try {
      yield* await replayInstead();
    } catch (error) {
      yield { type: 'failure', failure: failureOf(error) };
    }
    return;
  }
}
