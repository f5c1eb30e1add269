import type { SDKMessage, SessionStoreEntry } from '@anthropic-ai/claude-agent-sdk';
import type { Failure } from '../../spec/failures.ts';
import type { AnswerMessage } from '../../spec/messages.ts';
import type { HiddenSteps } from '../../spec/turn-events.ts';
import type { AnswerFold, RawEvent } from './answer-fold.ts';

/** How the model's answers make up a client's turn. */
export interface AnswerStrategy {
  /** What a second answer in the same turn means: the first was cut and repeated, or the turn goes on. */
  furtherAnswer: 'is a cut' | 'follows';
  /** What the SDK's result means for an open turn: its answer is missing, or the turn is complete. */
  result: 'comes too soon' | 'completes';
  /** Whether the process must end after this answer, which lacks only its last event. */
  mustEndAfter(answer: AnswerFold, declaredTools: ReadonlySet<string>): boolean;
  /** A turn begins. */
  view(): TurnView;
}

/** What a client sees of one turn. */
export interface TurnView {
  /** Takes an event of the model; returns those that the client sees of it. */
  show(event: RawEvent): RawEvent[];
  /** Takes any message of the SDK; returns what the client sees of it beside the model's events. */
  hear(message: SDKMessage): RawEvent[];
  /** Takes what the CLI adds to its transcript. */
  keep(entries: readonly SessionStoreEntry[]): void;
  /**
   * The turn is over.
   *
   * @param last the model's last answer
   * @param isCut whether the process ends within it
   * @returns the events that are left; undefined if there was no answer
   */
  end(last: AnswerFold, isCut: boolean): TurnEnd | undefined;
  /** What a failure of the turn is told as. */
  failing(found: Failure): Failure;
}

/** How a turn ends for its client. */
export interface TurnEnd {
  events: RawEvent[];
  answer: AnswerMessage;
  hidden?: HiddenSteps;
}

/** The view of a client that sees every event. */
const WHOLE: TurnView = {
  show: (event) => [event],
  hear: () => [],
  keep: () => undefined,
  end: ({ message }) => message && { events: [], answer: message },
  failing: (found) => found,
};

/**
 * For clients that run their own tools. Each answer ends a client's turn; the SDK's turn goes on when the client brings its
 * results. A process that would call the model again by itself must end.
 */
export const oneAnswer: AnswerStrategy = {
  furtherAnswer: 'is a cut',
  result: 'comes too soon',
  mustEndAfter: (answer, declaredTools) => answer.wouldGoOn(declaredTools),
  view: () => WHOLE,
};
