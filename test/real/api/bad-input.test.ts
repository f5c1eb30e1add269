// @module-tag quick
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import { startGateway, type TestGateway } from '../../support/gateway.ts';

let model: ScriptedModel;
let gateway: TestGateway;

beforeAll(async () => {
  model = await startScriptedModel();
  gateway = await startGateway(model.url, ['--spares', '0']);
});
afterAll(async () => {
  await gateway?.stop();
  await model?.close();
});

const good = JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] });
const json = { 'content-type': 'application/json' };

async function expectRefused(response: Response, status: number, type: string, message: string): Promise<void> {
  expect(response.status).toBe(status);
  const body = (await response.json()) as { request_id: string };
  expect(body).toMatchObject({ type: 'error', error: { type, message: expect.stringContaining(message) } });
  expect(body.request_id).toBe(response.headers.get('request-id'));
  expect(response.headers.get('access-control-allow-origin')).toBeNull();
  expect(model.requests).toHaveLength(0);
  expect((await gateway.health()).processes).toEqual({ streaming: 0, held: 0, idle: 0, spare: 0, spawning: 0 });
}

test.each<[string, number, string, string]>([
  ['not JSON', 400, 'invalid_request_error', 'not valid JSON'],
  ['', 400, 'invalid_request_error', 'not valid JSON'],
  ['{"model": "m"', 400, 'invalid_request_error', 'not valid JSON'],
  ['{"model":"m","max_tokens":1,"messages":[]}', 400, 'invalid_request_error', 'messages: at least one message'],
  [
    '{"model":"m","max_tokens":1,"messages":[{"role":"user","content":7}]}',
    400,
    'invalid_request_error',
    'messages.0.content: must be',
  ],
])('the body %j', async (body, status, type, message) => {
  for (const path of ['/v1/messages', '/messages', '/v1/messages?beta=true']) {
    await expectRefused(
      await fetch(`${gateway.url}${path}`, { method: 'POST', headers: json, body }),
      status,
      type,
      message,
    );
  }
});

test('a body that is not UTF-8', async () => {
  const body = Buffer.concat([Buffer.from(good.slice(0, -6)), Buffer.from([0xff, 0xfe]), Buffer.from(good.slice(-6))]);
  const response = await fetch(`${gateway.url}/v1/messages`, { method: 'POST', headers: json, body });
  await expectRefused(response, 400, 'invalid_request_error', 'not valid UTF-8');
});

test('half a surrogate pair behind an escape', async () => {
  const body = good.replace('hi', 'a\\ud83d');
  const response = await fetch(`${gateway.url}/v1/messages`, { method: 'POST', headers: json, body });
  await expectRefused(response, 400, 'invalid_request_error', 'messages.0.content: has half a surrogate pair');
});

test('another content type', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx']) {
    const response = await fetch(`${gateway.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: good,
    });
    await expectRefused(response, 415, 'invalid_request_error', 'application/json');
  }
});

test('a compressed body', async () => {
  const headers = { ...json, 'content-encoding': 'gzip' };
  const response = await fetch(`${gateway.url}/v1/messages`, { method: 'POST', headers, body: gzipSync(good) });
  await expectRefused(response, 415, 'invalid_request_error', 'must not be compressed');
});

test('20,000 betas that are nobody’s', async () => {
  const betas = Array.from({ length: 20_000 }, (_, at) => `beta-${at}`);
  const response = await fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { ...json, 'isthmus-strict': '1' },
    body: JSON.stringify({ ...JSON.parse(good), betas }),
  });
  await expectRefused(response, 400, 'invalid_request_error', 'betas: must have at most 1,000 items');
});

test('another method, another path', async () => {
  await expectRefused(await fetch(`${gateway.url}/v1/messages`), 405, 'invalid_request_error', 'use POST');
  await expectRefused(await fetch(`${gateway.url}/v1/nothing`), 404, 'not_found_error', '/v1/messages');
});

test('a page of another origin, and its preflight', async () => {
  const headers = { ...json, origin: 'http://evil.example' };
  for (const method of ['POST', 'OPTIONS']) {
    const response = await fetch(`${gateway.url}/v1/messages`, {
      method,
      headers,
      ...(method === 'POST' ? { body: good } : {}),
    });
    await expectRefused(response, 403, 'permission_error', 'origin');
  }
});

test('a Host that is somebody else’s name', async () => {
  const { hostname, port } = new URL(gateway.url);
  const status = await new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { hostname, port, path: '/v1/messages', method: 'POST', headers: { ...json, host: 'evil.example' } },
      (response) => resolve(response.resume().statusCode),
    );
    outgoing.on('error', reject).end(good);
  });
  expect(status).toBe(403);
  expect(model.requests).toHaveLength(0);
});

test('no Host', async () => {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  socket.write('GET /health HTTP/1.1\r\nconnection: close\r\n\r\n');
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1.1 4\d\d /);
  expect(head).toMatch(/^isthmus-error: /m);
  expect(JSON.parse(body)).toMatchObject({ type: 'error', error: { message: expect.stringContaining('Host') } });
});

test.each([
  ['/v1\\messages', '127.0.0.1'],
  ['*', '127.0.0.1'],
  ['/v1/messages', 'a b'],
  ['/v1/messages', 'localhost:99999'],
])('the target %s and the Host %s, which make no URL', async (path, host) => {
  const { hostname, port } = new URL(gateway.url);
  const outgoing = httpRequest({ hostname, port, path, method: 'POST', headers: { ...json, host } }).end(good);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const headers = new Headers(incoming.headers as Record<string, string>);
  const response = new Response(await text(incoming), { status: incoming.statusCode ?? 0, headers });
  await expectRefused(response, 400, 'invalid_request_error', 'target or the Host header is not valid');
});

const CHUNKED = 'content-type: application/json\r\ntransfer-encoding: chunked';

test.each([
  ['no HTTP', 'BREW /v1/messages\r\n\r\n', 400, 'bad_request'],
  ['a header that is none', 'POST /v1/messages HTTP/1.1\r\nhost localhost\r\n\r\n', 400, 'bad_request'],
  [
    'a body that breaks off in a chunk that is none',
    `POST /v1/messages HTTP/1.1\r\nhost: localhost\r\n${CHUNKED}\r\n\r\n5\r\n{"a":\r\nnone\r\n\r\n`,
    400,
    'bad_request',
  ],
  [
    'headers over the limit',
    `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
    431,
    'headers_too_large',
  ],
])('%s', async (_what, bytes, status, code) => {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1').on('error', () => undefined);
  socket.write(bytes);
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  const id = /^request-id: (.*)$/m.exec(head)?.[1];
  expect(head).toMatch(new RegExp(`^isthmus-error: ${code}$`, 'm'));
  expect(JSON.parse(body)).toMatchObject({ error: { type: 'invalid_request_error' }, request_id: id });
});

test('a body over the limit, announced or not', async () => {
  const large = Buffer.alloc(33 * 1024 * 1024, 'x');
  const announced = await fetch(`${gateway.url}/v1/messages`, { method: 'POST', headers: json, body: large });
  await expectRefused(announced, 413, 'request_too_large', '32 MB');
  const chunks = new ReadableStream({
    start(controller) {
      for (let sent = 0; sent < 33; sent += 1) controller.enqueue(Buffer.alloc(1024 * 1024, 'x'));
      controller.close();
    },
  });
  const chunked = await fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: json,
    body: chunks,
    duplex: 'half',
  } as RequestInit);
  await expectRefused(chunked, 413, 'request_too_large', '32 MB');
});

test('the program is still well', async () => {
  const response = await fetch(`${gateway.url}/messages`, { method: 'POST', headers: json, body: good });
  expect(response.status).toBe(200);
  expect((await fetch(gateway.url, { method: 'HEAD' })).status).toBe(200);
});
