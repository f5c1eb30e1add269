import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import type { DefinedAgent } from '../../src/agents/define-agents.ts';
import type { Agent } from '../../src/spec/agent.ts';
import { plainAgent } from '../support/agents.ts';
import { type AskOptions, InProcessGateway, type InProcessOptions } from '../support/gateway-in-process.ts';

/** Which request runs which agent, for whom, and what it is told. What the agent does is the engine's. */

let house: InProcessGateway;
afterEach(() => house?.stop());

const KEY = 'a-key-that-nobody-guesses';
const keyDigest = createHash('sha256').update(KEY).digest();

function defined(name: string, more: Partial<Agent> = {}, access: Partial<DefinedAgent['access']> = {}): DefinedAgent {
  return {
    agent: plainAgent({ name, workspace: '/work', ...more }),
    access: { origins: [], ...access },
  };
}

const AGENTS = [
  defined('docs'),
  defined('haste', { model: 'claude-haiku-4-5', level: 'edit' }),
  defined('keyed', {}, { keyDigest }),
  defined('paged', {}, { origins: ['https://chat.example'] }),
];

async function setUp(options: InProcessOptions = {}) {
  house = await InProcessGateway.start([], { agents: AGENTS, ...options });
  return house;
}

const BODY = { model: 'claude-sonnet-5', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] };

async function post(path: string, body: object = {}, headers: Record<string, string> = {}) {
  const response = await fetch(`${house.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ ...BODY, ...body }),
  });
  return {
    status: response.status,
    headers: response.headers,
    json: (await response.json()) as Record<string, unknown>,
  };
}

async function get(path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${house.url}${path}`, { headers });
  return { status: response.status, json: (await response.json()) as { data: Array<{ id: string }> } };
}

/** The agent and the model of the latest call. */
const called = () => {
  const { agent, model } = house.calls.at(-1) ?? {};
  return [agent?.name, model];
};

const header = (name: string) => ({ 'isthmus-agent': name });
const PATHS = ['/v1/messages', '/messages'];

describe('a request names an agent', () => {
  test('by the header, with the model of the client', async () => {
    await setUp();
    const { headers } = await post('/v1/messages', {}, header('docs'));
    expect(called()).toEqual(['docs', 'claude-sonnet-5']);
    expect([headers.get('isthmus-agent'), headers.get('isthmus-converted')]).toEqual(['docs', 'max_tokens']);
  });

  test('as its model, and then the first model that Claude Code lists answers', async () => {
    await setUp();
    for (const model of ['docs', 'anthropic/docs']) {
      const { headers } = await post('/v1/messages', { model });
      expect(called()).toEqual(['docs', 'claude-opus-5-5']);
      expect([headers.get('isthmus-agent'), headers.get('isthmus-converted')]).toEqual(['docs', 'max_tokens']);
    }
    await post('/v1/messages', { model: 'docs' }, { 'anthropic-beta': 'context-1m-2025-08-07' });
    expect(called()).toEqual(['docs', 'claude-opus-5-5[1m]']);
  });

  test('by the path, streaming too', async () => {
    await setUp();
    for (const path of PATHS) {
      await post(`/agents/docs${path}`);
      expect(called()).toEqual(['docs', 'claude-sonnet-5']);
    }
    const streamed = await fetch(`${house.url}/agents/docs/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...BODY, stream: true }),
    });
    expect(await streamed.text()).toContain('event: message_stop');
    expect(streamed.headers.get('isthmus-agent')).toBe('docs');
  });

  test('by all three', async () => {
    await setUp();
    await post('/agents/haste/v1/messages', { model: 'haste' }, header(' haste '));
    expect(called()).toEqual(['haste', 'claude-haiku-4-5']);
  });

  test('and an agent with a model of its own says that it has replaced another', async () => {
    await setUp();
    const replaced = await post('/v1/messages', {}, header('haste'));
    expect(called()).toEqual(['haste', 'claude-haiku-4-5']);
    expect(replaced.headers.get('isthmus-converted')).toBe('model, max_tokens');
    for (const model of ['haste', 'claude-haiku-4-5']) {
      const { headers } = await post('/v1/messages', { model }, header('haste'));
      expect([called(), headers.get('isthmus-converted')]).toEqual([['haste', 'claude-haiku-4-5'], 'max_tokens']);
    }
  });

  test('for a count of tokens, too', async () => {
    await setUp();
    for (const path of PATHS) {
      const { status, headers, json } = await post(`/agents/haste${path}/count_tokens`, { tools: [TOOL] });
      expect([status, headers.get('isthmus-agent')]).toEqual([200, 'haste']);
      expect([headers.get('isthmus-converted'), headers.get('isthmus-ignored')]).toEqual(['model', 'tools.0']);
      expect(json.input_tokens).toEqual(expect.any(Number));
    }
    expect((await post('/v1/messages/count_tokens', {}, header('none'))).status).toBe(404);
  });
});

test('an answer whose steps are not known is declared where it is replayed, and not by a process that has them', async () => {
  await setUp();
  const first = await post('/agents/docs/v1/messages');
  const messages = [
    ...BODY.messages,
    { role: 'assistant', content: first.json.content },
    { role: 'user', content: 'more' },
  ];
  const told = ['isthmus-path', 'isthmus-converted'];
  const session = { 'isthmus-session': first.headers.get('isthmus-session') ?? '' };
  const continued = await post('/agents/docs/v1/messages', { messages }, session);
  expect(told.map((name) => continued.headers.get(name))).toEqual(['continue', 'max_tokens']);
  const replayed = await post('/agents/docs/v1/messages', { messages }, session);
  expect(told.map((name) => replayed.headers.get(name))).toEqual(['replay', 'max_tokens, messages.1']);
});

const TOOL = { name: 'read', input_schema: { type: 'object' } };

test('no other request runs an agent', async () => {
  await setUp();
  for (const body of [{}, { model: 'docs-2' }, { model: 'Docs' }, { metadata: { user_id: 'docs' }, system: 'docs' }]) {
    const { headers } = await post('/v1/messages', body);
    expect([called()[0], headers.get('isthmus-agent')]).toEqual([undefined, null]);
  }
});

describe('the client’s own tools', () => {
  const server = { type: 'web_search_20250305', name: 'web_search' };

  test('are left out and named, and no others', async () => {
    await setUp();
    const tools = [TOOL, server, { ...TOOL, name: 'write' }];
    const { headers } = await post('/v1/messages', { tools }, header('docs'));
    expect(house.calls.at(-1)?.tools).toEqual([]);
    expect(headers.get('isthmus-ignored')?.split(', ').sort()).toEqual(['tools.0', 'tools.1', 'tools.2']);
    await post('/v1/messages', { tools });
    expect(house.calls.at(-1)?.tools).toHaveLength(2);
  });

  test('are refused in strict mode', async () => {
    await setUp({ strict: true });
    const refused = await post('/v1/messages', { tools: [TOOL] }, header('docs'));
    expect([refused.status, refused.headers.get('isthmus-error')]).toEqual([400, 'field_ignored']);
    expect(refused.json).toMatchObject({ error: { message: expect.stringMatching(/^tools\.0: would be ignored/) } });
    expect(house.calls).toEqual([]);
    expect((await post('/v1/messages', {}, header('docs'))).status).toBe(200);
    expect((await post('/v1/messages', { tools: [TOOL] })).status).toBe(200);
  });
});

describe('refused is', () => {
  const refusals = async (asking: ReturnType<typeof post>) => {
    const { status, headers, json } = await asking;
    expect(house.calls).toEqual([]);
    expect([headers.get('isthmus-agent'), headers.get('x-should-retry')]).toEqual([null, 'false']);
    return { status, code: headers.get('isthmus-error'), message: (json.error as { message: string }).message };
  };

  test('an agent that is not there, in the dialect’s envelope', async () => {
    await setUp();
    const unknown = { status: 404, code: 'agent_not_found' };
    expect(await refusals(post('/v1/messages', {}, header('none')))).toMatchObject(unknown);
    expect(await refusals(post('/v1/messages', {}, header('')))).toMatchObject(unknown);
    expect(await refusals(post('/agents/none/v1/messages'))).toMatchObject(unknown);
    expect(await refusals(post('/agents/constructor/messages'))).toMatchObject(unknown);
    expect((await get('/agents/none/v1/models')).status).toBe(404);
    expect((await get('/agents/none/v1/models/docs')).status).toBe(404);
  });

  test('every agent where none is defined', async () => {
    await setUp({ agents: [] });
    expect(await refusals(post('/agents/docs/v1/messages'))).toMatchObject({ status: 404, code: 'agent_not_found' });
    expect(await refusals(post('/v1/messages', {}, header('docs')))).toMatchObject({ code: 'agent_not_found' });
  });

  test('a request that names two', async () => {
    await setUp();
    const two = { status: 400, code: 'bad_request' };
    expect(await refusals(post('/agents/docs/v1/messages', {}, header('haste')))).toEqual({
      ...two,
      message: 'The request names two agents, "docs" in the path and "haste" in the header isthmus-agent. Name one.',
    });
    expect(await refusals(post('/agents/docs/v1/messages', { model: 'haste' }))).toMatchObject(two);
    expect(await refusals(post('/v1/messages', { model: 'haste' }, header('docs')))).toMatchObject(two);
  });

  test('who does not bring the key, with the words for an agent that is not there', async () => {
    await setUp();
    const { message: unknown } = await refusals(post('/v1/messages', {}, header('none')));
    const keys = [
      {},
      { 'x-api-key': `${KEY}x` },
      { authorization: 'Bearer any' },
      { 'x-api-key': 'any', authorization: `Bearer ${KEY}` },
    ];
    for (const key of keys) {
      for (const asking of [
        post('/v1/messages', {}, { ...header('keyed'), ...key }),
        post('/v1/messages', { model: 'keyed' }, key),
        post('/agents/keyed/v1/messages', {}, key),
      ]) {
        const { status, message } = await refusals(asking);
        expect([status, message.replace('keyed', 'none')]).toEqual([404, unknown]);
      }
    }
  });

  test('a web page, where the agent does not list it', async () => {
    await setUp();
    const own = new URL(house.url).origin;
    for (const page of [{ origin: own }, { 'sec-fetch-site': 'same-origin' }]) {
      for (const name of ['docs', 'paged', 'keyed']) {
        const asking = post('/v1/messages', {}, { ...header(name), ...page, 'x-api-key': KEY });
        expect(await refusals(asking)).toMatchObject({ code: 'agent_not_found' });
      }
    }
    const other = post('/v1/messages', {}, { ...header('paged'), origin: 'https://chat.example' });
    expect(await refusals(other)).toMatchObject({ code: 'forbidden_origin' });
  });
});

test('who brings the key is answered, in either header', async () => {
  await setUp();
  for (const key of [{ 'x-api-key': KEY }, { authorization: `Bearer ${KEY}` }]) {
    expect((await post('/agents/keyed/v1/messages', {}, key)).status).toBe(200);
    expect(called()[0]).toBe('keyed');
  }
  expect(JSON.stringify(house.log)).not.toContain(KEY);
});

test('the gateway’s own page is answered by an agent that lists it', async () => {
  const page = defined('paged');
  await setUp({ agents: [page] });
  page.access.origins = [house.url];
  expect((await post('/agents/paged/v1/messages', {}, { origin: house.url })).status).toBe(200);
  expect((await post('/agents/paged/v1/messages', {}, { 'sec-fetch-site': 'same-origin' })).status).toBe(200);
});

describe('a page on another origin', () => {
  const page = { origin: 'https://chat.example', 'sec-fetch-site': 'cross-site' };
  const PATH = '/agents/paged/v1/messages';
  const readable = (headers: Headers) => [headers.get('access-control-allow-origin'), headers.get('vary')];
  const preflight = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type,x-api-key',
  };
  const ask = (path: string, headers: Record<string, string>) =>
    fetch(`${house.url}${path}`, { method: 'OPTIONS', headers });

  test('is answered by an agent that lists it, below its path, and may read the answer', async () => {
    await setUp();
    const asked = await ask(PATH, { ...page, ...preflight });
    expect([asked.status, ...readable(asked.headers)]).toEqual([204, page.origin, 'Origin']);
    expect(asked.headers.get('access-control-allow-headers')).toBe('content-type,x-api-key');
    expect(asked.headers.get('access-control-allow-methods')).toBe('GET, POST');
    for (const stream of [false, true]) {
      const response = await fetch(`${house.url}${PATH}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...page },
        body: JSON.stringify({ ...BODY, stream }),
      });
      expect(await response.text()).toContain('message');
      expect([response.status, ...readable(response.headers)]).toEqual([200, page.origin, 'Origin']);
      expect(response.headers.get('access-control-expose-headers')).toBe('*');
      expect(called()[0]).toBe('paged');
    }
    const wrong = await post(PATH, { max_tokens: 'x' }, page);
    expect([wrong.status, ...readable(wrong.headers)]).toEqual([400, page.origin, 'Origin']);
  });

  test('brings the key where the agent has one', async () => {
    await setUp({ agents: [defined('both', {}, { keyDigest, origins: [page.origin] })] });
    expect((await post('/agents/both/v1/messages', {}, page)).status).toBe(404);
    expect((await post('/agents/both/v1/messages', {}, { ...page, 'x-api-key': KEY })).status).toBe(200);
  });

  test('reaches nothing else, and no other page does', async () => {
    await setUp();
    const evil = { ...page, origin: 'https://evil.example' };
    for (const [path, from] of [
      ['/agents/docs/v1/messages', page],
      ['/agents/none/v1/messages', page],
      ['/v1/messages', page],
      ['/v1/models', page],
      [PATH, evil],
    ] as const) {
      for (const response of [
        await ask(path, { ...from, ...preflight }),
        await post(path, {}, { ...from, ...header('paged') }),
      ]) {
        expect([response.status, ...readable(response.headers)]).toEqual([403, null, null]);
      }
    }
    expect((await ask(PATH, page)).status).toBe(405);
    expect((await post(PATH, {}, { ...page, ...header('docs') })).status).toBe(400);
    expect(house.calls).toEqual([]);
  });
});

describe('the list of models', () => {
  const ids = async (path: string, headers: Record<string, string> = {}) => {
    const { json } = await get(path, headers);
    return json.data.map(({ id }) => id);
  };
  const MODELS = ['claude-opus-5-5', 'claude-sonnet-5', 'claude-haiku-5-5'];

  test('has the agents that the client may ask, behind the models', async () => {
    await setUp();
    expect(await ids('/v1/models')).toEqual([...MODELS, 'docs', 'haste', 'paged']);
    expect(await ids('/v1/models', { 'x-api-key': KEY })).toEqual([...MODELS, 'docs', 'haste', 'keyed', 'paged']);
    expect(await ids('/v1/models', { 'sec-fetch-site': 'same-origin' })).toEqual(MODELS);
  });

  test('has below an agent’s path that agent alone, before the models', async () => {
    await setUp();
    expect(await ids('/agents/haste/v1/models')).toEqual(['haste', ...MODELS]);
    expect(await ids('/v1/models', header('haste'))).toEqual(['haste', ...MODELS]);
  });

  test('says what an agent is, with the limits of its model, and finds it by its name', async () => {
    await setUp();
    const haste = {
      type: 'model',
      object: 'model',
      id: 'haste',
      display_name: 'haste (agent)',
      owned_by: 'isthmus',
      max_input_tokens: 200_000,
    };
    const { json } = await get('/v1/models');
    expect(json.data.find(({ id }) => id === 'haste')).toMatchObject(haste);
    for (const path of ['/v1/models/haste', '/agents/haste/v1/models/haste', '/agents/docs/v1/models/haste']) {
      expect((await get(path)).json).toMatchObject(haste);
    }
    expect((await get('/agents/docs/v1/models/opus')).json).toMatchObject({ id: 'claude-opus-5-5' });
    expect((await get('/v1/models/keyed')).status).toBe(404);
    expect((await get('/v1/models/keyed', { 'x-api-key': KEY })).status).toBe(200);
  });
});

test('health names agents and levels, and neither folders nor keys', async () => {
  await setUp({ agents: AGENTS.slice(1, 3) });
  const response = await fetch(`${house.url}/health`);
  const text = await response.text();
  expect(JSON.parse(text).agents).toEqual([
    { name: 'haste', level: 'edit' },
    { name: 'keyed', level: 'read' },
  ]);
  expect(text).not.toContain('/work');
});

test('the log names the agent, and the model that answers', async () => {
  await setUp();
  const options: AskOptions = { headers: header('haste') };
  await house.ask('hi', options);
  await expect.poll(() => house.log.at(-1)).toContain(' agent=haste model=claude-haiku-4-5 ');
  await house.ask('hi');
  await expect.poll(() => house.log.length).toBe(2);
  expect(house.log.at(-1)).not.toContain('agent=');
});

test('errors below an agent’s path are those of the path itself', async () => {
  await setUp();
  const { status } = await get('/agents/docs/v1/messages');
  expect(status).toBe(405);
  expect((await get('/agents/docs/v1/none')).status).toBe(404);
  expect((await get('/agents/docs')).status).toBe(404);
  expect((await post('/agents/docs/v1/messages', { max_tokens: 'x' })).json).toMatchObject({
    error: { message: expect.stringContaining('max_tokens') },
  });
});

test('conversations that look alike go on in their own processes', async () => {
  await setUp();
  const first = () => post('/v1/messages', {}, { 'isthmus-agent': 'docs' });
  const [one, other] = [await first(), await first()];
  const ids = [one, other].map(({ headers }) => headers.get('isthmus-session') ?? '');
  expect(ids[0]).not.toBe(ids[1]);
  const messages = [
    ...BODY.messages,
    { role: 'assistant', content: one.json.content },
    { role: 'user', content: 'on' },
  ];
  const [idle] = house.engine.processes;
  const next = await post('/v1/messages', { messages }, { 'isthmus-agent': 'docs', 'isthmus-session': ids[0] ?? '' });
  expect([next.headers.get('isthmus-path'), next.headers.get('isthmus-session')]).toEqual(['continue', ids[0]]);
  expect(idle?.turns).toBe(2);
});
