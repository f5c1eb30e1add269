import type { AnswerFold } from './answer-fold.ts';

/** How the model's answers make up a client's turn. */
export interface AnswerStrategy {
  /** What a second answer in the same turn means: the first was cut and repeated, or the turn goes on. */
  furtherAnswer: 'is a cut' | 'follows';
  /** What the SDK's result means for an open turn: its answer is missing, or the turn is complete. */
  result: 'comes too soon' | 'completes';
  /** Whether the process must end after this answer, which lacks only its last event. */
  mustEndAfter(answer: AnswerFold, declaredTools: ReadonlySet<string>): boolean;
}

/**
 * For clients that run their own tools. Each answer ends a client's turn; the SDK's turn goes on when the client brings its
 * results. A process that would call the model again by itself must end.
 */
export const oneAnswer: AnswerStrategy = {
  furtherAnswer: 'is a cut',
  result: 'comes too soon',
  mustEndAfter: (answer, declaredTools) => answer.wouldGoOn(declaredTools),
};
