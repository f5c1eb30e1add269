// @ts-check
import { randomUUID } from 'node:crypto';
import { markerSentence } from './observed-model.js';

/** @typedef {import('../src/spec/messages.ts').Message} Message */
/** @typedef {import('../src/spec/messages.ts').ContentBlock} ContentBlock */

/** What every request asks for, on both sides. */
export const MODEL = 'claude-sonnet-4-5';
/** Outside bare mode Claude Code tells such a model its own words in messages with the role `system`. */
export const NEWER_MODEL = 'claude-sonnet-5';
/** As the gateway decodes it from a request with `max_tokens` only. */
export const PARAMETERS = { thinking: { type: 'disabled' }, max_tokens: 8000 };

const SENTENCE = 'The quick brown fox reads one more file of the project and writes down what it finds there. ';

/**
 * Plain text of a given length.
 *
 * @param {number} length
 */
export function prose(length) {
  return SENTENCE.repeat(Math.ceil(length / SENTENCE.length)).slice(0, length);
}

/**
 * A coding agent's system prompt of medium length; the conversation's marker comes first.
 *
 * @param {string} marker
 */
export function systemPrompt(marker) {
  return `${markerSentence(marker)}\n\n${prose(8_000).trim()}`;
}

/** The tools of a coding agent, as the gateway's own type has them. */
export const TOOLS = ['bash', 'edit', 'fetch', 'glob', 'grep', 'list', 'read', 'task', 'todo', 'write'].map((name) => ({
  name,
  description: `${name}: ${prose(600).trim()}`,
  input_schema: {
    type: 'object',
    properties: {
      path: { type: 'string', description: prose(80).trim() },
      limit: { type: 'number', description: prose(80).trim() },
    },
    required: ['path'],
    additionalProperties: false,
  },
}));

/**
 * @param {string} value
 * @returns {ContentBlock}
 */
export function text(value) {
  return { type: 'text', text: value };
}

/**
 * @param {string} id
 * @param {string} value
 * @returns {ContentBlock}
 */
export function toolResult(id, value) {
  return { type: 'tool_result', tool_use_id: id, content: [text(value)] };
}

/**
 * What a client's tool brings for the call that an answer makes.
 *
 * @param {readonly ContentBlock[]} answer
 * @param {number} bytes
 * @param {string} wish for the model's next answer
 * @returns {ContentBlock[]}
 */
export function resultOfCall(answer, bytes, wish) {
  const call = answer.find((block) => block.type === 'tool_use');
  if (!call) throw new Error('the model was to call a tool');
  return [toolResult(String(call.id), `${prose(bytes)}${wish}`)];
}

/**
 * A history that no process holds, as an agent's tool loop leaves it. It ends with an assistant's text, so that a user's turn
 * can follow.
 *
 * @param {number} messages how many; even
 * @param {number} bytes about so many in all
 * @returns {Message[]}
 */
export function foreignHistory(messages, bytes) {
  const each = Math.floor(bytes / messages);
  const id = (/** @type {number} */ index) => `toolu_${nonce}_${index}`;
  const nonce = randomUUID().replaceAll('-', '').slice(0, 12);
  return Array.from({ length: messages }, (_, index) => {
    const isFirst = index === 0;
    const isLast = index === messages - 1;
    if (index % 2 === 0) {
      const content = isFirst ? text(`${nonce} ${prose(each)}`.trim()) : toolResult(id(index - 1), prose(each).trim());
      return { role: 'user', content: [content] };
    }
    const words = text(prose(isLast ? each : 200).trim());
    const call = { type: 'tool_use', id: id(index), name: 'read', input: { path: `src/file-${index}.ts` } };
    return { role: 'assistant', content: isLast ? [words] : [words, call] };
  });
}
