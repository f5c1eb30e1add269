// @ts-check
import { CALL_A_TOOL } from './observed-model.js';
import { prose, resultOfCall, text } from './workload.js';

/** @typedef {import('./gateway-conversation.js').MeasuredTurn} MeasuredTurn */
/** @typedef {import('./workload.js').ContentBlock} ContentBlock */
/** @typedef {(content: ContentBlock[]) => Promise<MeasuredTurn>} TakeTurn */

/**
 * @typedef {object} Kind
 * @property {string} opening
 * @property {(previous: MeasuredTurn, bytes: number, wish?: string) => ContentBlock[]} next the content of the next turn
 */

/** A tool's result, while the process holds the call. @type {Kind} */
export const TOOL_RESULT = {
  opening: `Look into the project. ${CALL_A_TOOL}`,
  next: ({ answer }, bytes, wish = CALL_A_TOOL) => resultOfCall(answer.content, bytes, wish),
};

/** A user's next message, on a process whose last answer is complete. @type {Kind} */
export const FOLLOW_UP = {
  opening: 'What is this project?',
  next: (_previous, bytes, wish = '') => [text(`And what else? ${prose(bytes)}${wish}`.trim())],
};

/** Takes one conversation from turn to turn. */
export class Walk {
  #takeTurn;
  #kind;
  #paths;
  #previous;
  #messages;

  /**
   * @param {TakeTurn} takeTurn
   * @param {Kind} kind
   * @param {readonly string[]} paths that a turn may take
   * @param {MeasuredTurn} first
   */
  constructor(takeTurn, kind, paths, first) {
    this.#takeTurn = takeTurn;
    this.#kind = kind;
    this.#paths = paths;
    this.#previous = first;
    this.#messages = first.request.body.messages.length;
  }

  /**
   * Takes the first turn. Without `paths` every later turn must find the process of the one before.
   *
   * @param {TakeTurn} takeTurn
   * @param {Kind} kind
   * @param {readonly string[]} [paths]
   */
  static async begin(takeTurn, kind, paths = ['continue']) {
    return new Walk(takeTurn, kind, paths, await takeTurn([text(kind.opening)]));
  }

  /** The turn taken last. */
  get latest() {
    return this.#previous;
  }

  /**
   * What the client says next.
   *
   * @param {number} bytes
   * @param {string} [wish] for the model's answer
   */
  next(bytes, wish) {
    return this.#kind.next(this.#previous, bytes, wish);
  }

  /**
   * @param {number} bytes
   * @param {string} [wish] for the model's answer
   * @returns {Promise<MeasuredTurn>}
   */
  async step(bytes, wish) {
    const turn = await this.#takeTurn(this.next(bytes, wish));
    if (turn.path !== undefined && !this.#paths.includes(turn.path)) {
      throw new Error(`the gateway's path was ${turn.path}, not ${this.#paths.join(' or ')}`);
    }
    this.#messages += 2;
    if (turn.request.body.messages.length !== this.#messages) throw new Error('the model saw another conversation');
    this.#previous = turn;
    return turn;
  }

  /**
   * @param {number} count
   * @param {number} bytes
   */
  async steps(count, bytes) {
    for (let index = 0; index < count; index += 1) await this.step(bytes);
  }
}
