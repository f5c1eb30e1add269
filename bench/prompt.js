// @ts-check
import { findMarker } from './observed-model.js';

/** @typedef {import('./observed-model.js').ModelRequest} ModelRequest */

/**
 * What decides about the model's prompt cache, as it was sent, without the cache marks.
 *
 * @typedef {object} Prompt
 * @property {string} tools
 * @property {string} system the block that carries the client's own system prompt
 * @property {string[]} messages
 */

/**
 * @param {ModelRequest} body
 * @returns {Prompt}
 */
export function promptOf({ tools, system, messages }) {
  const blocks = typeof system === 'string' ? [{ type: 'text', text: system }] : (system ?? []);
  const own = blocks.filter((block) => findMarker(block.text ?? '') !== undefined);
  return {
    tools: bytes(tools),
    system: bytes(own),
    messages: messages.map(bytes),
  };
}

/**
 * All that was sent, without what tells processes apart.
 *
 * @param {ModelRequest} body
 */
export function wholeBody({ metadata: _, system, ...rest }) {
  const blocks = typeof system === 'string' ? [{ type: 'text', text: system }] : (system ?? []);
  return { ...rest, system: blocks.filter((block) => !block.text?.startsWith('x-anthropic-billing-header')) };
}

/** As it was sent, without the cache marks, which are not cached. @param {unknown} value */
function bytes(value) {
  return JSON.stringify(value, (key, inner) => (key === 'cache_control' ? undefined : inner)) ?? '';
}
