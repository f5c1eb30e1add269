import { type Anthropic, NotFoundError } from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { InProcessGateway, TOOLS } from '../support/gateway-in-process.ts';

/** The routes beside `/v1/messages`, as the official SDK and curl use them. */

let house: InProcessGateway;
let client: Anthropic;
beforeAll(async () => {
  house = await InProcessGateway.start();
  client = house.client();
});
afterAll(() => house?.stop());

test('the models are listed page by page, forwards and backwards', async () => {
  const ids: string[] = [];
  for await (const { id, type } of client.models.list({ limit: 2 })) {
    expect(type).toBe('model');
    ids.push(id);
  }
  const all = await client.models.list({ limit: 1000 });
  expect(all.has_more).toBe(false);
  expect(ids).toEqual(all.data.map(({ id }) => id));
  expect(ids.length).toBeGreaterThan(2);
  const last = ids.at(-1) as string;
  const before = await client.models.list({ limit: 1, before_id: last });
  expect(before).toMatchObject({ first_id: ids.at(-2), last_id: ids.at(-2), has_more: true });
  expect((await client.models.list({ after_id: last })).data).toEqual([]);
});

test('one model is found by its id and by its alias', async () => {
  const byAlias = await client.models.retrieve('sonnet');
  expect(byAlias.id).toBe('claude-sonnet-5');
  expect(await client.models.retrieve(byAlias.id)).toEqual(byAlias);
});

test('a model that Claude Code does not list is found if the API counts for it, and asked for once', async () => {
  const { countTokens } = house.engine;
  const counted: string[] = [];
  house.engine.countTokens = (asked, ...rest) => {
    counted.push(asked.model);
    return countTokens.call(house.engine, asked, ...rest);
  };
  for (const name of ['our-deployment', 'arn:aws:bedrock:us-east-1:1:application-inference-profile/a1']) {
    expect(await client.models.retrieve(name)).toMatchObject({ id: name, type: 'model' });
    await client.models.retrieve(name);
  }
  house.engine.faults.count = 'fails';
  for (let time = 0; time < 2; time += 1) {
    const error = await client.models.retrieve('nobody').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NotFoundError);
  }
  delete house.engine.faults.count;
  house.engine.countTokens = countTokens;
  expect(counted).toEqual(['our-deployment', 'arn:aws:bedrock:us-east-1:1:application-inference-profile/a1', 'nobody']);
});

test.each(['limit=0', 'limit=x', 'after_id=nobody', 'after_id=a&before_id=b'])('a bad page: %s', async (query) => {
  const response = await fetch(`${house.url}/v1/models?${query}`);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
});

test('tokens are counted by the engine where it can, else guessed, and the answer says which', async () => {
  const body = {
    model: 'claude-sonnet-5',
    messages: [{ role: 'user' as const, content: 'word '.repeat(400) }],
    tools: TOOLS,
  };
  const count = async (system: string) => {
    const { data, response } = await client.messages.countTokens({ ...body, system }).withResponse();
    return { tokens: data.input_tokens, source: response.headers.get('isthmus-token-count') };
  };
  // The test engine counts letters.
  const counted = await count('');
  expect(counted).toEqual({ source: 'sdk', tokens: expect.toSatisfy((tokens) => tokens > 2_000) });
  house.engine.faults.count = 'fails';
  // What was counted before is remembered, and a guess of the rest is added.
  const guessed = await count('You guess. '.repeat(100));
  delete house.engine.faults.count;
  expect(guessed.source).toBe('estimate');
  expect(guessed.tokens - counted.tokens).toBeGreaterThan(200);
  expect(guessed.tokens - counted.tokens).toBeLessThan(500);
  expect(house.calls).toEqual([]);
  expect(house.gateway.status.processes).toEqual({ streaming: 0, held: 0, idle: 0, spare: 0, spawning: 0 });
});

test.each(['/', '/api/hello', '/health', '/v1/capabilities', '/v1/models', '/v1/models/sonnet'])(
  'GET and HEAD of %s',
  async (path) => {
    for (const method of ['GET', 'HEAD']) {
      const response = await fetch(`${house.url}${path}`, { method });
      expect(response.status).toBe(200);
      expect(response.headers.get('request-id')).toMatch(/^req_isthmus_/);
      expect((await response.text()) === '').toBe(method === 'HEAD');
    }
  },
);

test('a path that is nobody’s, a method that is not taken', async () => {
  const nowhere = await fetch(`${house.url}/v1/complete`, { method: 'POST' });
  expect(nowhere.status).toBe(404);
  expect(await nowhere.json()).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
  const wrong = await fetch(`${house.url}/v1/models`, { method: 'DELETE' });
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET']);
});
