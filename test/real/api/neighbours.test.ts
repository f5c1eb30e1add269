import { type Anthropic, NotFoundError } from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import { sdkClient } from '../../support/clients.ts';
import { startGateway, type TestGateway } from '../../support/gateway.ts';
import { QUICK } from '../../support/quick.ts';

/** The routes beside `/v1/messages`, as the official SDK and curl use them. */

let model: ScriptedModel;
let gateway: TestGateway;
let client: Anthropic;

beforeAll(async () => {
  model = await startScriptedModel();
  gateway = await startGateway(model.url, ['--spares', '0']);
  client = sdkClient(gateway.url);
});
afterAll(async () => {
  await gateway?.stop();
  await model?.close();
});

test('the models are listed page by page, forwards and backwards', QUICK, async () => {
  const ids: string[] = [];
  for await (const { id, type, display_name } of client.models.list({ limit: 2 })) {
    expect({ type, display_name }).toEqual({ type: 'model', display_name: expect.stringMatching(/^Claude [A-Z]/) });
    ids.push(id);
  }
  const all = await client.models.list({ limit: 1000 });
  expect(all.has_more).toBe(false);
  expect(ids).toEqual(all.data.map(({ id }) => id));
  expect(ids.length).toBeGreaterThan(2);
  expect(new Set(ids).size).toBe(ids.length);
  const last = ids.at(-1) as string;
  const before = await client.models.list({ limit: 1, before_id: last });
  expect(before).toMatchObject({ first_id: ids.at(-2), last_id: ids.at(-2), has_more: true });
  expect((await client.models.list({ after_id: last })).data).toEqual([]);
});

test('one model is found by its id and by its alias', QUICK, async () => {
  const byAlias = await client.models.retrieve('sonnet');
  expect(byAlias.id).toMatch(/^claude-sonnet-/);
  expect(await client.models.retrieve(byAlias.id)).toEqual(byAlias);
  expect(model.counts).toEqual([]);
});

test('a model that Claude Code does not list is found if the API counts for it', QUICK, async () => {
  model.refusesToCount = true;
  const error = await client.models.retrieve('nobody').catch((reason: unknown) => reason);
  model.refusesToCount = false;
  expect(error).toBeInstanceOf(NotFoundError);
  expect(String(error)).toContain('Claude Code lists claude-');
  expect(await client.models.retrieve('our-deployment')).toMatchObject({ id: 'our-deployment', type: 'model' });
  expect(model.counts.at(-1)).toMatchObject({ model: 'our-deployment' });
  expect(model.requests).toEqual([]);
});

test.each(['limit=0', 'limit=x', 'after_id=nobody', 'after_id=a&before_id=b'])('a bad page: %s', async (query) => {
  const response = await fetch(`${gateway.url}/v1/models?${query}`);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
});

test(
  'tokens are counted by the API where it can be asked, else guessed, and the answer says which',
  QUICK,
  async () => {
    const body = {
      model: 'claude-sonnet-5',
      system: 'You count. '.repeat(100),
      messages: [{ role: 'user' as const, content: 'word '.repeat(400) }],
      tools: [{ name: 'read', description: 'd'.repeat(4_000), input_schema: { type: 'object' as const } }],
    };
    const counted = await client.messages.countTokens(body).withResponse();
    expect(counted.response.headers.get('isthmus-token-count')).toBe('sdk');
    expect(counted.data.input_tokens).toBeGreaterThan(1_000);
    model.refusesToCount = true;
    const guessed = await client.messages.countTokens({ ...body, system: 'You guess. '.repeat(100) }).withResponse();
    model.refusesToCount = false;
    expect(guessed.response.headers.get('isthmus-token-count')).toBe('estimate');
    // 2,000 letters of messages, 1,100 of system prompt, 4,000 of a tool.
    expect(guessed.data.input_tokens).toBeGreaterThan(1_500);
    expect(guessed.data.input_tokens).toBeLessThan(3_000);
    expect(model.requests).toHaveLength(0);
    expect((await gateway.health()).processes).toEqual({ streaming: 0, held: 0, idle: 0, spare: 0, spawning: 0 });
    const refused = await fetch(`${gateway.url}/v1/messages/count_tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"model":"m","messages":[]}',
    });
    expect(refused.status).toBe(400);
  },
);

test.each(['/', '/api/hello', '/health', '/v1/capabilities', '/v1/models', '/v1/models/sonnet'])(
  'GET and HEAD of %s',
  async (path) => {
    for (const method of ['GET', 'HEAD']) {
      const response = await fetch(`${gateway.url}${path}`, { method });
      expect(response.status).toBe(200);
      expect(response.headers.get('request-id')).toMatch(/^req_isthmus_/);
      expect((await response.text()) === '').toBe(method === 'HEAD');
    }
  },
);

test('a path that is nobody’s, a method that is not taken', async () => {
  const nowhere = await fetch(`${gateway.url}/v1/complete`, { method: 'POST' });
  expect(nowhere.status).toBe(404);
  expect(await nowhere.json()).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
  const wrong = await fetch(`${gateway.url}/v1/models`, { method: 'DELETE' });
  expect(wrong.status).toBe(405);
  expect(wrong.headers.get('allow')).toBe('GET');
});
