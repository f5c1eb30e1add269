import type { Expansion, TurnSteps } from './agent.ts';
import type { Failure } from './failures.ts';
import type { AnswerMessage, ContentBlock, JsonObject } from './messages.ts';

/**
 * What happens in one turn, in order: the raw events of the Messages API stream, then exactly one terminal event,
 * `message_stop` or `failure`. Failures are data in the stream; iterating a turn never throws.
 */
export type TurnEvent =
  | { type: 'message_start'; message: AnswerMessage }
  | { type: 'content_block_start'; index: number; content_block: ContentBlock }
  | { type: 'content_block_delta'; index: number; delta: JsonObject }
  | { type: 'content_block_stop'; index: number }
  | { type: 'message_delta'; delta: MessageDelta; usage?: JsonObject }
  /**
   * The answer is complete; `answer` is the fold of all events before. `unfoldable` is set when the fold lost something: the
   * input of a call is no JSON. `hidden` is what an agent did that the answer does not show.
   */
  | { type: 'message_stop'; answer: AnswerMessage; unfoldable?: Failure; hidden?: HiddenSteps }
  | { type: 'failure'; failure: Failure };

/** What an agent's turn has beside its answer. */
export interface HiddenSteps {
  steps: TurnSteps;
  expansion: Promise<Expansion>;
  /** Whether they outlive the gateway; absent before they are kept. */
  isKept?: boolean;
}

export interface MessageDelta extends JsonObject {
  stop_reason: string | null;
  stop_sequence?: string | null;
}

/** How a turn reached the model, see `docs/decisions/0001-the-clients-messages-are-the-truth.md`. */
export type TurnPath = 'continue' | 'start' | 'rewind' | 'replay';

/**
 * Which process serves a turn:
 *
 * - `live`: the one that holds its conversation, or a part of it
 * - `used`: one that had another conversation
 * - `spare`: one that was spawned ahead
 * - `new`
 */
export type ServedBy = 'live' | 'used' | 'spare' | 'new';
