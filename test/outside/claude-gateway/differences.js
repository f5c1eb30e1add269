// @ts-check
import { isDeepStrictEqual } from 'node:util';

/** @typedef {import('../differential.js').Seen} Seen */

/** The headers of an answer that a client acts on. */
const HEADERS = ['content-type', 'retry-after', 'x-should-retry'];

/**
 * Where Isthmus does otherwise than `claude gateway`, in words that are the same in each run.
 *
 * @param {Seen} theirs of `claude gateway`
 * @param {Seen} ours
 * @returns {string[]}
 */
export function differences(theirs, ours) {
  const [theirCall, ourCall] = [theirs, ours].map(({ calls }) => calls.at(-1));
  return [
    ...(theirs.status === ours.status ? [] : [`answer: ${ours.status}, not ${theirs.status}`]),
    ...HEADERS.flatMap((name) =>
      compared(
        `answer: header \`${name}\``,
        theirs.headers.get(name) ?? undefined,
        ours.headers.get(name) ?? undefined,
      ),
    ),
    ...(theirs.status === ours.status ? fields('answer', answerOf(theirs), answerOf(ours)) : []),
    ...(theirs.calls.length === ours.calls.length
      ? []
      : [`model: ${ours.calls.length} calls, not ${theirs.calls.length}`]),
    ...(theirCall && ourCall
      ? [
          ...fields('model', asked(theirCall.body), withoutAdditions(asked(ourCall.body), theirCall.body)),
          ...betas(theirCall.headers)
            .filter((beta) => !betas(ourCall.headers).includes(beta))
            .map((beta) => `model: beta \`${beta}\` missing`),
        ]
      : []),
  ];
}

/**
 * @param {string} where
 * @param {Record<string, unknown>} theirs
 * @param {Record<string, unknown>} ours
 */
function fields(where, theirs, ours) {
  const names = [...new Set([...Object.keys(theirs), ...Object.keys(ours)])].sort();
  return names.flatMap((name) => compared(`${where}: \`${name}\``, theirs[name], ours[name]));
}

/**
 * @param {string} what
 * @param {unknown} theirs undefined where there is none
 * @param {unknown} ours
 * @returns {string[]}
 */
function compared(what, theirs, ours) {
  if (isDeepStrictEqual(theirs, ours)) return [];
  if (ours === undefined) return [`${what} missing`];
  if (theirs === undefined) return [`${what} added`];
  return [`${what} other`];
}

/**
 * The parts of an answer, with an event stream as its events.
 *
 * @param {Seen} seen
 * @returns {Record<string, unknown>}
 */
function answerOf({ headers, text }) {
  if (headers.get('content-type')?.startsWith('text/event-stream')) {
    const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data));
    return Object.fromEntries(
      events.filter(({ type }) => type !== 'ping').map((event, index) => [`${index} ${event.type}`, withoutIds(event)]),
    );
  }
  try {
    const body = withoutIds(JSON.parse(text));
    return body.error ? { ...body, error: undefined, ...prefixed('error.', body.error) } : body;
  } catch {
    return { text };
  }
}

/** @param {string} prefix @param {Record<string, unknown>} object */
function prefixed(prefix, object) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [`${prefix}${key}`, value]));
}

/**
 * @param {any} value
 * @returns {any}
 */
function withoutIds(value) {
  return JSON.parse(
    JSON.stringify(value, (key, part) =>
      key === 'id' && /^msg_/.test(part) ? 'msg' : key === 'request_id' && part ? 'req' : part,
    ),
  );
}

/**
 * What a request asks of the model, as the model sees it.
 *
 * @param {Record<string, unknown>} body
 * @returns {Record<string, unknown>}
 */
function asked(body) {
  /** @type {Record<string, any>} */
  const seen = JSON.parse(JSON.stringify(body, (key, part) => (key === 'cache_control' ? undefined : part)));
  const blocks = (/** @type {any} */ content) =>
    (typeof content === 'string' ? [{ type: 'text', text: content }] : content)?.map((/** @type {any} */ block) =>
      block.type === 'tool_result' ? { ...block, content: blocks(block.content) } : block,
    );
  if (seen.system !== undefined) seen.system = blocks(seen.system);
  if (Array.isArray(seen.messages)) {
    seen.messages = seen.messages.map((message) => ({ ...message, content: blocks(message.content) }));
  }
  return seen;
}

/** What Claude Code says by itself in a request of another program: fields that the program has left out. */
const ADDED = { stream: true, temperature: 1, thinking: { type: 'disabled' }, tools: [] };
/** Begins the blocks that it puts before a system prompt. */
const OWN_SYSTEM_BLOCK = /^(x-anthropic-billing-header:|You are a Claude agent, built on |You are Claude Code, )/;

/**
 * @param {Record<string, unknown>} seen of Isthmus
 * @param {Record<string, unknown>} given by the client, and so by `claude gateway`
 */
function withoutAdditions(seen, given) {
  const kept = Object.entries(seen).filter(
    ([name, value]) =>
      name in given ||
      (name !== 'metadata' && !isDeepStrictEqual(value, ADDED[/** @type {keyof typeof ADDED} */ (name)])),
  );
  const { system, ...rest } = /** @type {Record<string, any>} */ (Object.fromEntries(kept));
  const prompt = (system ?? []).filter((/** @type {any} */ { text }) => !OWN_SYSTEM_BLOCK.test(text));
  return prompt.length > 0 ? { ...rest, system: prompt } : rest;
}

/** @param {Record<string, unknown>} headers */
function betas(headers) {
  const list = String(headers['anthropic-beta'] ?? '').split(',');
  return list
    .map((beta) => beta.trim())
    .filter((beta) => beta !== '')
    .sort();
}
