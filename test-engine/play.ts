import type { RawEvent } from '../src/engine/turn/answer-fold.ts';
import type { Failure } from '../src/spec/failures.ts';
import type { AnswerMessage, ClientTool, JsonObject, Message } from '../src/spec/messages.ts';

/** One call of the model, as the model would see it: what the process holds, then its newest turn. */
export interface ModelCall {
  model: string;
  system: string;
  messages: Message[];
  tools: ClientTool[];
  parameters: JsonObject;
  betas: string[];
  /** The process that calls. */
  process: number;
  /** Which of its turns it is; 1 for the first. */
  turn: number;
  [field: string]: unknown;
}

/** Where a play puts its answer. The first `complete` or `fail` is the last that counts. */
export interface Stage {
  push(event: RawEvent): void;
  complete(answer: AnswerMessage, ending?: Ending): void;
  /** The turn ends with this failure, and with it the process. */
  fail(failure: Failure): void;
}

export interface Ending {
  /** The process cannot take another turn. */
  endsProcess?: boolean;
  /** Why the whole answer does not say what its events do. */
  unfoldable?: Failure;
}

/**
 * Plays one answer, at once or as time goes on.
 *
 * @returns what stops it before its end, where it does not end at once
 */
export type Play = (stage: Stage) => (() => void) | undefined;

/** Chooses the answer to a call of the model. */
export type Answer = (call: ModelCall) => Play;
