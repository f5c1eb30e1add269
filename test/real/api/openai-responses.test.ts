import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Reply } from '../../../scripted-model/script.ts';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import type { JsonObject } from '../../../src/spec/messages.ts';
import { foldResponses } from '../../support/fold-responses.ts';
import { startGateway, type TestGateway } from '../../support/gateway.ts';
import { OwnCalls } from '../../support/own-calls.ts';
import { QUICK } from '../../support/quick.ts';

/** OpenAI's responses over the real SDK: what the model gets, what the client gets, and which way each turn takes. */

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

const schema = (field: string) => ({ type: 'object', properties: { [field]: { type: 'string' } } });
const TOOLS = [
  { type: 'function', name: 'read', parameters: schema('path'), strict: false },
  {
    type: 'namespace',
    name: 'agents',
    description: 'Sub-agents.',
    tools: [
      { type: 'function', name: 'spawn', parameters: schema('m'), strict: false },
      { type: 'custom', name: 'exec', description: 'js' },
    ],
  },
];

async function post(body: JsonObject, headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(`${gateway.url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'claude-sonnet-5', store: false, tools: TOOLS, ...body }),
  });
}

/** A streamed answer, as Codex asks for it, and the way that it took. */
async function ask(input: JsonObject[], more: JsonObject = {}) {
  const include = ['reasoning.encrypted_content'];
  const response = await post({ input, stream: true, include, ...more }, { 'isthmus-strict': '1' });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  const path = response.headers.get('isthmus-path');
  return { ...foldResponses(text), path, ignored: response.headers.get('isthmus-ignored') };
}

const user = (text: string) => ({ type: 'message', role: 'user', content: [{ type: 'input_text', text }] });
const newest = () => {
  const messages = model.requests.at(-1)?.body.messages as JsonObject[];
  return messages.at(-1)?.content;
};

const CALLS: Reply = {
  content: [
    { type: 'thinking', thinking: 'hm', signature: 'c2ln' },
    { type: 'text', text: 'Let me look.' },
    { type: 'thinking', thinking: 'so', signature: 'c2lo' },
    { type: 'text', text: 'Two things.' },
    { type: 'tool_use', id: 'toolu_01A', name: 'agents__spawn', input: { m: 'x' } },
    { type: 'tool_use', id: 'toolu_01B', name: 'agents__exec', input: { input: '1+1' } },
  ],
};

test(
  'a tool loop of Codex and a follow-up go on in the live process, its tools by their own names',
  QUICK,
  async () => {
    model.use([{ when: { text: 'responses loop' }, replies: [CALLS] }]);
    const developer = { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'Be short.' }] };
    const history: JsonObject[] = [developer, user('responses env'), user('responses loop')];
    const thinks = { reasoning: { effort: 'high', summary: 'auto' } };
    const first = await ask(history, thinks);
    expect(first.path).toBe('start');
    expect(model.requests[0]?.body).toMatchObject({
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: { effort: 'high' },
      max_tokens: 64_000,
    });
    expect(first.items.map(({ type }) => type)).toEqual([
      'reasoning',
      'message',
      'reasoning',
      'message',
      'function_call',
      'custom_tool_call',
    ]);
    expect(first.items[4]).toMatchObject({ call_id: 'call_toolu_01A', namespace: 'agents', name: 'spawn' });
    expect(first.items[5]).toMatchObject({
      call_id: 'call_toolu_01B',
      namespace: 'agents',
      name: 'exec',
      input: '1+1',
    });

    const [spawned, executed] = [
      { type: 'function_call_output', call_id: 'call_toolu_01A', output: 'spawned' },
      { type: 'custom_tool_call_output', call_id: 'call_toolu_01B', output: '2' },
    ];
    history.push(...first.items, executed as JsonObject, spawned as JsonObject);
    const second = await ask(history, thinks);
    expect(second.path).toBe('continue');
    expect(newest()).toMatchObject([
      { type: 'tool_result', tool_use_id: 'toolu_01A', content: [{ type: 'text', text: 'spawned' }] },
      { type: 'tool_result', tool_use_id: 'toolu_01B', content: [{ type: 'text', text: '2' }] },
    ]);

    history.push(...second.items, user('and now'));
    const third = await ask(history, thinks);
    expect(third.path).toBe('continue');
    expect(third.items).toMatchObject([{ content: [{ type: 'output_text', text: 'You said: and now' }] }]);
    expect(model.requests).toHaveLength(3);
  },
);

test('a replay gives the model its thinking back', async () => {
  model.use([{ when: { text: 'responses thinking' }, replies: [CALLS] }]);
  const { items } = await ask([user('responses thinking')]);
  const outputs = items.slice(4).map(({ type, call_id }) => ({ type: `${type}_output`, call_id, output: 'x' }));
  const changed = await ask([user('changed responses thinking'), ...items, ...outputs]);
  expect(changed).toMatchObject({ path: 'replay', ignored: null });
  const messages = model.requests.at(-1)?.body.messages as JsonObject[];
  expect(messages[1]?.content).toMatchObject(CALLS.content ?? []);
});

test('where the model wants thinking before calls and gets none, it does not think until the loop is over', async () => {
  const call = (id: string) => ({ type: 'tool_use' as const, id, name: 'read', input: { path: 'a' } });
  const thought = { type: 'thinking' as const, thinking: 'hm', signature: 'c2ln' };
  const done = { type: 'text' as const, text: 'Done.' };
  const replies = [[call('toolu_02B')], [done], [thought, call('toolu_02C')], [done]].map((content) => ({ content }));
  model.use([{ replies }]);
  const asked = { model: 'claude-sonnet-4-5', reasoning: { effort: 'low' } };
  const thinks = () => (model.requests.at(-1)?.body.thinking as JsonObject | undefined)?.type;
  const answered = (call_id: unknown) => ({ type: 'function_call_output', call_id, output: 'x' });
  const elsewhere = { type: 'function_call', call_id: 'call_elsewhere', name: 'read', arguments: '{}' };
  const history: JsonObject[] = [user('responses loop without'), elsewhere, answered('call_elsewhere')];
  const first = await ask(history, asked);
  expect([first.path, first.ignored, thinks()]).toEqual(['replay', 'reasoning.effort', 'disabled']);
  history.push(...first.items, answered('call_toolu_02B'));
  const second = await ask(history, asked);
  expect([second.path, second.ignored, thinks()]).toEqual(['continue', 'reasoning.effort', 'disabled']);
  history.push(...second.items, user('responses loop with'));
  const third = await ask(history, asked);
  expect([third.path, third.ignored, thinks()]).toEqual(['continue', null, 'enabled']);

  // The live process has the thinking of its own calls, though the client drops it.
  history.push(...third.items.slice(1), answered('call_toolu_02C'));
  const fourth = await ask(history, asked);
  expect([fourth.path, fourth.ignored, thinks()]).toEqual(['continue', null, 'enabled']);
});

test('an answer is kept for those that refer to it, unless it is not to be stored', async () => {
  const call = { type: 'tool_use' as const, id: 'toolu_01C', name: 'read', input: { path: 'a' } };
  model.use([
    { when: { text: 'responses kept' }, replies: [{ content: [...(CALLS.content?.slice(0, 2) ?? []), call] }] },
  ]);
  const stored = { store: true };
  const { items, response } = await ask([user('responses kept')], stored);
  const referring = items.map(({ type, id, ...item }) =>
    type === 'function_call' ? { type, ...item } : { type: 'item_reference', id },
  );
  const result = { type: 'function_call_output', call_id: 'call_toolu_01C', output: 'of a' };
  const second = await ask([user('responses kept'), ...referring, result], stored);
  expect(second.path).toBe('continue');

  const third = await ask([user('further')], { ...stored, previous_response_id: second.response.id });
  expect(third).toMatchObject({ path: 'continue', response: { previous_response_id: second.response.id } });
  expect(model.requests).toHaveLength(3);

  const asked = { input: 'again', previous_response_id: response.id };
  const stranger = await post(asked, { authorization: 'Bearer another' });
  expect(stranger.status).toBe(400);
  expect(await stranger.json()).toMatchObject({ error: { code: 'previous_response_not_found' } });
  const unstored = await ask([user('responses unstored')]);
  const gone = await post({ input: [user('a'), { type: 'item_reference', id: unstored.items[0]?.id }] });
  expect(gone.status).toBe(400);
  expect(await gone.json()).toMatchObject({
    error: {
      type: 'invalid_request_error',
      param: 'input.1.id',
      message: expect.stringMatching(/Item with id .* not found.*store/),
    },
  });
});

test('one body in place of a stream is the same answer, by a name of the operator', async () => {
  model.use([{ when: { text: 'responses whole' }, replies: [CALLS, CALLS] }]);
  const streamed = await ask([user('responses whole')], { model: 'gpt-5' });
  const response = await post({ input: 'responses whole', model: 'gpt-5', metadata: { a: 'b' } });
  const whole = (await response.json()) as JsonObject;
  expect(whole).toMatchObject({
    object: 'response',
    status: 'completed',
    model: 'claude-sonnet-5',
    metadata: { a: 'b' },
  });
  const bare = (items: unknown) => (items as JsonObject[]).map(({ id: _, ...item }) => item);
  expect(bare(whole.output)).toEqual(bare(streamed.items));
});

test('the API’s error is told as OpenAI’s', async () => {
  const message = 'prompt is too long: 213462 tokens > 200000 maximum';
  model.use([{ replies: [{ error: { status: 400, type: 'invalid_request_error', message } }] }]);
  const response = await post({ input: 'responses error', stream: true });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: { code: 'context_length_exceeded', message: expect.stringContaining('exceeds the context window') },
  });
});

test('a model that binds thinking to what stood before it is asked to leave out what no longer fits', async () => {
  const bound = { model: 'claude-opus-5-5', tools: [] };
  model.use([
    {
      replies: [
        {
          content: [
            { type: 'thinking', thinking: 'hm' },
            { type: 'text', text: 'A' },
          ],
        },
      ],
    },
  ]);
  const first = await ask([user('bound')], bound);
  expect((await ask([user('bound'), ...first.items, user('more')], bound)).path).toBe('continue');
  await ask([user('changed'), ...first.items, user('more')], bound);
  for (const { headers, body } of model.requests) {
    expect(headers['anthropic-beta']).toContain('thinking-binding-controls-2026-08-01');
    expect(body.thinking).toEqual({ type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' } });
  }
  expect(JSON.stringify(model.requests.at(-1)?.body.messages)).toContain('"thinking":"hm"');
});

test('a stream that the model cuts ends with a failed answer', async () => {
  model.use([
    { replies: [{ content: [{ type: 'text', text: 'x'.repeat(100) }], cut: { after_events: 4, how: 'end' } }] },
  ]);
  const { events, response } = await ask([user('responses cut')]);
  expect(events.slice(-2)).toEqual(['error', 'response.failed']);
  expect(response.error).toMatchObject({ code: 'server_error' });
});

test('refused and cut by a limit, an answer ends as clients know it', async () => {
  const content = [{ type: 'text' as const, text: 'A' }];
  model.use([
    { when: { text: 'responses refused' }, replies: [{ content, stop_reason: 'refusal' }] },
    { when: { text: 'responses limit' }, replies: [{ content, stop_reason: 'max_tokens' }] },
  ]);
  const refused = await ask([user('responses refused')]);
  expect(refused.response.status).toBe('completed');
  expect(refused.items.at(-1)).toMatchObject({ content: [{ type: 'refusal' }] });
  const limited = await ask([user('responses limit')]);
  expect(limited.response).toMatchObject({
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
    output: [{ status: 'incomplete' }],
  });
});

test('what is not acted on is told, and refused in strict mode', async () => {
  const response = await post({ input: 'responses strict', tools: [...TOOLS, { type: 'web_search' }] });
  expect(response.headers.get('isthmus-ignored')).toBe('tools.2');
  const strict = await post({ input: 'x', seed: 1 }, { 'isthmus-strict': '1' });
  expect(strict.status).toBe(400);
  expect(await strict.json()).toMatchObject({
    error: { type: 'invalid_request_error', param: 'seed', code: 'unsupported_value' },
  });
});
