import type { FailureCode } from './failures.ts';
import type { JsonObject } from './messages.ts';
import type { LimitStatus } from './plan-limits.ts';
import type { ProcessEnd } from './process-end.ts';
import type { ServedBy, TurnPath } from './turn-events.ts';

/**
 * What became of one turn: who asked, for what, how it went, what came. It never holds content or a credential. No text in it is
 * longer than some hundred characters; in words that came from elsewhere, all but line ends is escaped that a terminal would obey.
 */
export interface TurnRecord {
  who: WhoAsked & {
    /** The same for all turns of a conversation that the gateway recognises as one. Absent when the turn did not reach the engine. */
    conversation?: string;
    /** The user that the client says it asks for. */
    user?: string;
  };
  /** Absent when the request could not be decoded. */
  what?: WhatWasAsked;
  how: {
    /** Absent when the turn did not reach the engine. */
    path?: TurnPath;
    /** Which process answers. Absent when the turn did not reach one. */
    process?: ServedBy;
    /** Why a turn with a history was not continued, or why a process that was used before did not take it. */
    reason?: string;
    times: TurnTimes;
  };
  came: {
    /** `complete`, or the code of the failure. */
    outcome: 'complete' | FailureCode;
    stopReason?: string;
    /** As the model told it; of a turn that failed, as far as it had told it. */
    usage?: JsonObject;
    failure?: FailureRecord;
    /** What was known of the plan's limits when the turn was over: those of a refusal, else those of earlier answers. */
    plan?: PlanRecord;
  };
}

/** Known of every turn. */
export interface WhoAsked {
  requestId: string;
  /** The caller's name. */
  caller: string;
  /** The client program, from its user agent, such as `opencode/1.2`. */
  client?: string | undefined;
  /** The session that the client says it is in. */
  session?: string | undefined;
}

export interface WhatWasAsked {
  /** Such as `anthropic-messages`. */
  dialect: string;
  /** The name of the agent that it asks. */
  agent?: string;
  model: string;
  stream: boolean;
  messages: number;
  tools: number;
  /** Bytes of the body. */
  bodyBytes: number;
  /** The names of the parameters that the request set for the model, sorted. */
  parameters: string[];
}

/** All in milliseconds; what did not happen is absent. */
export interface TurnTimes {
  /** From the arrival to the end of the answer. */
  whole: number;
  /** In the queue for a place among the processes. */
  queue?: number;
  /** Until the process had started: at the gate for new ones, then its own start-up. */
  spawn?: number;
  /** Until a process had taken the turn that was there already: by a load or by the claim of a spare, or had failed to. */
  load?: number;
  /** From the arrival to the first event of the model. */
  firstEvent?: number;
  /**
   * The gateway's own: from the arrival to the queue or the engine, which includes the reading of the body, and each batch
   * of events on to the socket.
   */
  own: number;
  /** The process and the model's API together: from the handing over to the last event. */
  engine?: number;
}

/** A plan's limits as a record keeps them. */
export interface PlanRecord {
  status?: LimitStatus;
  /** The part of each window that is used, where it is known. */
  utilization: Record<string, number>;
  isOverageInUse: boolean;
}

/** A failure as a record keeps it. */
export interface FailureRecord {
  /** That of the answer, or what it would have been before the first byte. */
  status: number;
  type: string;
  /** The beginning of its message. */
  words: string;
  /** How the process ended, when that is the failure; the end of its stderr. */
  process?: ProcessEnd;
}

/** Receives each turn's record when the turn is over; must not throw. */
export type TurnObserver = (record: TurnRecord) => void;

/** Moments of a turn under way, as `performance.now()`; who passes one writes it down. */
export interface TurnMarks {
  arrived: number;
  /** Asked for a place in the budget, and got it. */
  queued?: number;
  admitted?: number;
  /** The process that answers had started, for a turn that made one. */
  spawned?: number;
  /** A process began to take the turn by a load or a claim, and was done with that. */
  loading?: number;
  loaded?: number;
  /** Handed to the engine. */
  handed?: number;
  /** The engine's latest event reached the gateway. */
  eventAt?: number;
}
