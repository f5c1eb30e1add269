import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { failureOf } from '../spec/failures.ts';
import { Intake } from './intake.ts';
import { type BodyLimits, readBody } from './read-body.ts';

const ROOMY: BodyLimits = { bytes: 1_000_000, items: 1_000, depth: 50, silenceMs: 60_000, totalMs: 60_000 };

let server: Server;
let socket: Socket;
let incoming: IncomingMessage;
beforeEach(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
  [incoming] = await once(server, 'request');
});
afterEach(async () => {
  socket.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  vi.useRealTimers();
});

const send = (bytes: string | Buffer) => {
  socket.write(`${Buffer.byteLength(bytes).toString(16)}\r\n`);
  socket.write(bytes);
  socket.write('\r\n');
};
const sendEnd = () => socket.write('0\r\n\r\n');
const outcome = (limits: Partial<BodyLimits>, intake = new Intake(1_000_000)) =>
  readBody(incoming, { ...ROOMY, ...limits }, intake).then(
    ({ text }) => text,
    (error: unknown) => failureOf(error),
  );

test('a body is its text', async () => {
  const read = outcome({});
  send('{"a":');
  send(Buffer.from('"語"}'));
  sendEnd();
  expect(await read).toBe('{"a":"語"}');
});

test.each<[string, Partial<BodyLimits>, string | Buffer, object]>([
  ['bytes', { bytes: 100 }, 'x'.repeat(101), { code: 'body_too_large' }],
  [
    'items',
    { items: 9 },
    '[1,2,3,4,5,6,7,8,9,10',
    { code: 'bad_request', message: expect.stringContaining('than 9 ') },
  ],
  ['levels', { depth: 9 }, '['.repeat(10), { code: 'bad_request', message: expect.stringContaining('than 9 levels') }],
  ['bytes that are no UTF-8', {}, Buffer.from([0x61, 0xff, 0x61]), { code: 'bad_request' }],
])('a body with too many %s is refused before its end', async (_what, limits, bytes, expected) => {
  const read = outcome(limits);
  send(bytes);
  expect(await read).toMatchObject(expected);
});

test('a body that ends within a character is refused', async () => {
  const read = outcome({});
  send(Buffer.from([0x61, 0xe8]));
  sendEnd();
  expect(await read).toMatchObject({ code: 'bad_request' });
});

test('a body of which nothing more comes is refused, one that goes on slowly is not', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const read = outcome({ silenceMs: 1_000 });
  for (let piece = 0; piece < 3; piece += 1) {
    send(' ');
    await once(incoming, 'data');
    vi.advanceTimersByTime(900);
  }
  vi.advanceTimersByTime(200);
  expect(await read).toMatchObject({ code: 'request_timeout', status: 408, message: expect.stringContaining('more') });
});

test('a body that never ends is refused', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const read = outcome({ silenceMs: 1_000, totalMs: 2_000 });
  for (let piece = 0; piece < 3; piece += 1) {
    send(' ');
    await once(incoming, 'data');
    vi.advanceTimersByTime(700);
  }
  expect(await read).toMatchObject({ code: 'request_timeout', message: expect.stringContaining('within 2 s') });
});

test('a client that goes is not waited for', async () => {
  const read = outcome({});
  send('{');
  socket.destroy();
  expect(await read).toMatchObject({ code: 'client_gone' });
});

test('a large body finds no room beside others, and leaves none behind', async () => {
  const intake = new Intake(500_000);
  const other = intake.open();
  expect(other.take(700_000)).toBe(true);
  const read = outcome({}, intake);
  send('x'.repeat(400_000));
  expect(await read).toMatchObject({ code: 'intake_full', status: 503, retryAfterSeconds: 1 });
  // What it held is free again, for others and for itself.
  expect(intake.open().take(256 * 1024 + 56_000)).toBe(true);
});

test('a small body finds room always', async () => {
  const intake = new Intake(0);
  const read = outcome({}, intake);
  send('x'.repeat(200_000));
  sendEnd();
  expect(await read).toHaveLength(200_000);
});
