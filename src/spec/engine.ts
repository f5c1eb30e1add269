/**
 * What the gateway asks of an engine: processes that answer turns. `src/engine` is the one over the Agent SDK. The test engine
 * behaves the same without processes; one conformance suite runs against both.
 */
import type { CountedFor, CountedPlaces, PlaceCounts } from './counted-part.ts';
import type { Failure } from './failures.ts';
import type { MessagesRequest } from './messages.ts';
import type { ModelListing } from './model-listing.ts';
import type { ProcessEnd } from './process-end.ts';
import type { TurnEvent } from './turn-events.ts';

export interface Engine {
  /**
   * Learns what a process for this request must know before its first turn. Calls no model, and never throws: without it the
   * turn works too, but the model may see words that are not the client's.
   */
  prepare(request: Pick<MessagesRequest, 'model' | 'agent'>): Promise<void>;

  /**
   * Mends what made a turn fail before its first event, such as a sign-in that has run out.
   *
   * @returns whether the same turn may succeed now, by a replay
   */
  recover(failure: Failure): Promise<boolean>;

  /**
   * Hands a whole request to a new process, whatever its history. When it returns, nothing has reached the model yet.
   *
   * @throws FailureError `files_not_written`, `machine_at_limit`
   */
  replay(request: MessagesRequest, listener: ProcessListener): BegunTurn;

  /**
   * Whether a spare can serve any request. If not, it serves those alone that have the same {@link SpareLikeness}, and that only
   * where processes can be used again.
   */
  readonly sparesServe: 'any request' | 'alike requests';

  /**
   * Spawns a spare; resolves when it can be claimed.
   *
   * @param likeness of the requests that it is to serve, where that matters
   * @throws FailureError `process_spawn_failed` when its process ended; another error when it did not come up for another reason
   */
  spawnSpare(likeness?: SpareLikeness): Promise<Spare>;

  /**
   * The sign-in that pays: another value means another one or a renewed one, `gone` that its user has signed out. Undefined where
   * something else pays.
   */
  readonly signIn: string | undefined;

  /** Asks which credential pays, which models there are, and whether a process can be used again. Calls no model. */
  introduction(): Promise<Introduction>;

  /**
   * Counts the tokens of parts of requests to one model, all in one process. Calls no model.
   *
   * @param onSpawned called when the process that counts is up, so that the next can be spawned
   * @param signal ends the count
   * @returns a count for each part that could be counted
   */
  countTokens(
    asked: CountedFor,
    parts: CountedPlaces,
    onSpawned: () => void,
    signal: AbortSignal,
  ): Promise<PlaceCounts>;

  /**
   * Whether its processes take other conversations. `unsupported` where they do not, and before the {@link introduction} has
   * shown that they do; without it no request has a {@link reuseKey}.
   */
  readonly reuse: 'on' | 'unsupported';

  /**
   * What a process cannot change once it lives, such as its system prompt: a request can be loaded into a process with an equal
   * key. Says nothing of the caller. Undefined while {@link reuse} is `unsupported`.
   */
  reuseKey(request: MessagesRequest): string | undefined;

  /**
   * Removes what an ended turn of an agent has left in its workspace, once the processes that were killed are gone. Only while no
   * other turn works there.
   */
  tidy(agent: string): Promise<void>;

  /** Spawns nothing by itself any more. */
  close(): void;

  /** Ends every process, also one that nobody has yet, such as a spare that is being spawned. */
  endAll(): void;

  /** Resolves when no process is left, and so none writes files any more; a spare that is starting counts as one. */
  allGone(): Promise<void>;

  /** Removes the files of all processes without waiting for their exit: for the end of the program. */
  abandonAll(): void;
}

/**
 * - `streaming`: a turn is under way
 * - `held`: the model turn is paused on the client's tools
 * - `idle`: the last answer is complete
 * - `ended`: exited, or about to
 */
export type ProcessState = 'streaming' | 'held' | 'idle' | 'ended';

/** One process that serves one conversation at a time. */
export interface ConversationProcess {
  readonly id: number;
  readonly pid: number | undefined;
  readonly state: ProcessState;
  /** Turns answered or under way. */
  readonly turns: number;
  /** `performance.now()` of the last change of state. */
  readonly changedAt: number;
  /** The tools of its first turn or its latest load, as JSON with sorted keys; a route is chosen by it. */
  readonly toolsKey: string;
  /** The betas of its first turn or its latest load, in the same form. */
  readonly betasKey: string;
  /** Why it must not take another turn although it lives, in a few words; undefined if it may. */
  readonly staleness: string | undefined;
  /** The tool_use ids that wait for results, in the order of the calls; empty unless `held`. */
  readonly heldIds: readonly string[];

  /**
   * Takes the conversation's next turn: a user message if the process is idle, tool results if it holds calls. The route
   * (`conversation/route`) must have found that the process carries it unaltered.
   *
   * @param signal aborts when the client has gone; a process that has not taken the turn by then ends
   * @returns the turn's events; or undefined if the process ended before it had taken anything, and a replay is safe
   */
  continue(request: MessagesRequest, signal: AbortSignal): Promise<AsyncIterable<TurnEvent> | undefined>;

  /** As {@link Engine.reuseKey} gave it for its first request; undefined when it takes no other conversation any more. */
  readonly reuseKey: string | undefined;
  /** The requests that were loaded into it. */
  readonly loads: number;

  /**
   * How many messages {@link load} would have to write into it: the last ones before the newest. They are those that it does
   * not hold, and those that it must drop with what it holds behind them.
   *
   * @param shared how many of the messages before the newest it holds, from the first on
   */
  messagesToLoad(request: MessagesRequest, shared: number): number;

  /**
   * Takes the turn of another conversation, or of an earlier point of its own. It drops what the request does not share, takes
   * the rest of the history, calling no model, and then the newest message. The process must be idle or hold calls, its
   * `reuseKey` must be the request's, and the route must have found that it carries the request unaltered. From the call on it
   * is `streaming`, so that nobody else takes it.
   *
   * @param shared how many of the messages before the newest it holds, from the first on; 0 for another conversation
   * @param signal aborts when the client has gone; a process that has not taken the turn by then ends
   * @returns the turn's events; or undefined if the process ended before the turn had reached the model, and a replay is safe
   */
  load(request: MessagesRequest, shared: number, signal: AbortSignal): Promise<AsyncIterable<TurnEvent> | undefined>;

  /**
   * Gives an open turn up for a client that has gone; it ends with `client_gone`. The model's answer is cut off as by
   * {@link end}, but the process may live on: then it waits, and holds the conversation up to an earlier message.
   *
   * @returns how many of the conversation's messages it holds then; undefined if it has ended
   */
  giveUp(): Promise<number | undefined>;

  /** Ends the process at once, without another model call. An open turn ends with the failure, by default `client_gone`. */
  end(failure?: Failure): void;

  /** The memory of the process, in bytes; undefined where the system does not tell. */
  measureMemory(): Promise<number | undefined>;
}

/** A process with the events of its first turn. */
export interface BegunTurn {
  process: ConversationProcess;
  /** Iterate them once: they end with exactly one terminal event and never throw. */
  events: AsyncIterable<TurnEvent>;
}

/** What the owner of processes hears about them. */
export interface ProcessListener {
  /** The process is up and about to call the model. */
  onSpawned: () => void;
  /** The process has ended; called once. */
  onEnded: (process: ConversationProcess) => void;
  /** Its turn is complete and it waits for the next. */
  onParked: (process: ConversationProcess) => void;
}

/** What requests must have in common to be served by one spare. */
export type SpareLikeness = Pick<MessagesRequest, 'model' | 'system' | 'betas'>;

/** A process that was spawned ahead and has no conversation yet. */
export interface Spare {
  readonly pid: number | undefined;
  /** Resolves with how its process ended, unless it was claimed before. */
  readonly exited: Promise<ProcessEnd | undefined>;

  /**
   * Makes the spare the process of a conversation. It takes the history as {@link ConversationProcess.load} does, and then the
   * newest message.
   *
   * @param request that a process takes by a load; without a history where the engine has no {@link Engine.reuseKey} for it
   * @param signal aborts when the client has gone
   * @returns undefined if the claim failed; the process has ended then, and nothing has reached the model
   */
  claim(request: MessagesRequest, listener: ProcessListener, signal: AbortSignal): Promise<BegunTurn | undefined>;

  /** Ends the spare; does nothing after a claim. */
  end(): void;

  measureMemory(): Promise<number | undefined>;
}

/** What an engine tells about itself. */
export interface Introduction {
  account: Account;
  models: ModelListing[];
}

/** Which credential the SDK finds, in its own words. No field holds a credential. */
export interface Account {
  /** `firstParty`, `bedrock`, `vertex`, `foundry`, … */
  apiProvider?: string;
  /** The variable or setting that holds the API key; `none` without one. */
  apiKeySource?: string;
  /** Where a token comes from; absent for a sign-in at claude.ai. */
  tokenSource?: string;
  /** The plan of a sign-in, such as `Claude Max`. */
  subscriptionType?: string;
  email?: string;
  organization?: string;
}
