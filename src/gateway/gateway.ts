import { untilAborted } from '../async/until-aborted.ts';
import { extendLineageByAnswer, type Lineage, requestLineages } from '../conversation/lineage.ts';
import { type TokenCount, TokenCounter } from '../counts/token-counter.ts';
import { CallerTurns } from '../processes/caller-limit.ts';
import type { LoadCounts } from '../processes/loads.ts';
import { type PoolLimits, type ProcessCounts, ProcessPool } from '../processes/pool.ts';
import type { ServedTurn } from '../processes/seeker.ts';
import { type FailingStatus, type OnSpareEnd, toldOfFailing } from '../processes/spare-health.ts';
import type { AgentSession } from '../spec/agent.ts';
import type { Caller } from '../spec/caller.ts';
import type { Engine } from '../spec/engine.ts';
import type { ExpansionRecord } from '../spec/expansion-store.ts';
import { type Failure, failed, failureOf } from '../spec/failures.ts';
import type { AnswerMessage, Message, MessagesRequest } from '../spec/messages.ts';
import type { TurnEvent } from '../spec/turn-events.ts';
import type { TurnMarks } from '../spec/turn-record.ts';
import { type AdmittedTurn, type AgentParts, AgentTurns } from './agent-turns.ts';
import { CredentialHealth, type CredentialState } from './credential-health.ts';
import { type Way, Ways } from './ways.ts';

/** A request with all that the gateway needs to answer it. */
export interface Order {
  /** The id of the request: the client's own, else the gateway's. */
  id: string;
  request: MessagesRequest;
  caller: Caller;
  /** Aborts when the client has gone. */
  signal: AbortSignal;
  /** The gateway writes the moments of the turn into it. */
  marks: TurnMarks;
  /** The message in which the client will send an answer back. */
  asReturned: (answer: AnswerMessage) => Message;
  /** What it says of the conversation; for agents only. */
  session: AgentSession;
}

/** A turn on its way to the model. */
export interface OpenTurn {
  way: Way;
  /** The same for all turns of a conversation, and of those that begin with the same words for the same caller. */
  conversation: string;
  /** Of a turn of an agent. */
  agent?: OpenAgentTurn;
  /** To be iterated once; leaving the iteration early cancels the turn at the model. */
  events: AsyncIterable<TurnEvent>;
}

/** What a client is told of an agent's turn at its beginning. */
export interface OpenAgentTurn {
  /** The conversation's id. */
  session: string;
  /** Whether several conversations look like this one, and the newest was taken. */
  isGuessed: boolean;
  /** As of the request, in a replay with the answers whose steps are not known. */
  converted: readonly string[];
}

export interface GatewayStatus {
  processes: ProcessCounts;
  waiting: number;
  memoryBytes: number;
  /** Whether processes take other conversations: `off` by the operator, `unsupported` by the `claude` binary. */
  reuse: { state: 'on' | 'off' | 'unsupported' } & LoadCounts;
  /** Set while the `claude` processes end by themselves. */
  failing?: FailingStatus;
  /** Whether the credential that paid at the boot still does. */
  signIn: CredentialState;
}

export interface GatewayLimits extends PoolLimits {
  /** Whether a process may take another conversation of its caller. */
  reuses: boolean;
}

/** Processes that may count tokens at a time; turns wait for none of them. */
const MOST_COUNTING = 2;
/** Characters of a lineage, 72 bits: enough to tell conversations apart. */
const CONVERSATION_LENGTH = 12;
/** How long turns that have been cut off may take to pass their error on. */
const LAST_ERRORS_MS = 500;

/**
 * The life of a turn between decoding and encoding: bring it to a process; relay the events; index the lineages that the process
 * then holds.
 *
 * All state is a cache. Dropping any of it changes how long the next turn takes, never what the model sees.
 */
export class Gateway {
  readonly #engine: Engine;
  readonly #reuses: boolean;
  readonly #pool: ProcessPool;
  readonly #ways: Ways;
  readonly #counter: TokenCounter;
  readonly #callers = new CallerTurns();
  readonly #agents: AgentTurns | undefined;
  readonly #credential: CredentialHealth;
  /** When what is still open will be cut off, as `performance.now()`; undefined while turns are taken. */
  #drainsUntil: number | undefined;
  #open = 0;

  /**
   * @param onSpareEnd hears of each spare that ended by itself
   * @param agents absent where the operator defines none
   */
  constructor(engine: Engine, limits: GatewayLimits, onSpareEnd: OnSpareEnd = () => undefined, agents?: AgentParts) {
    this.#engine = engine;
    this.#credential = new CredentialHealth(engine);
    this.#agents = agents && new AgentTurns(agents, (agent) => engine.tidy(agent));
    this.#reuses = limits.reuses;
    this.#pool = new ProcessPool(engine, limits, (process) => this.#ways.forget(process), onSpareEnd);
    this.#ways = new Ways(engine, this.#pool, limits.reuses);
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
    const { counts, waiting, memoryBytes, loadCounts, failing } = this.#pool;
    const reuse = { state: this.#reuses ? this.#engine.reuse : ('off' as const), ...loadCounts };
    return {
      processes: counts,
      waiting,
      memoryBytes,
      reuse,
      ...(failing && { failing: toldOfFailing(failing) }),
      signIn: this.#credential.state,
    };
  }

  /** Whether it takes no new turns any more. */
  get isDraining(): boolean {
    return this.#drainsUntil !== undefined;
  }

  /**
   * Brings a request to the model.
   *
   * @throws FailureError when the turn could not begin
   */
  async open(order: Order): Promise<OpenTurn> {
    const leave = this.#enter(order.caller);
    try {
      const admitted = await this.#agents?.admit(order);
      return admitted
        ? await this.#openAgent(admitted, order, leave)
        : await this.#reach(order, requestLineages(order.request, order.caller.id), leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  async #reach(order: Order, lineages: readonly Lineage[], leave: () => void): Promise<OpenTurn> {
    const { way, turn } = await this.#ways.reach(order, lineages);
    const conversation = (lineages[1] as Lineage).slice(0, CONVERSATION_LENGTH);
    return { way, conversation, events: this.#relay(turn, order, lineages, leave) };
  }

  async #openAgent(
    { request, session, isGuessed, keep, leave: leaveWorkspace }: AdmittedTurn,
    order: Order,
    leave: () => void,
  ): Promise<OpenTurn> {
    try {
      // A live process is the conversation's own, also where another one looks alike.
      const lineages = requestLineages(request, order.caller.id, session);
      const { way, conversation, events } = await this.#reach({ ...order, request }, lineages, () => {
        leaveWorkspace();
        leave();
      });
      // A live process has all steps.
      const { converted } = way.path === 'continue' ? order.request : request;
      return { way, conversation, agent: { session, isGuessed, converted }, events: keep(events) };
    } catch (error) {
      leaveWorkspace();
      throw error;
    }
  }

  /** What an agent did in a turn of this caller, by the id of its request. */
  async agentTurn(id: string, caller: Caller): Promise<ExpansionRecord | undefined> {
    return this.#agents?.turn(id, caller);
  }

  /**
   * Counts the tokens that a request would send to the model: the engine counts, or else the gateway guesses.
   *
   * @throws FailureError when there is no room for the process that counts
   */
  async countTokens({ request, caller, signal }: Pick<Order, 'request' | 'caller' | 'signal'>): Promise<TokenCount> {
    const leave = this.#enter(caller);
    try {
      return await this.#counter.count(request, caller.id, signal);
    } finally {
      leave();
    }
  }

  /** Takes no new turns, lets open ones finish until the deadline, then ends every process. */
  async drain(deadlineMs: number): Promise<void> {
    this.#drainsUntil = performance.now() + deadlineMs;
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
    this.#drainsUntil ??= performance.now();
    this.#pool.endAll();
  }

  /**
   * Opens a turn of this caller.
   *
   * @returns ends the turn
   * @throws FailureError `shutting_down`, `caller_at_limit`
   */
  #enter(caller: Caller): () => void {
    if (this.#drainsUntil !== undefined)
      throw failed('shutting_down', { leftMs: this.#drainsUntil - performance.now() });
    const leaveCaller = this.#callers.enter(caller);
    this.#open += 1;
    return () => {
      this.#open -= 1;
      leaveCaller();
    };
  }

  /** Mends what made a turn fail before its first event; returns whether a new process may take it now. */
  #mend(failure: Failure): Promise<boolean> {
    return failure.code === 'machine_at_limit' ? this.#pool.makeRoom() : this.#engine.recover(failure);
  }

  #relay(begun: ServedTurn, order: Order, lineages: readonly Lineage[], leave: () => void): AsyncIterable<TurnEvent> {
    const { request, signal, marks, asReturned } = order;
    let served = begun;
    const cancel = () => void this.#ways.giveUp(served, lineages);
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    const onTerminal = (event: TurnEvent) => {
      signal.removeEventListener('abort', cancel);
      if (event.type === 'message_stop') {
        this.#pool.works();
        this.#credential.works();
      } else if (event.type === 'failure') this.#credential.failed(event.failure);
      const { process, isOwn } = served;
      // A process that waits may have been taken by another turn before the end of this one was read.
      if (event.type !== 'message_stop' || process.state === 'ended' || !isOwn()) return;
      // The process holds the assistant's last words as two messages; the client may send them back as one.
      if (request.messages.at(-1)?.role === 'assistant') process.end();
      else {
        const whole = lineages.at(-1) as Lineage;
        this.#ways.settle(process, [...lineages, extendLineageByAnswer(whole, asReturned(event.answer), request)]);
      }
    };
    const replayInstead = async () => {
      delete marks.spawned;
      served = await this.#ways.replay(order);
      if (signal.aborted) cancel();
      return served.events;
    };
    return observed(
      withSecondTry(begun.events, (failure) => untilAborted(this.#mend(failure), signal, false), replayInstead),
      {
        onEvent: () => {
          marks.eventAt = performance.now();
        },
        onTerminal,
        onOver: (isComplete) => {
          if (!isComplete) cancel();
          leave();
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
