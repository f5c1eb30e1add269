import type { AnswerFold } from './answer-fold.ts';

/** How the model's answers make up a turn. */
export interface AnswerStrategy {
  /** What an answer is that begins after another one of the same turn. */
  furtherAnswer: 'is a cut' | 'follows';
  /** What the SDK's result means for a turn that is still open: that its answer is missing, or that the turn is over. */
  result: 'comes too soon' | 'completes';
  /** Whether the process has to be ended after this answer, which is complete but for its last event. */
  mustEndAfter(answer: AnswerFold, declaredTools: ReadonlySet<string>): boolean;
}

/**
 * A client that runs its own tools: each answer is a turn, and the turn of the SDK goes on with the client's results. A
 * process that would ask the model again by itself is ended.
 */
export const oneAnswer: AnswerStrategy = {
  furtherAnswer: 'is a cut',
  result: 'comes too soon',
  mustEndAfter: (answer, declaredTools) => answer.wouldGoOn(declaredTools),
};
