// @ts-check
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installPackages } from '../clients/install-packages.js';
import { refusedOf, whole } from './sdk-calls.js';
import { told, tryCase } from './suite.js';

const VERSION = '1.14.0';
/** The field is the first word of the message. */
const READER = {
  told,
  fieldOf: (/** @type {any} */ error) => /^(\w+)[:.]/.exec(error.error?.error?.message ?? '')?.[1] ?? '',
};
const ELSEWHERE = '/_stainless_unknown_path';
/** How many retries there are decides nothing here. */
const SETTINGS = { apiKey: 'my-anthropic-api-key', maxRetries: 0 };

/** The SDK's tests of its resources are not in its package: these are their calls, from its own list of methods. */
export const sdkResources = /** @satisfies {import('./suite.js').Suite} */ ({
  name: 'sdk-resources',
  title: `the resource tests of \`@anthropic-ai/sdk\` ${VERSION}`,
  about: `Each method of \`messages\`, \`messages.batches\` and \`models\`, and of their \`beta\` kin, called as the SDK's own
tests call it: with what it must have, with everything that it may have, and as a raw response. It passes when the SDK gets
what it takes for the answer.`,
  async run({ url, cache }) {
    const folder = await installPackages(cache, [`@anthropic-ai/sdk@${VERSION}`]);
    const entry = pathToFileURL(join(folder, 'node_modules', '@anthropic-ai', 'sdk', 'index.mjs'));
    /** @type {typeof import('@anthropic-ai/sdk')} */
    const { default: Anthropic, NotFoundError } = await import(entry.href);
    const client = new Anthropic({ ...SETTINGS, baseURL: url });
    const cases = casesOf(/** @type {any} */ (client), NotFoundError);
    const results = [];
    for (const [name, check] of Object.entries(cases)) results.push(await tryCase(name, check));
    return results;
  },
});

/**
 * @param {any} client
 * @param {typeof import('@anthropic-ai/sdk').NotFoundError} NotFoundError
 * @returns {Record<string, () => unknown>}
 */
function casesOf(client, NotFoundError) {
  /** @type {Record<string, () => unknown>} */
  const cases = {};
  for (const [name, root] of Object.entries({ '': client, 'beta.': client.beta })) {
    const isBeta = name !== '';
    const all = isBeta ? everythingOfBeta() : everything();
    const ofCount = pick(all, OF_A_COUNT);
    const request = { custom_id: 'first', params: HELLO };
    const full = { custom_id: 'first', params: pick(all, OF_A_BATCH) };
    const { messages, models } = root;
    Object.assign(cases, {
      [`${name}messages: its methods are those that are called here`]: () =>
        methodsAre(messages, ['create', 'parse', 'stream', 'countTokens', ...(isBeta ? ['toolRunner', 'thread'] : [])]),
      [`${name}messages.create: what it must have`]: () => whole(messages.create(HELLO)),
      [`${name}messages.create: all that it may have`]: () => refusedOf(all, (body) => messages.create(body), READER),
      [`${name}messages.stream`]: () => messages.stream(HELLO).finalMessage(),
      [`${name}messages.parse`]: () => messages.parse(HELLO),
      [`${name}messages.countTokens: what it must have`]: () => whole(messages.countTokens(COUNTED)),
      [`${name}messages.countTokens: all that it may have`]: () =>
        refusedOf(ofCount, (body) => messages.countTokens(body), READER),
      [`${name}messages.batches: its methods are those that are called here`]: () =>
        methodsAre(messages.batches, ['create', 'retrieve', 'list', 'delete', 'cancel', 'results']),
      [`${name}messages.batches.create: what it must have`]: () =>
        whole(messages.batches.create({ requests: [request] })),
      [`${name}messages.batches.create: all that it may have`]: () => messages.batches.create({ requests: [full] }),
      [`${name}messages.batches.list`]: () => whole(messages.batches.list()),
      ...Object.fromEntries(
        ['retrieve', 'delete', 'cancel'].map((method) => [
          `${name}messages.batches.${method}`,
          () => whole(messages.batches[method]('message_batch_id')),
        ]),
      ),
      [`${name}messages.batches.results`]: () => messages.batches.results('message_batch_id'),
      [`${name}messages.batches.list: on a path that is none`]: () =>
        assert.rejects(messages.batches.list({ limit: 1 }, { path: ELSEWHERE }), NotFoundError),
      [`${name}models: its methods are those that are called here`]: () => methodsAre(models, ['retrieve', 'list']),
      [`${name}models.retrieve: a model of the list`]: async () =>
        whole(models.retrieve((await models.list()).data[0].id)),
      [`${name}models.retrieve: an id that nobody knows`]: () => whole(models.retrieve('model_id')),
      [`${name}models.retrieve: on a path that is none`]: () =>
        assert.rejects(models.retrieve('model_id', {}, { path: ELSEWHERE }), NotFoundError),
      [`${name}models.list`]: () => whole(models.list()),
      [`${name}models.list: on a path that is none`]: () =>
        assert.rejects(models.list({ after_id: 'a', before_id: 'b', limit: 1 }, { path: ELSEWHERE }), NotFoundError),
    });
  }
  const { output_config: _, ...rest } = everythingOfBeta();
  const older = pick(
    { ...rest, output_format: FORMAT },
    OF_A_COUNT.filter((field) => field !== 'mcp_servers'),
  );
  Object.assign(cases, {
    'beta.messages.create: output_format': () => client.beta.messages.create({ ...older, max_tokens: 1024 }),
    'beta.messages.countTokens: output_format': () => client.beta.messages.countTokens(older),
    'beta.messages.toolRunner': () => client.beta.messages.toolRunner({ ...HELLO, tools: [] }).runUntilDone(),
    'beta.messages.thread': () =>
      client.beta.messages.thread({ model: MODEL, max_tokens: 1024 }).send(COUNTED.messages[0]),
  });
  cases['messages.create: does not warn of a model that is current'] = async () => {
    const warn = console.warn;
    let warned = 0;
    console.warn = () => {
      warned += 1;
    };
    await client.messages.create(HELLO).finally(() => {
      console.warn = warn;
    });
    assert.equal(warned, 0);
  };
  return cases;
}

/**
 * @param {object} resource
 * @param {string[]} expected
 */
function methodsAre(resource, expected) {
  const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(resource)).filter(
    (name) => !/^_|^constructor$/.test(name),
  );
  assert.deepEqual(methods.sort(), [...expected].sort());
}

const MODEL = 'claude-opus-4-6';
const COUNTED = { model: MODEL, messages: [{ role: 'user', content: 'Hello, world' }] };
const HELLO = { ...COUNTED, max_tokens: 1024 };
const OF_A_COUNT = [
  ...['model', 'messages', 'cache_control', 'context_management', 'mcp_servers', 'output_config', 'output_format'],
  ...['speed', 'system', 'thinking', 'tool_choice', 'tools', 'user_profile_id', 'betas'],
];
const OF_A_BATCH = ['model', 'messages', 'max_tokens', 'metadata', 'system', 'temperature', 'tool_choice', 'top_k'];

/** A request with every parameter. */
function everything() {
  return {
    ...HELLO,
    cache_control: EPHEMERAL,
    container: 'container',
    inference_geo: 'inference_geo',
    metadata: { user_id: '13803d75-b4b5-4c3e-b2a2-6f21399b021b' },
    output_config: { effort: 'low', format: FORMAT },
    service_tier: 'auto',
    stop_sequences: ['string'],
    stream: false,
    system: [{ type: 'text', text: 'Today is 2024-06-01.', cache_control: EPHEMERAL, citations: [CITATION] }],
    temperature: 1,
    thinking: { type: 'adaptive', display: 'summarized' },
    tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    tools: [TOOL],
    top_k: 5,
    top_p: 0.7,
    user_profile_id: 'user_profile_id',
  };
}

function everythingOfBeta() {
  return {
    ...everything(),
    container: { id: 'id', skills: [{ type: 'anthropic', skill_id: 'x', version: 'x' }] },
    context_management: { edits: [EDIT] },
    mcp_servers: [{ type: 'url', name: 'name', url: 'url', tool_configuration: { enabled: true } }],
    speed: 'standard',
    betas: ['string'],
  };
}

const EPHEMERAL = { type: 'ephemeral', ttl: '5m' };
const FORMAT = { type: 'json_schema', schema: { foo: 'bar' } };
const CITATION = {
  type: 'char_location',
  cited_text: 'The grass is green.',
  document_index: 0,
  document_title: 'x',
  start_char_index: 0,
  end_char_index: 0,
};
const EDIT = {
  type: 'clear_tool_uses_20250919',
  clear_at_least: { type: 'input_tokens', value: 0 },
  clear_tool_inputs: true,
  exclude_tools: ['string'],
  keep: { type: 'tool_uses', value: 0 },
  trigger: { type: 'input_tokens', value: 1 },
};
const TOOL = {
  type: 'custom',
  name: 'name',
  description: 'Tells the weather of a place',
  input_schema: { type: 'object', properties: { location: 'bar', unit: 'bar' }, required: ['location'] },
  allowed_callers: ['direct'],
  cache_control: EPHEMERAL,
  defer_loading: true,
  eager_input_streaming: true,
  input_examples: [{ foo: 'bar' }],
  strict: true,
};

/**
 * @param {Record<string, unknown>} object
 * @param {string[]} keys
 */
function pick(object, keys) {
  return Object.fromEntries(Object.entries(object).filter(([key]) => keys.includes(key)));
}
