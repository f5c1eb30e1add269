import type { Failure } from './failures.ts';
import type { JsonObject } from './messages.ts';
import type { TurnPath } from './turn-events.ts';

/** What became of one turn: who asked, for what, how it went, what came. It never holds content or a credential. */
export interface TurnRecord {
  who: {
    requestId: string;
    /** The caller's name. */
    caller: string;
    /** The client program, from its user agent, such as `opencode/1.2`. */
    client?: string;
    /** The session that the client says it is in. */
    session?: string;
    /** The user that the client says it asks for. */
    user?: string;
  };
  /** Absent when the request could not be decoded. */
  what?: {
    dialect: string;
    model: string;
    stream: boolean;
    messages: number;
    tools: number;
    /** Bytes of the body. */
    bodyBytes: number;
    /** The names of the parameters that the request set, sorted. */
    parameters: string[];
  };
  how: {
    /** Absent when the turn did not reach the engine. */
    path?: TurnPath;
    /** Why a turn with a history was not continued. */
    replayReason?: string;
    times: TurnTimes;
  };
  came: {
    /** `complete`, or the code of the failure. */
    outcome: 'complete' | Failure['code'];
    stopReason?: string;
    /** As the model told it. */
    usage?: JsonObject;
    /** The failure with its words and, where a process ended, its exit code and last lines. */
    failure?: Failure;
  };
}

/** All in milliseconds; what did not happen is absent. */
export interface TurnTimes {
  /** In the queue for a place among the processes. */
  queue?: number;
  /** At the gate for new processes, and until the process had started. */
  start?: number;
  /** From the arrival to the first event of the model. */
  firstEvent?: number;
  /** From the arrival to the end of the answer. */
  whole: number;
  /** The gateway's own work: from the arrival to the engine, less the waits, and each event from the engine to the socket. */
  own: number;
  /** The rest: the process and the model's API together. */
  engine: number;
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
  /** Handed to the engine. */
  handed?: number;
  /** The engine's latest event reached the gateway. */
  eventAt?: number;
}
