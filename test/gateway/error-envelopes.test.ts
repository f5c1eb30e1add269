import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InProcessGateway } from '../support/gateway-in-process.ts';

/** Whose errors a path answers with, whatever goes wrong before a request is read. */

let house: InProcessGateway;
beforeAll(async () => {
  house = await InProcessGateway.start([]);
});
afterAll(() => house.stop());

async function answerTo(method: string, path: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${house.url}${path}`, { method, headers });
  expect(answer.headers.get('x-request-id')).toBe(answer.headers.get('request-id'));
  return { status: answer.status, allow: answer.headers.get('allow'), body: await answer.json() };
}

/** OpenAI's error, and nothing of another API. */
const openAis = (code: string | null) => ({
  error: { message: expect.any(String), type: expect.any(String), param: null, code },
});
/** The Messages API's error, with what clients of OpenAI's APIs look for. */
const forAll = (type: string, code: string | null) => ({
  type: 'error',
  request_id: expect.any(String),
  error: { type, message: expect.any(String), param: null, code },
});

test.each([
  ['POST', '/v1/completions'],
  ['POST', '/v1/embeddings'],
  ['POST', '/v1/audio/speech'],
  ['POST', '/v1/images/generations'],
  ['GET', '/v1/files'],
  ['POST', '/v1/batches'],
  ['GET', '/agents/docs/v1/files'],
])('%s %s is nowhere, for clients of each API', async (method, path) => {
  const { status, body } = await answerTo(method, path);
  expect([status, body]).toMatchObject([404, forAll('not_found_error', 'unknown_url')]);
});

test.each([
  ['POST', '/v1/responses/compact'],
  ['GET', '/v1/responses/resp_1'],
  ['DELETE', '/v1/responses/resp_1'],
  ['GET', '/v1/chat/completions/chatcmpl-1'],
  ['GET', '/chat/completions/chatcmpl-1'],
])('%s %s is nowhere, in words of OpenAI', async (method, path) => {
  const { status, body } = await answerTo(method, path);
  expect([status, body]).toEqual([404, openAis('unknown_url')]);
});

describe.each(['/v1/chat/completions', '/chat/completions', '/v1/responses', '/responses'])('%s', (path) => {
  test('says which method it has', async () => {
    const { status, allow, body } = await answerTo('GET', path);
    expect([status, allow, body]).toEqual([405, 'POST', openAis(null)]);
  });

  test('refuses the page of a stranger', async () => {
    const { status, body } = await answerTo('POST', path, { origin: 'https://stranger.example' });
    expect([status, body]).toEqual([403, openAis(null)]);
  });
});

test('the list of models refuses the page of a stranger in words for all', async () => {
  const { status, body } = await answerTo('GET', '/v1/models', { origin: 'https://stranger.example' });
  expect([status, body]).toMatchObject([403, forAll('permission_error', null)]);
});
