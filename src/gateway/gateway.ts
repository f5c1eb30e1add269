import { stableJson } from '../conversation/canonical.ts';
import { obstacleToHeld, obstacleToIdle } from '../conversation/carriage.ts';
import { estimateTokens } from '../conversation/estimate-tokens.ts';
import { extendLineage, type Lineage, requestLineages } from '../conversation/lineage.ts';
import { LineageRegistry } from '../conversation/registry.ts';
import type { BegunTurn, Engine } from '../engine/claude-engine.ts';
import type { ClaudeProcess } from '../engine/process/claude-process.ts';
import { type PoolLimits, type ProcessCounts, ProcessPool } from '../processes/pool.ts';
import { FailureError, failureOf, shuttingDown } from '../spec/failure.ts';
import type { MessagesRequest } from '../spec/messages.ts';
import type { TurnEvent, TurnPath } from '../spec/turn-events.ts';

/** A turn on its way to the model. */
export interface OpenTurn {
  path: TurnPath;
  /** Why a turn with a history was not continued. */
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
}

/**
 * The life of a request between its decoding and its answer: find the process that continues its conversation, or start
 * one, or replay it; relay the turn; index what the process then holds.
 *
 * All state is a cache. Dropping any of it changes how long the next turn takes, never what the model sees.
 */
export class Gateway {
  readonly #registry = new LineageRegistry<ClaudeProcess>();
  readonly #pool: ProcessPool;
  #isDraining = false;
  /** Turns from their coming in to their last event, and counts. */
  #open = 0;

  constructor(engine: Engine, limits: PoolLimits) {
    this.#pool = new ProcessPool(engine, limits, (process) => this.#registry.remove(process));
    this.#pool.refill();
  }

  get status(): GatewayStatus {
    return { processes: this.#pool.counts, waiting: this.#pool.waiting, memoryBytes: this.#pool.memoryBytes };
  }

  /**
   * Brings a request to the model.
   *
   * @param clientKey keeps clients with different keys apart
   * @param signal aborts when the client has gone
   * @throws FailureError when the turn could not even begin
   */
  async open(request: MessagesRequest, clientKey: string, signal: AbortSignal): Promise<OpenTurn> {
    if (this.#isDraining) throw new FailureError(shuttingDown());
    this.#open += 1;
    try {
      const { history, whole } = requestLineages(request, clientKey);
      const { path, reason, begun } = await this.#reach(request, history, signal);
      return {
        path,
        ...(reason === undefined ? {} : { reason }),
        events: this.#relay(begun, request, whole, signal),
      };
    } catch (error) {
      this.#open -= 1;
      throw error;
    }
  }

  /**
   * Counts the tokens that a request would send to the model: by the SDK's own counting, or else by a guess.
   *
   * @throws FailureError when there is no room for the process that counts
   */
  async countTokens(request: MessagesRequest, signal: AbortSignal): Promise<TokenCount> {
    if (this.#isDraining) throw new FailureError(shuttingDown());
    this.#open += 1;
    try {
      const inputTokens = await this.#pool.countTokens(request, signal);
      return inputTokens === undefined
        ? { inputTokens: estimateTokens(request), source: 'estimate' }
        : { inputTokens, source: 'sdk' };
    } finally {
      this.#open -= 1;
    }
  }

  /** Takes no new turns, lets those under way finish until the deadline, then ends every process. */
  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true;
    this.#pool.endWaiting();
    await this.#untilNoneIsOpen(deadlineMs);
    this.#pool.endAll();
    // Those that have been cut off still get their error.
    await this.#untilNoneIsOpen(500);
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

  async #reach(
    request: MessagesRequest,
    history: Lineage,
    signal: AbortSignal,
  ): Promise<{ path: TurnPath; reason?: string; begun: BegunTurn }> {
    if (request.messages.length === 1) {
      const begun = await this.#start(request, signal);
      return { path: 'start', begun };
    }
    const process = this.#registry.take(history);
    const obstacle = process ? obstacleTo(process, request) : 'no live process holds this history';
    if (process && obstacle === undefined) {
      const events = await process.continue(request, signal);
      if (events) return { path: 'continue', begun: { process, events } };
    }
    // What it holds has been superseded by this request.
    process?.end();
    const begun = await this.#pool.replay(request, signal);
    return { path: 'replay', reason: obstacle ?? 'the live process was lost', begun };
  }

  async #start(request: MessagesRequest, signal: AbortSignal): Promise<BegunTurn> {
    const [newest] = request.messages;
    const isLive = newest?.role === 'user' && obstacleToIdle(newest) === undefined;
    return (isLive && (await this.#pool.claimSpare(request, signal))) || this.#pool.replay(request, signal);
  }

  #relay(begun: BegunTurn, request: MessagesRequest, whole: Lineage, signal: AbortSignal): AsyncIterable<TurnEvent> {
    let { process } = begun;
    const cancel = () => process.end();
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    const settle = (event: TurnEvent) => {
      signal.removeEventListener('abort', cancel);
      if (event.type !== 'message_stop' || process.state === 'ended') return;
      // The process has the assistant's last words as two messages, the client may send them back as one.
      if (request.messages.at(-1)?.role === 'assistant') process.end();
      else this.#registry.add(extendLineage(whole, { role: 'assistant', content: event.answer.content }), process);
    };
    const replayInstead = async () => {
      const next = await this.#pool.replay(request, signal);
      process = next.process;
      if (signal.aborted) cancel();
      return next.events;
    };
    return this.#counted(withSecondTry(begun.events, replayInstead), settle, cancel);
  }

  /** Relays a turn; tells of its terminal event before passing it on, or of its end without one. */
  async *#counted(
    events: AsyncIterable<TurnEvent>,
    onTerminal: (event: TurnEvent) => void,
    onLeft: () => void,
  ): AsyncGenerator<TurnEvent, void, undefined> {
    let isOver = false;
    try {
      for await (const event of events) {
        if (event.type === 'message_stop' || event.type === 'failure') {
          isOver = true;
          onTerminal(event);
        }
        yield event;
      }
    } finally {
      this.#open -= 1;
      if (!isOver) onLeft();
    }
  }
}

/**
 * A process that began without the client's tools has been ended before it called the model, so that another one can take
 * the turn unnoticed.
 */
async function* withSecondTry(
  events: AsyncIterable<TurnEvent>,
  replayInstead: () => Promise<AsyncIterable<TurnEvent>>,
): AsyncGenerator<TurnEvent, void, undefined> {
  for await (const event of events) {
    if (event.type !== 'failure' || event.failure.code !== 'process_tools_missing') {
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

function obstacleTo(process: ClaudeProcess, request: MessagesRequest): string | undefined {
  const newest = request.messages.at(-1);
  if (newest?.role !== 'user') return 'the newest message is not from the user';
  if (process.toolsKey !== stableJson(request.tools)) return 'the tools have changed';
  if (process.betasKey !== stableJson(request.betas)) return 'the betas have changed';
  return process.state === 'held' ? obstacleToHeld(newest, process.heldIds) : obstacleToIdle(newest);
}
