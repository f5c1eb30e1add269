// @ts-check

/** @typedef {import('../../../scripted-model/script.ts').Reply} Reply */

/**
 * One request, and what the model answers to it.
 *
 * @typedef {object} Probe
 * @property {string} name
 * @property {string} [method]
 * @property {string} [path]
 * @property {Record<string, string>} [headers]
 * @property {unknown} [body] fields beside those of a plain request; a string is the whole body
 * @property {Reply} [reply]
 */

const PLAIN = { model: 'claude-opus-4-6', max_tokens: 1024, messages: [{ role: 'user', content: 'Hello' }] };
/** The same counts from every model call, whatever the request's length. */
const USAGE = { input_tokens: 10, output_tokens: 5 };
const TOOL = {
  name: 'look',
  description: 'Looks',
  input_schema: { type: 'object', properties: { at: { type: 'string' } } },
};
const CALL = { type: /** @type {const} */ ('tool_use'), id: 'toolu_1', name: 'look', input: { at: 'sea' } };
const THOUGHT = { type: /** @type {const} */ ('thinking'), thinking: 'Hm.', signature: 'c2lnbmVk' };
const SAFEGUARDS_BETA = 'dangerous-tool-use-2026-09-03';
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=';

/** @param {string} words */
const text = (words) => ({ type: /** @type {const} */ ('text'), text: words });
/** @param {...object} content */
const called = (...content) => [
  PLAIN.messages[0],
  { role: 'assistant', content },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'waves' }] },
];
/** @param {number} status @param {string} type @param {string} message @param {Record<string, string>} [headers] @returns {Reply} */
const error = (status, type, message, headers) => ({ error: { status, type, message, ...(headers && { headers }) } });

/** @type {Probe[]} */
const DIFFERING = [
  { name: 'a text' },
  { name: 'a text, streamed', body: { stream: true } },
  { name: 'system: a string', body: { system: 'Be brief.' } },
  {
    name: 'system: blocks',
    body: { system: [{ ...text('Be brief.'), cache_control: { type: 'ephemeral' } }, text('Be kind.')] },
  },
  { name: 'sampling: temperature, stop sequences', body: { temperature: 0.5, stop_sequences: ['END'] } },
  { name: 'sampling: top_p, top_k', body: { top_p: 0.9, top_k: 5 } },
  { name: 'tools: a call', body: { tools: [TOOL] }, reply: { content: [text('Well.'), CALL] } },
  { name: 'tools: a call, streamed', body: { tools: [TOOL], stream: true }, reply: { content: [text('Well.'), CALL] } },
  { name: 'tools: a result', body: { tools: [TOOL], messages: called(CALL) } },
  { name: 'tools: text behind a call', body: { tools: [TOOL], messages: called(CALL, text('Wait.')) } },
  { name: 'tools: tool_choice', body: { tools: [TOOL], tool_choice: { type: 'any' } }, reply: { content: [CALL] } },
  {
    name: 'thinking',
    body: { max_tokens: 4096, thinking: { type: 'enabled', budget_tokens: 2048 } },
    reply: { content: [THOUGHT, text('Yes.')] },
  },
  {
    name: 'thinking in the history',
    body: {
      max_tokens: 4096,
      thinking: { type: 'enabled', budget_tokens: 2048 },
      messages: [
        PLAIN.messages[0],
        { role: 'assistant', content: [THOUGHT, text('Yes.')] },
        { role: 'user', content: 'And?' },
      ],
    },
  },
  {
    name: 'null in a block',
    body: {
      messages: [
        PLAIN.messages[0],
        { role: 'assistant', content: [{ ...text('Yes.'), citations: null }] },
        { role: 'user', content: 'And?' },
      ],
    },
  },
  {
    name: 'an image',
    body: {
      messages: [
        {
          role: 'user',
          content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } }, text('What?')],
        },
      ],
    },
  },
  { name: 'metadata', body: { metadata: { user_id: 'somebody' } } },
  { name: 'an unknown field', body: { field_of_tomorrow: { a: 1 } } },
  { name: 'an unknown beta', headers: { 'anthropic-beta': 'beta-of-tomorrow-2027-01-01' } },
  { name: 'the beta of a long context', headers: { 'anthropic-beta': 'context-1m-2025-08-07' } },
  {
    name: 'safeguards',
    headers: { 'anthropic-beta': SAFEGUARDS_BETA },
    body: { safeguards: [{ type: 'dangerous_tool_use' }] },
  },
  { name: 'context_management', body: { context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] } } },
  { name: 'output_config', body: { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } } },
  ...Object.entries({
    service_tier: 'auto',
    speed: 'standard',
    container: 'container_1',
    inference_geo: 'us',
    mcp_servers: [{ type: 'url', name: 'one', url: 'https://example.test' }],
    thread: { id: 'thread_1' },
  }).map(([field, value]) => ({ name: field, body: { [field]: value } })),
  { name: 'a model that nobody knows', body: { model: 'no-such-model' } },
  { name: 'wrong: messages is no list', body: { messages: 'Hello' } },
  { name: 'wrong: no max_tokens', body: { max_tokens: undefined } },
  { name: 'wrong: no JSON', body: '{"model":' },
  { name: 'upstream: 400', reply: error(400, 'invalid_request_error', 'messages: of no kind') },
  {
    name: 'upstream: 400, too long',
    reply: error(400, 'invalid_request_error', 'prompt is too long: 250000 tokens > 200000 maximum'),
  },
  { name: 'upstream: 401', reply: error(401, 'authentication_error', 'invalid x-api-key') },
  { name: 'upstream: 403', reply: error(403, 'permission_error', 'not for you') },
  { name: 'upstream: 404', reply: error(404, 'not_found_error', 'model: claude-opus-4-6') },
  { name: 'upstream: 429', reply: error(429, 'rate_limit_error', 'slowly, please', { 'retry-after': '7' }) },
  { name: 'upstream: 500', reply: error(500, 'api_error', 'Internal server error') },
  { name: 'upstream: 529', reply: error(529, 'overloaded_error', 'Overloaded') },
  {
    name: 'upstream: overloaded within a stream',
    body: { stream: true },
    reply: {
      content: [text('One two three')],
      stream_error: { after_events: 3, type: 'overloaded_error', message: 'Overloaded' },
    },
  },
  { name: 'a count of tokens', path: '/v1/messages/count_tokens', body: { max_tokens: undefined } },
  { name: 'the list of models', method: 'GET', path: '/v1/models' },
  { name: 'one model', method: 'GET', path: '/v1/models/claude-opus-4-6' },
  { name: 'a path that is none', method: 'GET', path: '/v1/nowhere' },
];

/** Whole ones: what a probe does not say is that of a plain request. */
export const PROBES = DIFFERING.map((probe) => ({
  ...probe,
  reply: { content: [text('Hello.')], ...probe.reply, usage: USAGE },
  body: typeof probe.body === 'object' ? { ...PLAIN, ...probe.body } : (probe.body ?? PLAIN),
}));
