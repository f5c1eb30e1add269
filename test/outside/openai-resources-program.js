// @ts-check
import assert from 'node:assert/strict';
import { refusedOf, whole } from './sdk-calls.js';
import { tryCase } from './suite.js';

// Calls the resources of the `openai` SDK and prints what came of it. It runs on Node 22, which the SDK needs.

const [entry = '', url = ''] = process.argv.slice(2);
const { default: OpenAI, NotFoundError } = await import(entry);
const client = new OpenAI({
  apiKey: 'My API Key',
  adminAPIKey: 'My Admin API Key',
  baseURL: `${url}/v1`,
  maxRetries: 0,
});
const { completions } = client.chat;
const { responses, models } = client;

const READER = {
  told: toldByStatus,
  fieldOf: (/** @type {any} */ error) => String(error.param).split('.')[0] ?? '',
};
const MODEL = 'claude-sonnet-5';
const HELLO = { model: MODEL, messages: [{ role: 'user', content: 'Hello, world' }] };
const ASKED = { model: MODEL, input: 'Hello, world' };
const SCHEMA = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };
const TOOL = { name: 'get_weather', description: 'Tells the weather of a place', parameters: SCHEMA };

/** Every parameter of both APIs. */
const ALL = {
  metadata: { foo: 'string' },
  parallel_tool_calls: true,
  prompt_cache_key: 'prompt-cache-key-1234',
  prompt_cache_retention: 'in_memory',
  safety_identifier: 'safety-identifier-1234',
  service_tier: 'auto',
  store: true,
  stream: false,
  temperature: 1,
  tool_choice: 'auto',
  top_logprobs: 0,
  top_p: 1,
  user: 'user-1234',
};
const ALL_OF_CHAT = {
  ...HELLO,
  ...ALL,
  audio: { format: 'wav', voice: 'string' },
  frequency_penalty: -2,
  function_call: 'none',
  functions: [{ name: 'name', description: 'description', parameters: { foo: 'bar' } }],
  logit_bias: { foo: 0 },
  logprobs: true,
  max_completion_tokens: 1024,
  max_tokens: 1024,
  modalities: ['text'],
  n: 1,
  prediction: { content: 'string', type: 'content' },
  presence_penalty: -2,
  reasoning_effort: 'low',
  response_format: { type: 'text' },
  seed: 1,
  stop: 'never said',
  stream_options: null,
  tools: [{ type: 'function', function: TOOL }],
  verbosity: 'low',
  web_search_options: { search_context_size: 'low' },
};
const ALL_OF_RESPONSES = {
  ...ASKED,
  ...ALL,
  background: true,
  context_management: [{ type: 'compaction', compact_threshold: 1000 }],
  conversation: 'conversation',
  include: ['reasoning.encrypted_content'],
  instructions: 'instructions',
  max_output_tokens: 1024,
  max_tool_calls: 1,
  previous_response_id: 'previous_response_id',
  prompt: { id: 'id', variables: { foo: 'string' }, version: 'version' },
  reasoning: { effort: 'low', summary: 'auto' },
  text: { format: { type: 'text' }, verbosity: 'low' },
  tools: [{ type: 'function', strict: false, ...TOOL }],
  truncation: 'auto',
};

/** A method of each resource that Isthmus has no route for, as its first one is called. */
const OTHERS = {
  'decisions.create': [{}],
  'completions.create': [{ model: MODEL, prompt: 'This is a test.' }],
  'embeddings.create': [{ model: MODEL, input: 'The quick brown fox' }],
  'files.list': [],
  'images.generate': [{ prompt: 'A cute baby sea otter' }],
  'audio.speech.create': [{ input: 'input', model: MODEL, voice: 'alloy' }],
  'moderations.create': [{ input: 'I want to know.' }],
  'fineTuning.jobs.list': [],
  'vectorStores.list': [],
  'webhooks.list': [],
  'beta.assistants.list': [],
  'beta.threads.create': [],
  'batches.list': [],
  'uploads.cancel': ['upload_abc123'],
  'admin.organization.projects.list': [],
  'realtime.clientSecrets.create': [{}],
  'conversations.create': [],
  'evals.list': [],
  'containers.list': [],
  'skills.list': [],
  'videos.list': [],
};
/** The resources of the client; of the last ones no method is called. */
const RESOURCES = [
  ...new Set([...Object.keys(OTHERS).map((name) => name.split('.')[0]), 'chat', 'models', 'responses']),
  ...['contentProvenanceChecks', 'graders', 'live', 'safety'],
];

/** @type {Record<string, () => unknown>} */
const cases = {
  'the client: its resources are those that are known here': () =>
    assert.deepEqual(
      Object.keys(client)
        .filter((name) => client[name]?._client)
        .sort(),
      [...RESOURCES].sort(),
    ),
  'chat.completions: its methods are those that are called here': () =>
    methodsAre(completions, ['create', 'retrieve', 'update', 'list', 'delete', 'parse', 'runTools', 'stream']),
  'chat.completions.create: what it must have': () => whole(completions.create(HELLO)),
  'chat.completions.create: all that it may have': () =>
    refusedOf(ALL_OF_CHAT, (body) => completions.create(body), READER),
  'chat.completions.create: streaming': async () => {
    const chunks = await allOf(await completions.create({ ...HELLO, stream: true }));
    assert.equal(chunks.at(-1)?.choices[0].finish_reason, 'stop');
  },
  'chat.completions.stream': async () =>
    assert.match((await completions.stream(HELLO).finalContent()) ?? '', /Hello, world/),
  'chat.completions.parse': async () => {
    const format = { type: 'json_schema', json_schema: { name: 'person', schema: SCHEMA } };
    const { choices } = await completions.parse({ ...HELLO, response_format: format });
    assert.deepEqual(JSON.parse(choices[0].message.content), { name: 'Alice' });
  },
  'chat.completions.runTools': async () => {
    const weather = { ...TOOL, parse: JSON.parse, function: () => 'sunny' };
    const asked = [{ role: 'user', content: 'What is the weather in Paris?' }];
    const runner = completions.runTools({
      ...HELLO,
      messages: asked,
      tools: [{ type: 'function', function: weather }],
    });
    assert.match((await runner.finalContent()) ?? '', /sunny/);
  },
  'chat.completions.retrieve': () => whole(completions.retrieve('completion_id')),
  'chat.completions.update': () => whole(completions.update('completion_id', { metadata: { foo: 'string' } })),
  'chat.completions.list': () => whole(completions.list()),
  'chat.completions.list: on a path that is none': () => rejectsElsewhere((options) => completions.list({}, options)),
  'chat.completions.delete': () => whole(completions.delete('completion_id')),
  'chat.completions.messages.list': () => whole(completions.messages.list('completion_id')),
  'responses: its methods are those that are called here': () =>
    methodsAre(responses, ['create', 'retrieve', 'delete', 'cancel', 'compact', 'parse', 'stream']),
  'responses.create: what it must have': () => whole(responses.create(ASKED)),
  'responses.create: all that it may have': () => refusedOf(ALL_OF_RESPONSES, (body) => responses.create(body), READER),
  'responses.create: streaming': async () => {
    const events = await allOf(await responses.create({ ...ASKED, stream: true }));
    assert.equal(events.at(-1)?.type, 'response.completed');
  },
  'responses.create: behind an answer': async () => {
    const { id } = await responses.create({ model: MODEL, input: 'My name is Alice.' });
    const { output_text } = await responses.create({
      model: MODEL,
      input: 'What is my name?',
      previous_response_id: id,
    });
    assert.match(output_text, /Alice/);
  },
  'responses.stream': async () =>
    assert.match((await responses.stream(ASKED).finalResponse()).output_text, /Hello, world/),
  'responses.parse': async () => {
    const format = { type: 'json_schema', name: 'person', schema: SCHEMA };
    const { output_text } = await responses.parse({ ...ASKED, text: { format } });
    assert.deepEqual(JSON.parse(output_text), { name: 'Alice' });
  },
  'responses.retrieve: an answer that was given': async () =>
    whole(responses.retrieve((await responses.create(ASKED)).id)).catch((error) => {
      error.message = error.message.replace(/resp_\w+/, 'resp_…');
      throw error;
    }),
  'responses.retrieve: an id that nobody knows': () => whole(responses.retrieve('response_id')),
  'responses.delete': () => responses.delete('response_id'),
  'responses.cancel': () => whole(responses.cancel('response_id')),
  'responses.compact': () => whole(responses.compact({ model: MODEL })),
  'responses.inputItems.list': () => whole(responses.inputItems.list('response_id')),
  'responses.inputTokens.count': () => whole(responses.inputTokens.count(ASKED)),
  'models: its methods are those that are called here': () => methodsAre(models, ['retrieve', 'list', 'delete']),
  'models.retrieve: a model of the list': async () => whole(models.retrieve((await models.list()).data[0].id)),
  'models.retrieve: an id that nobody knows': () => whole(models.retrieve('model_id')),
  'models.list': () => whole(models.list()),
  'models.list: on a path that is none': () => rejectsElsewhere((options) => models.list(options)),
  'models.delete': () => whole(models.delete('model_id')),
};
for (const [name, given] of Object.entries(OTHERS)) {
  const path = name.split('.');
  const method = String(path.pop());
  cases[name] = () => {
    const resource = path.reduce((found, part) => found[part], client);
    return resource[method](...given);
  };
}

const results = [];
for (const [name, check] of Object.entries(cases)) {
  results.push(
    await tryCase(name, async () => {
      try {
        return await check();
      } catch (error) {
        return [toldByStatus(error)];
      }
    }),
  );
}
process.stdout.write(JSON.stringify(results));

/**
 * A failed answer by its status and code, with what it says of fields or paths; any other error by its words.
 *
 * @param {any} error
 */
function toldByStatus(error) {
  if (!error.status) return String(error.message ?? error);
  const [words = ''] = error.message.replace(/^\d+ /, '').split(/[;.] /);
  return `${error.status} \`${error.code ?? error.type}\`: ${words}`;
}

/**
 * @template Part
 * @param {AsyncIterable<Part>} stream
 * @returns {Promise<Part[]>}
 */
async function allOf(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

/** @param {(options: object) => Promise<unknown>} send */
function rejectsElsewhere(send) {
  return assert.rejects(send({ path: '/_stainless_unknown_path' }), NotFoundError);
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
