import type { RawEvent } from '../src/engine/turn/answer-fold.ts';
import type { Failure } from '../src/spec/failures.ts';
import type { AnswerMessage, MessagesRequest } from '../src/spec/messages.ts';
import type { PlanLimits } from '../src/spec/plan-limits.ts';
import type { HiddenSteps } from '../src/spec/turn-events.ts';

/** One model call, as the model would see it: what the process holds, then its newest turn. */
export interface ModelCall
  extends Pick<MessagesRequest, 'model' | 'system' | 'messages' | 'tools' | 'parameters' | 'betas' | 'agent'> {
  /** The process that calls. */
  process: number;
  /** Which of its turns it is; 1 for the first. */
  turn: number;
  [field: string]: unknown;
}

/** Where a play puts its answer. After the first `complete` or `fail` nothing counts but `tell`. */
export interface Stage {
  push(event: RawEvent): void;
  complete(answer: AnswerMessage, ending?: Ending): void;
  /** Ends the turn with this failure, and the process too. */
  fail(failure: Failure): void;
  /** Tells of the plan's limits. */
  tell(limits: PlanLimits): void;
}

export interface Ending {
  /** The process cannot take another turn. */
  endsProcess?: boolean;
  /** Why the whole answer does not say what its events do. */
  unfoldable?: Failure;
  /** What an agent has done. */
  hidden?: HiddenSteps;
}

/**
 * Plays one answer, at once or over time.
 *
 * @returns stops the play early; undefined if it has already ended
 */
export type Play = (stage: Stage) => (() => void) | undefined;

/** Chooses the answer to a call of the model. */
export type Answer = (call: ModelCall) => Play;
