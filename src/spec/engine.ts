/**
 * What the gateway asks of an engine: processes that answer turns. `src/engine` has the one over the Agent SDK; the test
 * engine has the same behaviour without processes, and one conformance suite is run against both.
 */
import type { Failure } from './failures.ts';
import type { MessagesRequest } from './messages.ts';
import type { ModelListing } from './model-listing.ts';
import type { TurnEvent } from './turn-events.ts';

export interface Engine {
  /**
   * Hands a whole request to a new process, whatever its history; nothing it returns has reached the model yet.
   *
   * @throws FailureError `files_not_written`
   */
  replay(request: MessagesRequest, listener: ProcessListener): BegunTurn;

  /** Starts a spare; resolves when it can be claimed, rejects when it did not start. */
  prestart(): Promise<Spare>;

  /** What the engine says of itself: the credential that pays, and the models. Calls no model. */
  introduction(): Promise<Introduction>;

  /**
   * The tokens that a request would send to the model. Calls no model.
   *
   * @param onSpawned called when the process that counts has started, and takes no more of the machine
   * @param signal ends the count
   * @returns undefined when nothing could be counted
   */
  countTokens(request: MessagesRequest, onSpawned: () => void, signal: AbortSignal): Promise<number | undefined>;

  /** Ends every process, whoever has it, and those that nobody has yet, as a spare that is starting. */
  endAll(): void;

  /** Resolves when every process that has been ended is no more, and so writes no more files. */
  allGone(): Promise<void>;

  /** Removes what processes that have been ended would leave; for the end of the program, which waits for nothing. */
  abandonAll(): void;
}

/**
 * - `streaming`: a turn is under way
 * - `held`: the model turn is paused on the client's tools
 * - `idle`: the last answer is complete
 * - `ended`: gone, or going
 */
export type ProcessState = 'streaming' | 'held' | 'idle' | 'ended';

/** One process that serves one conversation, from its first turn to its end. */
export interface ConversationProcess {
  readonly id: number;
  readonly pid: number | undefined;
  readonly state: ProcessState;
  /** Turns answered or under way. */
  readonly turns: number;
  /** `performance.now()` of the last change of state. */
  readonly changedAt: number;
  /** Equal keys: the same list of tools. */
  readonly toolsKey: string;
  /** Equal keys: the same betas; a process keeps those of its first turn. */
  readonly betasKey: string;
  /** The tool_use ids that wait for results, in the order of the calls; empty unless `held`. */
  readonly heldIds: readonly string[];

  /**
   * Takes the conversation's next turn: a user message on an idle process, the tool results on one that holds calls. The
   * caller has made sure that the process carries it unaltered.
   *
   * @param signal aborts when the client has gone, which ends the process
   * @returns the turn's events; or undefined if the process ended before it had taken anything, and a replay is safe
   */
  continue(request: MessagesRequest, signal: AbortSignal): Promise<AsyncIterable<TurnEvent> | undefined>;

  /** Ends the process at once, without a further model call. An open turn ends with the failure, `client_gone` unless told. */
  end(failure?: Failure): void;

  /** The memory that it holds, in bytes; undefined where the system does not tell. */
  measureMemory(): Promise<number | undefined>;
}

/** A process together with the events of its first turn. */
export interface BegunTurn {
  process: ConversationProcess;
  /** To be iterated once; exactly one terminal event, and never an exception. */
  events: AsyncIterable<TurnEvent>;
}

/** What the owner of processes wants to hear of them. */
export interface ProcessListener {
  /** It has started and is about to call the model. */
  onSpawned: () => void;
  /** The process is gone; called once. */
  onEnded: (process: ConversationProcess) => void;
  /** Its turn is complete and it waits for the next. */
  onParked: (process: ConversationProcess) => void;
}

/** A pre-started process that is no conversation yet. */
export interface Spare {
  readonly pid: number | undefined;
  /** Resolves when its process has gone, unless it was claimed before. */
  readonly exited: Promise<void>;

  /**
   * Makes it the process of a new conversation.
   *
   * @param request one user message that an idle process could take
   * @param signal aborts when the client has gone
   * @returns undefined if it could not be claimed; it is gone then, and nothing has reached the model
   */
  claim(request: MessagesRequest, listener: ProcessListener, signal: AbortSignal): Promise<BegunTurn | undefined>;

  /** Discards it; harmless after it has been claimed. */
  end(): void;

  measureMemory(): Promise<number | undefined>;
}

/** What an engine says of itself. */
export interface Introduction {
  account: Account;
  models: ModelListing[];
}

/** Which credential the SDK finds, in its own words; no field has a credential. */
export interface Account {
  /** `firstParty`, `bedrock`, `vertex`, `foundry`, … */
  apiProvider?: string;
  /** The variable or setting that holds the API key; `none` without one. */
  apiKeySource?: string;
  /** Where a token comes from; absent for a sign-in of claude.ai. */
  tokenSource?: string;
  /** The plan of a sign-in, such as `Claude Max`. */
  subscriptionType?: string;
  email?: string;
  organization?: string;
}
