import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Reply } from '../../../scripted-model/script.ts';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import type { JsonObject } from '../../../src/spec/messages.ts';
import { thinksByBudget } from '../../../src/spec/model-generation.ts';
import { foldChat } from '../../support/fold-chat.ts';
import { startGateway, type TestGateway } from '../../support/gateway.ts';
import { OwnCalls } from '../../support/own-calls.ts';
import { QUICK } from '../../support/quick.ts';

/** Chat completions over the real SDK: what the model gets, what the client gets, and which way each turn takes. */

const ownCalls = new OwnCalls();
let model: ScriptedModel;
let gateway: TestGateway;

beforeAll(async () => {
  model = await startScriptedModel({ onRequest: ownCalls.hear });
  gateway = await startGateway(model.url, ['--model-alias', 'gpt-5=claude-sonnet-5']);
});
beforeEach(() => {
  model.requests.length = 0;
  model.use([]);
});
afterEach(ownCalls.refuse);
afterAll(async () => {
  await gateway?.stop();
  await model?.close();
});

const TOOLS = [
  {
    type: 'function',
    function: { name: 'read', parameters: { type: 'object', properties: { path: { type: 'string' } } } },
  },
];

async function post(body: JsonObject): Promise<Response> {
  return await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'claude-sonnet-5', ...body }),
  });
}

/** An answer, as the message that a client keeps of it, and the way that it took. */
async function ask(messages: JsonObject[], more: JsonObject = {}): Promise<{ said: JsonObject; path: string | null }> {
  const response = await post({ messages, tools: TOOLS, ...more });
  const body = (await response.json()) as { choices: Array<{ message: JsonObject }> };
  expect(response.status, JSON.stringify(body)).toBe(200);
  return { said: body.choices[0]?.message ?? {}, path: response.headers.get('isthmus-path') };
}

const user = (content: unknown) => ({ role: 'user', content });
const newest = () => {
  const messages = model.requests.at(-1)?.body.messages as JsonObject[];
  return messages.at(-1)?.content;
};

const CALLS: Reply = {
  content: [
    { type: 'text', text: 'Let me look. ' },
    { type: 'thinking', thinking: 'hm', signature: 'c2ln' },
    { type: 'text', text: 'Two files.' },
    { type: 'tool_use', id: 'toolu_01A', name: 'read', input: { path: 'a' } },
    { type: 'tool_use', id: 'toolu_01B', name: 'read', input: { path: 'b' } },
  ],
};

test(
  'a tool loop and a follow-up go on in the live process, whatever the client glues and reorders',
  QUICK,
  async () => {
    model.use([{ when: { text: 'chat loop' }, replies: [CALLS] }]);
    const history: JsonObject[] = [{ role: 'system', content: 'Be short.' }, user('chat loop')];
    const first = await ask(history);
    expect(first.path).toBe('start');
    expect(first.said).toMatchObject({ content: 'Let me look. Two files.' });
    const calls = first.said.tool_calls as JsonObject[];
    expect(calls.map(({ id }) => id)).toEqual(['call_toolu_01A', 'call_toolu_01B']);

    const result = (at: number, content: unknown) => ({ role: 'tool', tool_call_id: calls[at]?.id, content });
    const respaced = calls.map((call) => {
      const called = call.function as JsonObject;
      return {
        ...call,
        function: { ...called, arguments: JSON.stringify(JSON.parse(String(called.arguments)), null, 2) },
      };
    });
    history.push(
      { ...first.said, tool_calls: respaced },
      result(1, 'of b'),
      result(0, [{ type: 'text', text: 'of a' }]),
    );
    const second = await ask(history);
    expect(second.path).toBe('continue');
    expect(newest()).toMatchObject([
      {
        type: 'tool_result',
        tool_use_id: 'toolu_01A',
        content: [{ type: 'text', text: 'of a' }],
      },
      { type: 'tool_result', tool_use_id: 'toolu_01B', content: [{ type: 'text', text: 'of b' }] },
    ]);

    history.push(second.said, user('and now'));
    const third = await ask(history);
    expect(third.path).toBe('continue');
    expect(third.said.content).toBe('You said: and now');
    expect(model.requests).toHaveLength(3);
  },
);

test('an image in a result reaches the model as an image', async () => {
  model.use([{ when: { text: 'chat image' }, replies: [{ content: CALLS.content?.slice(-1) ?? [] }] }]);
  const first = await ask([user('chat image')]);
  const [call] = first.said.tool_calls as JsonObject[];
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD' } };
  await ask([user('chat image'), first.said, { role: 'tool', tool_call_id: call?.id, content: [image] }]);
  expect(newest()).toMatchObject([
    {
      type: 'tool_result',
      content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'QUJD' } }],
    },
  ]);
});

test('streamed, the same answer, with its usage where that is asked for', async () => {
  const usage = { input_tokens: 5, cache_read_input_tokens: 7, cache_creation_input_tokens: 3, output_tokens: 11 };
  model.use([{ when: { text: 'chat stream' }, replies: [{ ...CALLS, usage }] }]);
  const whole = await ask([user('chat stream')]);
  const response = await post({
    messages: [user('chat stream'), { role: 'assistant', content: 'no' }, user('chat stream')],
    tools: TOOLS,
    stream: true,
    stream_options: { include_usage: true },
  });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const folded = foldChat(await response.text(), { asksUsage: true });
  expect(folded.finishReason).toBe('tool_calls');
  expect(folded.message.content).toBe(whole.said.content);
  expect(folded.message.tool_calls.map(({ id, text }) => [id, text])).toEqual(
    (whole.said.tool_calls as JsonObject[]).map(({ id, function: called }) => [id, (called as JsonObject).arguments]),
  );
  expect(folded.usage).toMatchObject({ prompt_tokens: 15, completion_tokens: 11, total_tokens: 26 });
});

test('parameters reach the model in its own words, and an alias leads to its model', async () => {
  await ask([user('chat parameters')], {
    model: 'gpt-5',
    tool_choice: 'required',
    parallel_tool_calls: false,
    max_completion_tokens: 500,
    stop: ['END'],
    seed: 1,
    user: 'u',
  });
  expect(model.requests.at(-1)?.body).toMatchObject({
    model: 'claude-sonnet-5',
    max_tokens: 500,
    stop_sequences: ['END'],
    tool_choice: { type: 'any', disable_parallel_tool_use: true },
  });
});

test('what is not acted on is told, and refused in strict mode', async () => {
  const messages = [user('chat strict')];
  const response = await post({ messages, seed: 1, tools: [...TOOLS, { type: 'web_search' }] });
  expect(response.headers.get('isthmus-ignored')).toBe('seed, tools.1');
  const strict = await fetch(`${gateway.url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'isthmus-strict': '1' },
    body: JSON.stringify({ model: 'claude-sonnet-5', messages, seed: 1 }),
  });
  expect(strict.status).toBe(400);
  expect(await strict.json()).toMatchObject({
    error: { type: 'invalid_request_error', param: 'seed', code: 'unsupported_value' },
  });
});

const upstream = (status: number, type: string, message: string, headers: Record<string, string> = {}): Reply => ({
  error: { status, type, message, headers },
});

test.each<[Reply, number, JsonObject, Record<string, string>]>([
  [
    upstream(400, 'invalid_request_error', 'prompt is too long: 213462 tokens > 200000 maximum'),
    400,
    {
      type: 'invalid_request_error',
      code: 'context_length_exceeded',
      message:
        'Your input exceeds the context window of this model: prompt is too long: 213462 tokens > 200000 maximum',
    },
    {},
  ],
  [
    upstream(429, 'rate_limit_error', 'slow', { 'retry-after': '7' }),
    429,
    { code: 'rate_limit_exceeded' },
    // Claude Code adds up to a quarter.
    { 'retry-after': '^[78]$' },
  ],
  [
    upstream(400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'),
    429,
    { type: 'insufficient_quota', code: 'insufficient_quota' },
    {},
  ],
  [upstream(529, 'overloaded_error', 'busy'), 503, { type: 'server_error', code: 'overloaded' }, {}],
  [upstream(401, 'authentication_error', 'no'), 401, { code: 'invalid_api_key' }, {}],
])('the API’s error %j is told as OpenAI’s %i', async (reply, status, error, headers) => {
  model.use([{ replies: [reply] }]);
  const response = await post({ messages: [user(`chat error ${status} ${JSON.stringify(error)}`)] });
  expect(await response.json()).toMatchObject({ error });
  expect(response.status).toBe(status);
  expect(response.headers.get('x-request-id')).toBe(response.headers.get('request-id'));
  for (const [name, value] of Object.entries(headers)) expect(response.headers.get(name)).toMatch(new RegExp(value));
});

test('a stream that the model cuts ends with an error, and never as done', async () => {
  model.use([
    { replies: [{ content: [{ type: 'text', text: 'x'.repeat(100) }], cut: { after_events: 4, how: 'end' } }] },
  ]);
  const response = await post({ messages: [user('chat cut')], stream: true });
  const text = await response.text();
  expect(foldChat(text, { asksUsage: false }).error).toMatchObject({ type: 'server_error' });
  expect(text).not.toContain('[DONE]');
});

test('a model of OpenAI that nobody mapped is a 404 and calls no model', async () => {
  const response = await post({ model: 'gpt-5.4-nano', messages: [user('title')] });
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: { code: 'model_not_found', param: 'model' } });
  expect(model.requests).toEqual([]);
  const listed = (await (await fetch(`${gateway.url}/v1/models`)).json()) as { data: unknown };
  expect(listed.data).toContainEqual(expect.objectContaining({ id: 'gpt-5', object: 'model' }));
});

test.each(['haiku', 'sonnet'])(
  'the alias %s has the rules of the model that Claude Code takes it for',
  async (alias) => {
    await ask([user('alias')], { model: alias, reasoning_effort: 'low', max_completion_tokens: 9_000 });
    const body: JsonObject = model.requests.at(-1)?.body ?? {};
    const { model: id, thinking } = body as { model: string; thinking: JsonObject };
    expect(id).toMatch(new RegExp(`^claude-${alias}-`));
    expect(thinking.type).toBe(thinksByBudget(id) ? 'enabled' : 'adaptive');
  },
);
