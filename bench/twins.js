// @ts-check
import { deepStrictEqual } from 'node:assert';
import { wholeBody } from './prompt.js';

/** @typedef {import('./gateway-conversation.js').GatewayConversation} GatewayConversation */
/** @typedef {import('./gateway-conversation.js').MeasuredTurn} MeasuredTurn */
/** @typedef {import('./workload.js').ContentBlock} ContentBlock */

/**
 * Takes the turns of a conversation with processes that are used again. It holds what the model got of each to what a new process
 * sends, which it learns from a gateway that uses none again.
 */
export class Twins {
  #conversation;
  #used;
  #fresh;
  /** What a new process sends, by the messages that it was given. @type {Map<string, object>} */
  #expected = new Map();
  /** Turns that were taken. */
  asked = 0;
  /** Those that a used process took. */
  taken = 0;

  /**
   * @param {GatewayConversation} conversation
   * @param {Awaited<ReturnType<import('./bench.js').Bench['gateway']>>} used its gateway
   * @param {Awaited<ReturnType<import('./bench.js').Bench['gateway']>>} fresh
   */
  constructor(conversation, used, fresh) {
    this.#conversation = conversation;
    this.#used = used;
    this.#fresh = fresh;
  }

  /**
   * @param {ContentBlock[]} content
   * @returns {Promise<MeasuredTurn>}
   * @throws when a new process would have sent something else
   */
  async turn(content) {
    const before = await this.#used.loads();
    const turn = await this.#conversation.turn(content);
    this.asked += 1;
    if ((await this.#used.loads()) > before) this.taken += 1;
    const sent = JSON.stringify([this.#conversation.tools, this.#conversation.messages.slice(0, -1)]);
    const expected = this.#expected.get(sent) ?? (await this.#anew(content));
    this.#expected.set(sent, expected);
    deepStrictEqual(wholeBody(turn.request.body), expected, `the ${turn.path} sent something else than a new process`);
    return turn;
  }

  /** Has a new process take the latest turn. @param {ContentBlock[]} content */
  async #anew(content) {
    const { messages } = this.#conversation;
    const answered = [...messages];
    messages.splice(-2);
    this.#conversation.moveTo(this.#fresh.client);
    const { request, path } = await this.#conversation.turn(content);
    if (path !== 'start' && path !== 'replay') throw new Error(`the path of a new process was ${path}`);
    this.#conversation.moveTo(this.#used.client);
    this.#conversation.messages = answered;
    return wholeBody(request.body);
  }
}
