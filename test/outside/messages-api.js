// @ts-check
import Anthropic from '@anthropic-ai/sdk';

/** @typedef {{ type: string; [field: string]: any }} Block */
/** @typedef {{ id: string; type: string; role: string; model: string; content: Block[]; stop_reason: string; usage: Record<string, any> }} Message */
/** @typedef {{ message: Message; events: any[] }} Streamed */

/** Asks for answers, and holds each one against the shape of a message. */
export class MessagesApi {
  #url;

  /** @param {string} url */
  constructor(url) {
    this.#url = url;
  }

  /**
   * @param {string | object[]} messages a text stands for one user message
   * @param {Record<string, unknown>} [more]
   * @returns {Promise<Message>}
   */
  async ask(messages, more = {}) {
    const message = /** @type {Message} */ (await (await this.#post(messages, more)).json());
    assertMessage(message);
    return message;
  }

  /**
   * @param {string | object[]} messages
   * @param {Record<string, unknown>} [more]
   * @returns {Promise<Streamed>}
   */
  async stream(messages, more = {}) {
    const response = await this.#post(messages, { ...more, stream: true });
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) throw new Error('no event stream');
    const events = (await response.text())
      .split('\n\n')
      .filter((frame) => frame.trim() !== '')
      .map((frame) => {
        const [, name = '', data = ''] = /^event: (.*)\ndata: (.*)$/s.exec(frame) ?? [];
        const event = JSON.parse(data);
        if (event.type !== name) throw new Error(`an event named ${name} holds ${event.type}`);
        return event;
      });
    const message = fold(events);
    assertMessage(message);
    return { message, events };
  }

  /**
   * @param {string | object[]} messages
   * @param {Record<string, unknown>} more
   */
  async #post(messages, more) {
    const list = typeof messages === 'string' ? [user(messages)] : messages;
    const response = await fetch(`${this.#url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': 'any', 'anthropic-version': '2023-06-01' },
      body: JSON.stringify({ model: 'claude-sonnet-4-5', max_tokens: 256, messages: list, ...more }),
    });
    if (response.ok) return response;
    const error = /** @type {object} */ (await response.json());
    throw Anthropic.APIError.generate(response.status, error, undefined, response.headers);
  }
}

/**
 * @param {string} text
 * @returns {{ role: string; content: Block[] }}
 */
export function user(text) {
  return { role: 'user', content: [{ type: 'text', text }] };
}

/** The fields that a block of each type has, by what they are. @type {Record<string, Record<string, string>>} */
const BLOCKS = {
  text: { text: 'string' },
  thinking: { thinking: 'string', signature: 'string' },
  redacted_thinking: { data: 'string' },
  tool_use: { id: 'string', name: 'string', input: 'object' },
};
const STOP_REASONS = ['end_turn', 'max_tokens', 'stop_sequence', 'tool_use', 'pause_turn', 'refusal'];

/**
 * @param {Message} message
 * @throws when it has not the shape of an answer
 */
function assertMessage(message) {
  assertFields('message', message, { id: 'string', type: 'string', role: 'string', model: 'string', usage: 'object' });
  if (message.type !== 'message') throw new Error(`its type is ${message.type}`);
  if (message.role !== 'assistant') throw new Error(`its role is ${message.role}`);
  if (!STOP_REASONS.includes(message.stop_reason)) throw new Error(`its stop_reason is ${message.stop_reason}`);
  if (!('stop_sequence' in message)) throw new Error('it has no stop_sequence');
  assertFields('usage', message.usage, { input_tokens: 'number', output_tokens: 'number' });
  if (!Array.isArray(message.content) || message.content.length === 0) throw new Error('it has no content');
  for (const block of message.content) assertFields(block.type, block, BLOCKS[block.type] ?? {});
}

/**
 * @param {string} what
 * @param {Record<string, any>} object
 * @param {Record<string, string>} fields
 */
function assertFields(what, object, fields) {
  for (const [field, type] of Object.entries(fields)) {
    if (typeof object?.[field] !== type) throw new Error(`${what}.${field} is no ${type}`);
  }
}

/**
 * The message that a stream tells, by the grammar of the API.
 *
 * @param {any[]} events
 * @returns {Message}
 */
function fold(events) {
  const told = events.filter(({ type }) => type !== 'ping');
  const [start, ...rest] = told;
  if (start?.type !== 'message_start') throw new Error(`the stream begins with ${start?.type}`);
  if (told.at(-1)?.type !== 'message_stop') throw new Error(`the stream ends with ${told.at(-1)?.type}`);
  const message = structuredClone(start.message);
  /** What the deltas of the open block have said of its input. */
  let json = '';
  for (const event of rest.slice(0, -1)) {
    const block = message.content[event.index];
    if (event.type === 'content_block_start') {
      if (event.index !== message.content.length) throw new Error(`block ${event.index} comes out of order`);
      message.content.push({ ...event.content_block });
      json = '';
    } else if (event.type === 'content_block_delta') {
      if (event.delta.type === 'text_delta') block.text += event.delta.text;
      else if (event.delta.type === 'input_json_delta') json += event.delta.partial_json;
      else throw new Error(`a delta of the type ${event.delta.type}`);
    } else if (event.type === 'content_block_stop') {
      if (json) block.input = JSON.parse(json);
    } else if (event.type === 'message_delta') {
      Object.assign(message, event.delta);
      Object.assign(message.usage, event.usage);
    } else throw new Error(`an event of the type ${event.type}`);
  }
  return message;
}
