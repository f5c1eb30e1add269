// @ts-check
import { Agent, request as httpRequest } from 'node:http';
import { newMarker } from './observed-model.js';
import { MODEL, PARAMETERS, systemPrompt, TOOLS } from './workload.js';

/** @typedef {import('./gateway-conversation.js').MeasuredTurn} MeasuredTurn */
/** @typedef {import('./workload.js').ContentBlock} ContentBlock */
/** @typedef {Record<string, any>} Json */

/**
 * How a conversation is said in one of OpenAI's APIs.
 *
 * @typedef {object} Speech
 * @property {string} path
 * @property {(content: ContentBlock[]) => Json[]} said what a turn of the user adds to the conversation
 * @property {(events: Json[]) => Json[]} heard what an answer adds to it
 * @property {(messages: Json[]) => ContentBlock[]} blocks the answer's calls, as the workload looks for them
 * @property {(system: string, messages: Json[]) => Json} body
 */

const textOf = (/** @type {any} */ content) => content.map((/** @type {any} */ block) => block.text).join('');
const callBlock = (/** @type {string} */ id, /** @type {string} */ name, /** @type {string} */ args) => ({
  type: 'tool_use',
  id,
  name,
  input: JSON.parse(args),
});

/** @type {Speech} */
export const CHAT = {
  path: '/v1/chat/completions',
  said: (content) =>
    content.map((block) =>
      block.type === 'tool_result'
        ? { role: 'tool', tool_call_id: block.tool_use_id, content: textOf(block.content) }
        : { role: 'user', content: block.text },
    ),
  heard(events) {
    const message = { role: 'assistant', content: '', tool_calls: /** @type {Json[]} */ ([]) };
    for (const { delta } of events.flatMap(({ choices }) => choices)) {
      message.content += delta.content ?? '';
      for (const { index, id, function: called } of delta.tool_calls ?? []) {
        message.tool_calls[index] ??= { id, type: 'function', function: { name: called.name, arguments: '' } };
        /** @type {Json} */ (message.tool_calls[index]).function.arguments += called.arguments;
      }
    }
    const { tool_calls, ...words } = message;
    return [tool_calls.length > 0 ? message : words];
  },
  blocks: ([message]) =>
    (message?.tool_calls ?? []).map((/** @type {Json} */ { id, function: { name, arguments: args } }) =>
      callBlock(id, name, args),
    ),
  body: (system, messages) => ({
    model: MODEL,
    max_completion_tokens: PARAMETERS.max_tokens,
    messages: [{ role: 'system', content: system }, ...messages],
    tools: TOOLS.map(({ name, description, input_schema: parameters }) => ({
      type: 'function',
      function: { name, description, parameters },
    })),
    stream: true,
  }),
};

/** @type {Speech} */
export const RESPONSES = {
  path: '/v1/responses',
  said: (content) =>
    content.map((block) =>
      block.type === 'tool_result'
        ? { type: 'function_call_output', call_id: block.tool_use_id, output: textOf(block.content) }
        : { role: 'user', content: block.text },
    ),
  heard: (events) => events.at(-1)?.response.output,
  blocks: (items) =>
    items.flatMap(({ type, call_id, name, arguments: args }) =>
      type === 'function_call' ? [callBlock(call_id, name, args)] : [],
    ),
  body: (system, input) => ({
    model: MODEL,
    max_output_tokens: PARAMETERS.max_tokens,
    instructions: system,
    input,
    tools: TOOLS.map(({ name, description, input_schema: parameters }) => ({
      ...{ type: 'function', name, description, parameters },
      strict: false,
    })),
    store: false,
    stream: true,
  }),
};

/** A client's conversation with the gateway in one of OpenAI's APIs. Each turn sends all of it. */
export class OpenAiConversation {
  #model;
  #url;
  #speech;
  #agent = new Agent({ keepAlive: true });
  #marker = newMarker('gateway');
  #system = systemPrompt(this.#marker);
  /** @type {Json[]} */
  #messages = [];
  turns = 0;

  /**
   * @param {import('./observed-model.js').ObservedModel} model
   * @param {string} url the gateway's
   * @param {Speech} speech
   */
  constructor(model, url, speech) {
    this.#model = model;
    this.#url = url;
    this.#speech = speech;
  }

  /**
   * @param {ContentBlock[]} content of the user's next turn
   * @returns {Promise<MeasuredTurn>}
   */
  async turn(content) {
    this.#messages.push(...this.#speech.said(content));
    const body = Buffer.from(JSON.stringify(this.#speech.body(this.#system, this.#messages)));
    const called = this.#model.next(this.#marker);
    const sentAt = performance.now();
    const [request, { events, path, firstAt }] = await Promise.all([called, this.#send(body)]);
    this.turns += 1;
    const heard = this.#speech.heard(events);
    this.#messages.push(...heard);
    const answer = /** @type {any} */ ({ content: this.#speech.blocks(heard) });
    return { ms: request.arrivedAt - sentAt, firstEventMs: firstAt - sentAt, request, answer, path };
  }

  close() {
    this.#agent.destroy();
  }

  /** @param {Buffer} body */
  async #send(body) {
    const response = await this.#post(body);
    const chunks = [];
    let firstAt = 0;
    for await (const chunk of response) {
      firstAt ||= performance.now();
      chunks.push(chunk);
    }
    const stream = Buffer.concat(chunks).toString('utf8');
    if (response.statusCode !== 200) throw new Error(`the gateway answered ${response.statusCode}: ${stream}`);
    const events = Array.from(stream.matchAll(/^data: (\{.*)$/gm), ([, data]) => JSON.parse(data ?? ''));
    return { events, path: String(response.headers['isthmus-path']), firstAt };
  }

  /**
   * @param {Buffer} body
   * @returns {Promise<import('node:http').IncomingMessage>}
   */
  #post(body) {
    return new Promise((resolve, reject) => {
      const request = httpRequest(this.#url + this.#speech.path, {
        method: 'POST',
        agent: this.#agent,
        headers: { 'content-type': 'application/json', 'content-length': body.length, authorization: 'Bearer any' },
      });
      request.once('error', reject);
      request.once('response', resolve);
      request.end(body);
    });
  }
}
