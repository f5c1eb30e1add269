// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { newMarker } from './observed-model.js';
import { MODEL, PARAMETERS, systemPrompt, TOOLS } from './workload.js';

/** @typedef {import('../src/spec/messages.ts').Message} Message */
/** @typedef {import('../src/spec/messages.ts').ContentBlock} ContentBlock */
/** @typedef {import('../src/spec/messages.ts').AnswerMessage} AnswerMessage */
/** @typedef {import('./observed-model.js').RecordedRequest} RecordedRequest */

/**
 * One turn, measured.
 *
 * @typedef {object} MeasuredTurn
 * @property {number} ms from "the client sends" to "the model is called"
 * @property {number} firstEventMs from "the client sends" to the first event of the answer
 * @property {RecordedRequest} request what the model got
 * @property {AnswerMessage} answer
 * @property {string} [path] how the gateway reached the model
 */

/** A client's conversation with the gateway. Each turn sends all of its messages, as clients do. */
export class GatewayConversation {
  #model;
  #client;
  #asked;
  marker = newMarker('gateway');
  /** The client's own system prompt. Another one must leave the marker to the first message. */
  system = systemPrompt(this.marker);
  tools = TOOLS;
  /** @type {Message[]} */
  messages;

  /**
   * @param {import('./observed-model.js').ObservedModel} model
   * @param {import('./messages-client.js').MessagesClient} client
   * @param {Message[]} [history] what the client says was said before
   * @param {string} [asked] the name of the model
   */
  constructor(model, client, history = [], asked = MODEL) {
    this.#model = model;
    this.#client = client;
    this.#asked = asked;
    this.messages = history;
  }

  /**
   * @param {ContentBlock[]} content of the user's next message
   * @returns {Promise<MeasuredTurn>}
   */
  async turn(content) {
    this.messages.push({ role: 'user', content });
    const body = this.#body();
    const called = this.#model.next(this.marker);
    const sentAt = performance.now();
    const [request, { answer, path, firstEventAt }] = await Promise.all([called, this.#client.send(body)]);
    this.messages.push({ role: 'assistant', content: answer.content });
    return { ms: request.arrivedAt - sentAt, firstEventMs: firstEventAt - sentAt, request, answer, path };
  }

  /**
   * Sends a turn and hangs up some milliseconds after the model was called; its process goes back to before the turn.
   *
   * @param {ContentBlock[]} content whose answer takes longer
   * @param {number} afterMs
   * @returns {Promise<number>} milliseconds until the model's caller has hung up too
   */
  async leave(content, afterMs) {
    this.messages.push({ role: 'user', content });
    const called = this.#model.next(this.marker);
    const leftAt = await this.#client.leave(
      this.#body(),
      called.then(() => sleep(afterMs)),
    );
    return (await this.#model.hungUp(await called)) - leftAt;
  }

  /** Asks through another gateway from now on. @param {import('./messages-client.js').MessagesClient} client */
  moveTo(client) {
    this.#client = client;
  }

  #body() {
    const json = JSON.stringify({
      model: this.#asked,
      max_tokens: PARAMETERS.max_tokens,
      system: [{ type: 'text', text: this.system }],
      messages: this.messages,
      tools: this.tools,
      stream: true,
    });
    return Buffer.from(json);
  }
}
