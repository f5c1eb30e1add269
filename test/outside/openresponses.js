// @ts-check
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installPackages } from '../clients/install-packages.js';
import { tryCase } from './suite.js';

/** The commit whose list of cases this is. */
const COMMIT = '0cb939cc';
const SCHEMAS = '@openrouter/sdk@1.3.19';

/**
 * The compliance test of OpenResponses, which no registry carries: its list of cases, in our own words.
 *
 * @satisfies {import('./suite.js').Suite}
 */
export const openResponses = {
  name: 'openresponses',
  title: `the compliance cases of openresponses/openresponses (${COMMIT})`,
  about: `npm does not carry the test, so its cases stand here in our own words. Each answer must have all fields that its
schema requires. The types are held by schemas of a package that npm has, \`${SCHEMAS}\`: each answer, and each event of a
stream.`,
  /** @param {import('./suite.js').Stage} stage */
  async run({ url, cache }) {
    const folder = await installPackages(cache, [SCHEMAS]);
    const models = join(folder, 'node_modules', '@openrouter', 'sdk', 'esm', 'models');
    const entry = (/** @type {string} */ name) => pathToFileURL(join(models, name)).href;
    const { OpenResponsesResult$inboundSchema: answer } = await import(entry('openresponsesresult.js'));
    const { StreamEvents$inboundSchema: event } = await import(entry('streamevents.js'));
    const results = [];
    for (const [name, { isStream = false, wanted = [], ...request }] of Object.entries(CASES)) {
      results.push(
        await tryCase(name, async () => {
          const { response, events } = await ask(url, { ...request, stream: isStream });
          const kinds = response.output.map((/** @type {any} */ { type }) => type);
          const said = events.map(({ type, item }) => (item ? `${type} ${item.type}` : type));
          return [
            ...REQUIRED.filter((field) => !(field in response)).map((field) => `the answer has no ${field}`),
            ...issues(answer, response, 'the answer'),
            ...events.flatMap((each) => issues(event, each, each.type)),
            ...(response.status === 'completed' ? [] : [`the status is ${response.status}`]),
            ...(kinds.length > 0 ? [] : ['the answer has no item']),
            ...wanted.filter((kind) => ![...kinds, ...said].includes(kind)).map((kind) => `there is no ${kind}`),
          ];
        }),
      );
    }
    return results;
  },
};

/** The fields that the schema of a response requires. */
const REQUIRED = [
  ...['id', 'object', 'created_at', 'completed_at', 'status', 'incomplete_details', 'model', 'previous_response_id'],
  ...['instructions', 'output', 'error', 'tools', 'tool_choice', 'truncation', 'parallel_tool_calls', 'text', 'top_p'],
  ...['presence_penalty', 'frequency_penalty', 'top_logprobs', 'temperature', 'reasoning', 'user', 'usage'],
  ...['max_output_tokens', 'max_tool_calls', 'store', 'background', 'service_tier', 'metadata', 'safety_identifier'],
  'prompt_cache_key',
];

/** @param {string} role @param {unknown} content */
const message = (role, content) => ({ type: 'message', role, content });
const WEATHER = {
  input: [message('user', 'What is the weather in San Francisco?')],
  tools: [
    {
      type: 'function',
      name: 'get_weather',
      description: 'Tells the weather of a place',
      parameters: { type: 'object', properties: { location: { type: 'string' } }, required: ['location'] },
    },
  ],
};
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=';

/** @type {Record<string, { input: object[]; tools?: object[]; isStream?: boolean; wanted?: string[] }>} */
const CASES = {
  'basic-response': { input: [message('user', 'Say hello in three words.')] },
  'streaming-response': { input: [message('user', 'Count from 1 to 5.')], isStream: true },
  'system-prompt': { input: [message('system', 'You speak as a pirate does.'), message('user', 'Say hello.')] },
  'tool-calling': { ...WEATHER, wanted: ['function_call'] },
  'tool-calling-streaming': {
    ...WEATHER,
    isStream: true,
    wanted: [
      'response.output_item.added function_call',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done function_call',
    ],
  },
  'image-input': {
    input: [
      message('user', [
        { type: 'input_text', text: 'What is in this image?' },
        { type: 'input_image', image_url: `data:image/png;base64,${PIXEL}` },
      ]),
    ],
  },
  'multi-turn': {
    input: [
      message('user', 'My name is Alice.'),
      message('assistant', 'Hello Alice! How can I help you?'),
      message('user', 'What is my name?'),
    ],
  },
};

/**
 * @param {string} url
 * @param {object} request
 * @returns {Promise<{ response: any; events: any[] }>}
 */
async function ask(url, request) {
  const answer = await fetch(`${url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer any' },
    body: JSON.stringify({ model: 'claude-sonnet-4-5', ...request }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`HTTP ${answer.status}: ${text}`);
  if (!answer.headers.get('content-type')?.includes('event-stream')) return { response: JSON.parse(text), events: [] };
  const lines = text.split('\n').filter((line) => line.startsWith('data: {'));
  const events = lines.map((line) => JSON.parse(line.slice(6)));
  return { response: events.at(-1).response, events };
}

/**
 * What a schema has against a value. It takes what it does not know, and marks it.
 *
 * @param {any} schema
 * @param {unknown} value
 * @param {string} name of the value
 * @returns {string[]}
 */
function issues(schema, value, name) {
  const { success, data, error } = schema.safeParse(value);
  if (!success) {
    return error.issues.map((/** @type {any} */ { path, message }) => `${name}: ${path.join('.')}: ${message}`);
  }
  return unknownIn(data).map(
    (/** @type {any} */ raw) => `${name}: the schema does not know ${raw.type} with ${Object.keys(raw).join(', ')}`,
  );
}

/**
 * @param {any} data
 * @returns {unknown[]}
 */
function unknownIn(data) {
  if (typeof data !== 'object' || data === null) return [];
  return data.isUnknown === true ? [data.raw] : Object.values(data).flatMap(unknownIn);
}
