import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Hono } from 'hono';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { anthropicMessages } from '../dialects/anthropic-messages/anthropic-messages.ts';
import { type Listener, listen } from './listen.ts';

let server: Listener;
let url: string;
beforeEach(async () => {
  server = await listen([anthropicMessages], { host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${server.port}`;
});
afterEach(async () => {
  const closed = server.close();
  await server.finish(0);
  await closed;
});

test('until there is an app every request is told to come again, and the health says why', async () => {
  const early = await fetch(`${url}/v1/messages`, { method: 'POST', body: '{}' });
  expect(early.status).toBe(503);
  expect(early.headers.get('retry-after')).toBe('1');
  expect(early.headers.get('isthmus-error')).toBe('starting_up');
  expect(await early.json()).toMatchObject({ type: 'error', error: { type: 'overloaded_error' } });
  const health = await fetch(`${url}/health`);
  expect(health.status).toBe(503);
  expect(health.headers.get('retry-after')).toBe('1');
  expect(await health.json()).toEqual({ status: 'starting_up' });
  const answers = await Promise.all(['livez', 'readyz'].map((name) => fetch(`${url}/${name}`)));
  expect(answers.map(({ status }) => status)).toEqual([200, 503]);
  expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([
    { status: 'alive' },
    { status: 'not_ready', checks: { serving: 'Isthmus is starting.' } },
  ]);

  server.serve(new Hono().get('/health', (context) => context.text('ready')));
  expect(await (await fetch(`${url}/health`)).text()).toBe('ready');
});

test('a program that embeds a gateway keeps its own `Response`', async () => {
  expect(Response).toBe((await fetch(`${url}/livez`)).constructor);
});

test('the id that a client gives its request is that of the answer, before there is an app and without one', async () => {
  for (const path of ['v1/messages', 'livez', 'readyz', 'health']) {
    const { headers } = await fetch(`${url}/${path}`, { headers: { 'x-request-id': 'mine' } });
    expect([path, headers.get('request-id'), headers.get('x-request-id')]).toEqual([path, 'mine', 'mine']);
    const other = await fetch(`${url}/${path}`, { headers: { 'x-request-id': 'two words' } });
    expect(other.headers.get('request-id')).toMatch(/^req_isthmus_/);
    expect(other.headers.get('x-request-id')).toBe(other.headers.get('request-id'));
  }
  const headers = { expect: 'the unexpected', 'x-request-id': 'mine' };
  const asked = request(`${url}/v1/messages`, { method: 'POST', headers }).end();
  const [refused] = (await once(asked, 'response')) as [IncomingMessage];
  refused.resume();
  expect(refused.statusCode).toBe(417);
  expect([refused.headers['request-id'], refused.headers['x-request-id']]).toEqual(['mine', 'mine']);
});

test('beyond its most connections, one more is closed; when one has gone, another is taken', async () => {
  const sockets: Socket[] = [];
  const open = async () => {
    const socket = connect(server.port, '127.0.0.1').resume();
    socket.on('error', () => undefined);
    sockets.push(socket);
    await once(socket, 'connect');
  };
  while (sockets.length < 1_001) await open();
  const closed = () => sockets.flatMap((socket, at) => (socket.closed ? [at] : []));
  await expect.poll(closed).toEqual([1_000]);

  sockets[0]?.destroy();
  await expect.poll(async () => (await fetch(url).catch(() => undefined))?.status).toBe(503);
  for (const socket of sockets) socket.destroy();
});

test.each([
  ['100-continue', 200],
  ['a miracle', 417],
])('Expect: %s is answered with %d', async (expectation, status) => {
  server.serve(new Hono().post('/', (context) => context.text('taken')));
  const sending = request(url, { method: 'POST', headers: { expect: expectation } });
  sending.end('{}');
  const [response] = await once(sending, 'response');
  expect(response.statusCode).toBe(status);
  const body = (await response.toArray()).join('');
  if (status === 200) expect(body).toBe('taken');
  else expect(JSON.parse(body)).toMatchObject({ error: { details: { error_code: 'expectation_failed' } } });
});
