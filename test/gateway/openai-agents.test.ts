import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import type { DefinedAgent } from '../../src/agents/define-agents.ts';
import type { Agent, TurnSteps } from '../../src/spec/agent.ts';
import { failure } from '../../src/spec/failures.ts';
import type { JsonObject } from '../../src/spec/messages.ts';
import type { ModelCall } from '../../test-engine/play.ts';
import { type EngineReply, stepsIn } from '../../test-engine/reply.ts';
import { plainAgent } from '../support/agents.ts';
import { foldChat } from '../support/fold-chat.ts';
import { foldResponses } from '../support/fold-responses.ts';
import { InProcessGateway, type InProcessOptions } from '../support/gateway-in-process.ts';

/** Agents asked over OpenAI's two APIs. `agents.test.ts` and `agent-conversations.test.ts` hold what is the same for every API. */

let house: InProcessGateway;
afterEach(() => house?.stop());

const KEY = 'a-key-that-nobody-guesses';
const PAGE = 'https://chat.example';

function defined(name: string, more: Partial<Agent> = {}, access: Partial<DefinedAgent['access']> = {}): DefinedAgent {
  return {
    agent: plainAgent({ name, level: 'edit', workspace: '/work', ...more }),
    access: { origins: [], ...access },
  };
}

const AGENTS = [
  defined('docs'),
  defined('haste', { model: 'claude-sonnet-4-5' }),
  defined('keyed', {}, { keyDigest: createHash('sha256').update(KEY).digest() }),
  defined('paged', { model: 'claude-haiku-4-5' }, { origins: [PAGE] }),
];
const DID: TurnSteps = {
  steps: [{ tool: 'Edit', about: 'a.md', isError: false }],
  changedFiles: ['a.md'],
};
const TOLD = {
  steps: [{ tool: 'Edit', about: 'a.md', is_error: false }],
  changed_files: ['a.md'],
  // The steps of these tests are in memory alone.
  kept: false,
};
/** As an agent's that speaks before a step and behind it. */
const TWO_TEXTS: EngineReply = {
  content: [
    { type: 'text', text: 'I look.' },
    { type: 'text', text: 'It is done.' },
  ],
  steps: DID,
};

async function setUp(
  reply: EngineReply | ((call: ModelCall) => EngineReply) = TWO_TEXTS,
  options: InProcessOptions = {},
) {
  house = await InProcessGateway.start([], { agents: AGENTS, ...options });
  house.use([(request) => (typeof reply === 'function' ? reply(request as unknown as ModelCall) : reply)]);
}

/** The agent, the model and the tools of the latest call. */
const called = () => {
  const { agent, model, tools } = house.calls.at(-1) ?? {};
  return [agent?.name, model, tools?.length];
};

async function post(path: string, body: object, headers: Record<string, string> = {}) {
  const response = await fetch(`${house.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    header: (name: string) => response.headers.get(name),
    text,
    json: () => JSON.parse(text) as JsonObject,
  };
}

type Answer = Awaited<ReturnType<typeof post>>;

/** What one of the two APIs calls things. */
interface Api {
  path: string;
  body(turns: readonly JsonObject[]): JsonObject;
  /** The text of an answer, whole or streamed, which is held against the API's grammar. */
  textOf(answer: Answer): string;
  /** How an answer ends. */
  endOf(answer: Answer): unknown;
  /** What a stream says that the agent did. */
  stepsOf(stream: string): unknown;
  /** The answer as its client sends it back. */
  back(answer: Answer): JsonObject[];
  limit: string;
  tool: JsonObject;
  cut: unknown;
}

const isStream = ({ header }: Answer) => header('content-type')?.startsWith('text/event-stream') ?? false;
const schema = { type: 'object', properties: {} };
const task = { name: 'task', description: 'Available agent types:\n- looker: looks', parameters: schema };

const chat: Api = {
  path: '/v1/chat/completions',
  body: (messages) => ({ messages }),
  textOf: (answer) => {
    if (isStream(answer)) return foldChat(answer.text, { asksUsage: false }).message.content;
    const [choice] = answer.json().choices as Array<{ message: JsonObject }>;
    expect(choice?.message.tool_calls).toBeUndefined();
    return String(choice?.message.content);
  },
  endOf: (answer) =>
    isStream(answer)
      ? foldChat(answer.text, { asksUsage: false }).finishReason
      : (answer.json().choices as Array<{ finish_reason: string }>)[0]?.finish_reason,
  stepsOf: (stream) =>
    stream
      .split('\n\n')
      .map((frame) => /^data: (\{.*\})$/.exec(frame)?.[1])
      .map((data) => (data ? JSON.parse(data).isthmus_agent : undefined))
      .find(Boolean),
  back: (answer) => [{ role: 'assistant', content: chat.textOf(answer) }],
  limit: 'max_completion_tokens',
  tool: { type: 'function', function: { name: 'read', parameters: schema } },
  cut: 'length',
};

const responses: Api = {
  path: '/v1/responses',
  body: (input) => ({ input }),
  textOf: (answer) => messagesOf(answer).join('|'),
  endOf: (answer) => {
    const { status, incomplete_details } = responseOf(answer);
    return incomplete_details ? [status, incomplete_details] : status;
  },
  stepsOf: (stream) => foldResponses(stream).response.isthmus_agent,
  back: (answer) => responseOf(answer).output as JsonObject[],
  limit: 'max_output_tokens',
  tool: { type: 'function', name: 'read', parameters: schema },
  cut: ['incomplete', { reason: 'max_output_tokens' }],
};

function responseOf(answer: Answer): JsonObject {
  return isStream(answer) ? foldResponses(answer.text).response : answer.json();
}

function messagesOf(answer: Answer): string[] {
  return (responseOf(answer).output as Array<{ type: string; content: Array<{ text: string }> }>).map((item) => {
    expect(item.type).toBe('message');
    return item.content.map(({ text }) => text).join('');
  });
}

const APIS: Array<[string, Api, shown: string, completed: string]> = [
  ['chat completions', chat, 'I look.\n\nIt is done.', 'stop'],
  ['responses', responses, 'I look.|It is done.', 'completed'],
];
const user = (content: string): JsonObject => ({ role: 'user', content });

describe.each(APIS)('over %s', (_name, api, shown, completed) => {
  const ask = (path: string, more: object = {}, headers: Record<string, string> = {}) =>
    post(path, { model: 'claude-sonnet-5', ...api.body([user('hi')]), ...more }, headers);
  const below = (agent: string) => `/agents/${agent}${api.path}`;

  test.each([false, true])('an agent is named by header, model and path; stream: %s', async (stream) => {
    await setUp();
    const named: Array<[Answer, string, string]> = [
      [await ask(api.path, { stream }, { 'isthmus-agent': 'docs' }), 'docs', 'claude-sonnet-5'],
      [await ask(api.path, { stream, model: 'docs' }), 'docs', 'claude-opus-5-5'],
      [await ask(api.path.replace('/v1', ''), { stream, model: 'anthropic/haste' }), 'haste', 'claude-sonnet-4-5'],
      [await ask(below('docs'), { stream }), 'docs', 'claude-sonnet-5'],
      [await ask(below('docs').replace('/v1', ''), { stream }), 'docs', 'claude-sonnet-5'],
      [await ask(below('docs'), { stream, model: 'docs' }, { 'isthmus-agent': 'docs' }), 'docs', 'claude-opus-5-5'],
    ];
    for (const [at, [answer, agent, model]] of named.entries()) {
      expect([answer.status, answer.header('isthmus-agent')], answer.text).toEqual([200, agent]);
      expect([house.calls[at]?.agent?.name, house.calls[at]?.model]).toEqual([agent, model]);
      expect([api.textOf(answer), api.endOf(answer)]).toEqual([shown, completed]);
    }
  });

  test('an agent with a model of its own answers whatever model is named, and each parameter is for that model', async () => {
    await setUp();
    const thinks = {
      ...(api === chat ? { reasoning_effort: 'low' } : { reasoning: { effort: 'low' } }),
      temperature: 0.5,
    };
    for (const [path, model, converted] of [
      [below('haste'), 'gpt-4o', 'model'],
      [below('haste'), 'claude-opus-5-5', 'model'],
      [api.path, 'haste', undefined],
    ] as const) {
      const answer = await ask(path, { model, ...thinks });
      expect([answer.status, called()[1]], answer.text).toEqual([200, 'claude-sonnet-4-5']);
      expect(answer.header('isthmus-converted')?.includes('model') ?? false).toBe(converted !== undefined);
      // Sonnet 4.5 thinks by a budget.
      expect(house.calls.at(-1)?.parameters.thinking).toMatchObject({ type: 'enabled' });
      expect(answer.header('isthmus-ignored')).toBe('temperature');
    }
    const unmapped = await ask(below('docs'), { model: 'gpt-4o' });
    expect([unmapped.status, unmapped.header('isthmus-error')]).toEqual([404, 'model_not_mapped']);
  });

  test('the models below an agent’s path begin with the agent', async () => {
    await setUp();
    const listed = (await (await fetch(`${house.url}/agents/docs/v1/models`)).json()) as { data: JsonObject[] };
    expect(listed).toMatchObject({ object: 'list', data: expect.any(Array) });
    expect(listed.data[0]).toMatchObject({ id: 'docs', object: 'model' });
    expect(await (await fetch(`${house.url}/agents/docs/v1/models/docs`)).json()).toMatchObject({ id: 'docs' });
  });

  test('what was done is told by headers of a whole answer, in a stream’s last part, and by the id', async () => {
    await setUp();
    const whole = await ask(below('docs'));
    expect([whole.header('isthmus-agent-steps'), whole.header('isthmus-agent-changed-files')]).toEqual(['1', 'a.md']);
    const streamed = await ask(below('docs'), { stream: true });
    expect(api.stepsOf(streamed.text)).toEqual(TOLD);
    for (const { header } of [whole, streamed]) {
      const { kept: _, ...steps } = TOLD;
      for (const id of [header('request-id'), header('x-request-id')]) {
        const found = await fetch(`${house.url}/v1/agents/turns/${id}`);
        expect(await found.json()).toMatchObject({ agent: 'docs', session: header('isthmus-session'), ...steps });
      }
    }
  });

  test.each([false, true])(
    'a conversation goes on live, and by a new process with its steps; stream: %s',
    async (stream) => {
      await setUp();
      const first = await ask(below('docs'), { stream });
      const turns = [user('hi'), ...api.back(first), user('more')];
      const headers = { 'isthmus-session': first.header('isthmus-session') ?? '' };
      const second = await ask(below('docs'), { stream, ...api.body(turns) }, headers);
      expect(second.header('isthmus-path')).toBe('continue');
      for (const process of house.engine.processes) process.end();
      const third = await ask(below('docs'), { stream, ...api.body([...turns, ...api.back(second), user('and now')]) });
      expect(third.header('isthmus-path')).toBe('replay');
      expect(third.header('isthmus-session')).toBe(headers['isthmus-session']);
      expect(third.header('isthmus-converted')).toBeNull();
      const known = [...(house.calls.at(-1)?.agent?.expansions ?? [])];
      expect(known.map(([at, bytes]) => [at, stepsIn(bytes).changedFiles])).toEqual([
        [1, ['a.md']],
        [3, ['a.md']],
      ]);
    },
  );

  test('a silence is filled with data, and the stream is whole', async () => {
    let goOn = () => {};
    const silence = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    await setUp({ ...TWO_TEXTS, pause: { after_events: 4, until: silence } }, { keepAliveMs: 5 });
    const response = await fetch(`${house.url}${below('docs')}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'claude-sonnet-5', stream: true, ...api.body([user('hi')]) }),
    });
    let text = '';
    let frames = 0;
    for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += part;
      frames += 1;
      if (frames === 12) goOn();
    }
    const data = text.split('\n').filter((line) => line !== '' && !line.startsWith('event: '));
    expect(data.filter((line) => !line.startsWith('data: '))).toEqual([]);
    const answer = { status: 200, header: (name: string) => response.headers.get(name), text, json: () => ({}) };
    expect([api.textOf(answer), api.endOf(answer)]).toEqual([shown, completed]);
  });

  test.each([false, true])('a limit ends an answer as one of tokens does; stream: %s', async (stream) => {
    await setUp({ ...TWO_TEXTS, stop_reason: 'max_tokens' });
    expect(api.endOf(await ask(below('docs'), { stream }))).toEqual(api.cut);
  });

  test('limits of tokens, stops and parallel calls are declared by the client’s own names, and only where it sent them', async () => {
    await setUp();
    expect((await ask(below('docs'))).header('isthmus-converted')).toBeNull();
    const limited = await ask(below('docs'), { [api.limit]: 9, tools: [api.tool], parallel_tool_calls: false });
    expect(limited.header('isthmus-converted')).toBe(api.limit);
    expect(limited.header('isthmus-ignored')).toBe('tools.0, parallel_tool_calls');
    expect(house.calls.at(-1)?.parameters).not.toHaveProperty('tool_choice');
    if (api !== chat) return;
    const old = await ask(below('docs'), { max_tokens: 9, stop: 'END' });
    expect([old.header('isthmus-converted'), old.header('isthmus-ignored')]).toEqual(['max_tokens', 'stop']);
  });

  test('the client’s tools are left out and named, in strict mode refused; a task tool brings subagents', async () => {
    await setUp();
    const named = await ask(below('docs'), { tools: [api.tool, { type: 'web_search' }] });
    expect([called()[2], named.header('isthmus-ignored')]).toEqual([0, 'tools.1, tools.0']);
    const taskTool = api === chat ? { type: 'function', function: task } : { type: 'function', ...task };
    const brought = await ask(below('docs'), { tools: [taskTool] });
    expect([brought.header('isthmus-ignored'), house.calls.at(-1)?.agent?.subagents]).toMatchObject([
      null,
      { looker: {} },
    ]);
    const refused = await ask(below('docs'), { tools: [api.tool] }, { 'isthmus-strict': '1' });
    expect([refused.status, refused.header('isthmus-error')]).toEqual([400, 'field_ignored']);
    expect(refused.json()).toMatchObject({ error: { type: 'invalid_request_error', param: 'tools.0' } });
    const forced = await ask(below('docs'), { tools: [api.tool], tool_choice: 'required' });
    expect([forced.status, forced.json()]).toMatchObject([400, { error: { param: 'tool_choice' } }]);
  });

  test('refusals have OpenAI’s envelope', async () => {
    await setUp();
    for (const [answer, status, code] of [
      [await ask(below('none')), 404, 'agent_not_found'],
      [await ask(below('none'), { model: 'gpt-4o' }), 404, 'agent_not_found'],
      [await ask(api.path, {}, { 'isthmus-agent': 'none' }), 404, 'agent_not_found'],
      [await ask(below('keyed')), 404, 'agent_not_found'],
      [await ask(below('keyed'), { model: 'gpt-4o' }), 404, 'agent_not_found'],
      [await ask(below('docs'), { model: 'haste' }), 400, 'bad_request'],
    ] as const) {
      expect([answer.status, answer.header('isthmus-error'), answer.header('x-should-retry')]).toEqual([
        status,
        code,
        'false',
      ]);
      expect(answer.json()).toEqual({ error: expect.objectContaining({ type: 'invalid_request_error' }) });
    }
    expect(house.calls).toEqual([]);
    expect((await ask(below('keyed'), {}, { authorization: `Bearer ${KEY}` })).status).toBe(200);
  });

  test('a failure is told before the answer and in it, with the word that a repeat is in vain', async () => {
    const why = failure('agent_out_of_time', { seconds: 8 });
    await setUp({ ...TWO_TEXTS, fail: { after_events: 0, failure: why } });
    for (const stream of [false, true]) {
      const early = await ask(below('docs'), { stream });
      expect([early.status, early.header('isthmus-error'), early.header('x-should-retry')]).toEqual([
        504,
        'agent_out_of_time',
        'false',
      ]);
      expect(early.json()).toMatchObject({ error: { type: 'server_error', message: why.message } });
    }
    house.use([() => ({ ...TWO_TEXTS, fail: { after_events: 4, failure: why } })]);
    const late = await ask(below('docs'), { stream: true });
    const error =
      api === chat ? foldChat(late.text, { asksUsage: false }).error : foldResponses(late.text).response.error;
    expect(error).toMatchObject({ message: why.message });
  });

  test('a page on another origin is answered below the path of an agent that lists it, and nowhere else', async () => {
    await setUp();
    const page = { origin: PAGE, 'sec-fetch-site': 'cross-site' };
    const preflight = {
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    };
    const path = below('paged');
    const readable = (header: (name: string) => string | null) => header('access-control-allow-origin');
    const asked = await fetch(`${house.url}${path}`, { method: 'OPTIONS', headers: { ...page, ...preflight } });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, PAGE]);
    expect(asked.headers.get('access-control-allow-headers')).toBe('authorization,content-type');
    for (const stream of [false, true]) {
      const answer = await ask(path, { stream, model: 'gpt-4o' }, page);
      expect([answer.status, readable(answer.header), answer.header('access-control-expose-headers')]).toEqual([
        200,
        PAGE,
        '*',
      ]);
    }
    const wrong = await ask(path, { stream: 'yes' }, page);
    expect([wrong.status, readable(wrong.header)]).toEqual([400, PAGE]);
    const calls = house.calls.length;
    for (const [where, origin] of [
      [api.path, PAGE],
      [below('docs'), PAGE],
      [path, 'https://evil.example'],
    ] as const) {
      const answer = await ask(where, {}, { ...page, origin, 'isthmus-agent': 'paged' });
      expect([answer.status, readable(answer.header)]).toEqual([403, null]);
      expect(answer.json()).toMatchObject({ error: { type: 'permission_error' } });
    }
    expect(house.calls).toHaveLength(calls);
  });
});

test('an agent’s conversation goes on by `previous_response_id`', async () => {
  await setUp();
  const first = await post('/agents/docs/v1/responses', { model: 'docs', input: 'hi' });
  const next = { model: 'docs', input: 'more', previous_response_id: first.json().id };
  const second = await post('/agents/docs/v1/responses', next);
  expect([second.status, second.header('isthmus-path')]).toEqual([200, 'continue']);
  for (const process of house.engine.processes) process.end();
  const third = await post('/agents/docs/v1/responses', { ...next, input: 'else' });
  expect([third.status, third.header('isthmus-path'), third.header('isthmus-converted')]).toEqual([
    200,
    'replay',
    null,
  ]);
  const known = [...(house.calls.at(-1)?.agent?.expansions ?? [])];
  expect(known.map(([at, bytes]) => [at, stepsIn(bytes).changedFiles])).toEqual([[1, ['a.md']]]);
});
