import { type Anthropic, APIError } from '@anthropic-ai/sdk';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Reply } from '../../../scripted-model/script.ts';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import { postStream, sdkClient } from '../../support/clients.ts';
import { foldMessage } from '../../support/fold-message.ts';
import { startGateway, type TestGateway, until } from '../../support/gateway.ts';
import { OwnCalls } from '../../support/own-calls.ts';
import { QUICK, testEach } from '../../support/quick.ts';
import { RICH_REPLY } from '../../support/rich-reply.ts';

/** What comes back, as the official SDK reads it. */

const ownCalls = new OwnCalls();
let model: ScriptedModel;
let gateway: TestGateway;
let client: Anthropic;

beforeAll(async () => {
  model = await startScriptedModel({ onRequest: ownCalls.hear });
  gateway = await startGateway(model.url);
  client = sdkClient(gateway.url);
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

const TOOLS: Anthropic.Tool[] = [
  { name: 'read', description: 'reads', input_schema: { type: 'object', properties: { path: { type: 'string' } } } },
];
const ask = (content: string, rest: Partial<Anthropic.MessageCreateParamsNonStreaming> = {}) => ({
  model: 'claude-sonnet-5',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content }],
  ...rest,
});

/** Other words each time: a used process that is asked the same again would look like Claude Code's own call. */
let asked = 0;
const hi = () => {
  asked += 1;
  return `hi ${asked}`;
};

test('streaming and not, the answer is the model’s own', QUICK, async () => {
  model.use([{ replies: [RICH_REPLY] }]);
  const whole = await client.messages.create(ask(hi(), { tools: TOOLS }));
  const streamed = await client.messages.stream(ask(hi(), { tools: TOOLS })).finalMessage();
  for (const [index, answer] of [whole, streamed].entries()) {
    expect(answer).toMatchObject({
      id: `msg_scripted_${index + 1}`,
      model: 'claude-sonnet-5',
      role: 'assistant',
      content: RICH_REPLY.content,
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: RICH_REPLY.usage,
    });
  }
});

test('a stream keeps the API’s grammar', async () => {
  model.use([{ replies: [RICH_REPLY] }]);
  const { response, events, end } = await postStream(gateway.url, ask(hi(), { tools: TOOLS }));
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  expect(response.headers.get('request-id')).toMatch(/^req_/);
  expect(end).toEqual({ type: 'message_stop', stop_reason: 'tool_use' });
  expect(foldMessage(events).content).toEqual(RICH_REPLY.content);
});

test('without `stream` the answer is JSON', async () => {
  const response = await fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ask('hi there')),
  });
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  const content = [{ type: 'text', text: 'You said: hi there' }];
  expect(await response.json()).toMatchObject({ type: 'message', content });
});

test('parameters reach the model as they are, and do not leak into the next turn', QUICK, async () => {
  const thinking = { type: 'enabled' as const, budget_tokens: 1500 };
  const first = ask(hi(), {
    max_tokens: 3000,
    thinking,
    stop_sequences: ['END'],
    tool_choice: { type: 'any' },
    tools: TOOLS,
  });
  const answer = await client.messages.create(first);
  await client.messages.create({
    ...ask('', { tools: TOOLS }),
    messages: [...first.messages, { role: 'assistant', content: answer.content }, { role: 'user', content: 'more' }],
  });
  const [before, after] = model.requests.map(({ body }) => body);
  expect(before).toMatchObject({ max_tokens: 3000, thinking, stop_sequences: ['END'], tool_choice: { type: 'any' } });
  expect(after).toMatchObject({ max_tokens: 100, thinking: { type: 'disabled' } });
  expect(after).not.toHaveProperty('stop_sequences');
  expect(after).not.toHaveProperty('tool_choice');
});

test('what is not acted on is said', QUICK, async () => {
  const body = {
    ...ask(hi()),
    service_tier: 'auto',
    tools: [...TOOLS, { type: 'web_search_20250305', name: 'web_search' }],
  };
  const { response } = await client.messages.create(body as never).withResponse();
  expect(response.headers.get('isthmus-ignored')).toBe('service_tier, tools.1');
  expect(model.requests[0]?.body.tools?.map(({ name }) => name)).toEqual(['read']);
});

test('while the model is silent the stream pings, before and inside the answer', async () => {
  model.use([{ replies: [{ content: [{ type: 'text', text: 'slow' }], delay_ms: 1_500, gap_ms: 700 }] }]);
  const impatient = await startGateway(model.url, ['--keep-alive-seconds', '0.3']);
  const { response, events } = await postStream(impatient.url, ask(hi()));
  await impatient.stop();
  expect(response.status).toBe(200);
  const order = events.map(({ type }) => type);
  expect(order[0]).toBe('ping');
  expect(order.lastIndexOf('ping')).toBeGreaterThan(order.indexOf('message_start'));
});

test('a failure after the first byte is an error event, and the next request has its full history', QUICK, async () => {
  const words = { type: 'text' as const, text: 'some words that take several deltas' };
  model.use([
    {
      replies: [
        { content: [words], stream_error: { after_events: 3, type: 'overloaded_error', message: 'Overloaded' } },
        { content: [words], cut: { after_events: 4, how: 'end' } },
        { content: [words] },
      ],
    },
  ]);
  for (const type of ['overloaded_error', 'api_error']) {
    const { response, end } = await postStream(gateway.url, ask(hi()));
    expect(response.status).toBe(200);
    expect(end).toMatchObject({ type: 'error', error: { type } });
  }
  expect((await client.messages.create(ask(hi()))).content).toMatchObject([words]);
  expect(model.requests).toHaveLength(3);
});

test.each([
  ['a call', 2],
  ['a call', 4],
  ['a text', 4],
])('%s that is cut after %i events has no end, so that no client takes it for whole', async (block, after_events) => {
  const content: Reply['content'] = [
    block === 'a call'
      ? { type: 'tool_use', name: 'read', input: { path: 'notes.txt' } }
      : { type: 'text', text: 'some words that take several deltas' },
  ];
  model.use([{ replies: [{ content, delta_length: 4, cut: { after_events, how: 'end' } }] }]);
  const { events, end } = await postStream(gateway.url, ask(hi(), { tools: TOOLS }));
  const types = events.map(({ type }) => type).filter((type) => type !== 'ping');
  expect(types.slice(0, 2)).toEqual(['message_start', 'content_block_start']);
  expect(types).not.toContain('content_block_stop');
  const message = expect.stringContaining('Try your request again.');
  expect(end).toMatchObject({ type: 'error', error: { type: 'api_error', message } });
});

testEach([false, true], (stream) => stream)(
  'the tool runner of the official SDK works through it, streaming: %s',
  async (stream) => {
    model.use([
      { when: { has_tool_result: true }, replies: [{ content: [{ type: 'text', text: 'It says: buy milk.' }] }] },
      { replies: [{ content: [{ type: 'tool_use', name: 'read', input: { path: 'notes.txt' } }] }] },
    ]);
    const runs: unknown[] = [];
    const read = {
      ...(TOOLS[0] as Anthropic.Beta.BetaTool),
      type: 'custom' as const,
      run: (input: unknown) => {
        runs.push(input);
        return 'buy milk';
      },
      parse: (input: unknown) => input,
    };
    const runner = client.beta.messages.toolRunner({ ...ask('What do my notes say?'), stream, tools: [read] });
    // It asks for a thread first, is refused, and sends whole histories from then on.
    expect((await runner.runUntilDone()).content).toMatchObject([{ text: 'It says: buy milk.' }]);
    expect(runs).toEqual([{ path: 'notes.txt' }]);
    expect(model.requests.map(({ body }) => body.messages.length)).toEqual([1, 3]);
  },
);

test('a thousand blocks of text go on a live process as they are', QUICK, async () => {
  const first = ask(hi()).messages;
  const { data } = await client.messages.create(ask('', { messages: first })).withResponse();
  const blocks = Array.from({ length: 1_000 }, (_, index) => ({
    type: 'text' as const,
    text: `block ${index} \u2028`,
  }));
  const { response } = await client.messages
    .create({
      ...ask(''),
      messages: [...first, { role: 'assistant', content: data.content }, { role: 'user', content: blocks }],
    })
    .withResponse();
  expect(response.headers.get('isthmus-path')).toBe('continue');
  expect(model.requests[1]?.body.messages.at(-1)?.content).toMatchObject(blocks);
});

test('a call whose input is no JSON goes to the client of a stream as it is, and to no other', QUICK, async () => {
  model.use([{ replies: [{ content: [{ type: 'tool_use', name: 'read', input: {}, raw_input: '{"path": "/etc' }] }] }]);
  const body = ask(hi(), { tools: TOOLS });
  const streamed = await fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, stream: true }),
  });
  expect(await streamed.text()).toMatch(/\/etc.*"stop_reason":"tool_use".*message_stop/s);
  const error = await client.messages.create(body).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(APIError);
  expect(error).toMatchObject({ status: 502, error: { error: { details: { error_code: 'upstream_cut' } } } });
  expect(model.requests).toHaveLength(2);
});

test('max_tokens: 0 fills the cache, on every path', QUICK, async () => {
  const nothing: Reply = { content: [], stop_reason: 'max_tokens', usage: { output_tokens: 0 } };
  model.use([(request) => (request.max_tokens === 0 ? nothing : undefined)]);
  const talk = async (...words: string[]) => {
    const messages: Anthropic.MessageParam[] = [];
    for (const content of words) {
      messages.push({ role: 'user', content });
      const { content: said } = await client.messages.create(ask('', { messages }));
      messages.push({ role: 'assistant', content: said });
    }
    return messages;
  };
  const more = { role: 'user' as const, content: hi() };
  // Each made just before it is asked: a one-shot that waits lends its process to the next conversation.
  const fillings = {
    start: async () => ask(hi()),
    continue: async () => ask('', { messages: [...(await talk(hi())), more] }),
    rewind: async () => ask('', { messages: [...(await talk(hi(), hi())).slice(0, 2), more] }),
    replay: async () => ask('', { messages: [...(await talk(hi())), more], system: 'Another.' }),
  };
  for (const [path, toBody] of Object.entries(fillings)) {
    const body = { ...(await toBody()), max_tokens: 0 };
    const { data, response } = await client.messages.create(body).withResponse();
    expect(data).toMatchObject({ content: [], stop_reason: 'max_tokens', usage: { output_tokens: 0 } });
    expect(response.headers.get('isthmus-path')).toBe(path);
  }
  const filled = model.requests.filter(({ body }) => body.max_tokens === 0);
  expect(filled.map(({ body }) => [body.max_tokens, body.messages.length])).toEqual([
    [0, 1],
    [0, 3],
    [0, 3],
    [0, 3],
  ]);
  expect(model.requests).toHaveLength(8);
});

test('clients are told apart by their keys, wherever they send them', QUICK, async () => {
  const send = (token: string, messages: Anthropic.MessageParam[]) =>
    fetch(`${gateway.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': '', authorization: `Bearer ${token}` },
      body: JSON.stringify({ ...ask(''), messages }),
    });
  const first: Anthropic.MessageParam = { role: 'user', content: hi() };
  const { content } = (await (await send('one', [first])).json()) as Anthropic.Message;
  const messages: Anthropic.MessageParam[] = [first, { role: 'assistant', content }, { role: 'user', content: 'more' }];
  expect((await send('another', messages)).headers.get('isthmus-path')).toBe('replay');
  expect((await send('one', messages)).headers.get('isthmus-path')).toBe('continue');
});

test('a client that leaves is one line of the log', async () => {
  model.use([{ replies: [{ ...RICH_REPLY, gap_ms: 50 }] }]);
  const leaving = new AbortController();
  const lines = () =>
    gateway
      .output()
      .split('\n')
      .filter((line) => line.includes('who-leaves'));
  const body = ask(hi(), { tools: TOOLS, metadata: { user_id: 'who-leaves'.padEnd(10_000, '.') } });
  const stream = await client.messages.create({ ...body, stream: true }, { signal: leaving.signal });
  for await (const _event of stream) leaving.abort();
  await until('it is logged', () => lines().length > 0);
  model.use([]);
  await client.messages.create(ask('another'));
  expect(lines()).toHaveLength(1);
  expect(lines()[0]).toContain('outcome=client_gone');
  expect(lines()[0]?.length).toBeLessThan(1_000);
});

test('an answer that says nothing of its usage at its end is an answer', async () => {
  const events = [
    {
      type: 'message_start',
      message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], usage: { input_tokens: 3 } },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hello' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' } },
    { type: 'message_stop' },
  ];
  const body = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
  model.use([{ replies: [{ raw: { body } }] }]);
  const answer = await client.messages.create(ask(hi()));
  expect(answer).toMatchObject({ content: [{ type: 'text', text: 'hello' }], usage: { input_tokens: 3 } });
  expect(model.requests).toHaveLength(1);
});
