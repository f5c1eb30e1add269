import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { askGateway, type ToldHealth } from './ask-gateway.ts';
import { exitCodeOf, statusFrom, statusLines, statusOf } from './gateway-status.ts';
import { lasting } from './lasting.ts';

const URL = 'http://127.0.0.1:3456';
const HEALTH: ToldHealth = {
  status: 'ok',
  version: '1.2.3',
  mode: 'full',
  credential: 'claude login (Claude Max)',
  startedAt: '2026-11-26T10:00:00.000Z',
  processes: { streaming: 1, held: 0, idle: 2 },
  waiting: 3,
  memoryBytes: 400 * 1024 * 1024,
  limits: { windows: { five_hour: { utilization: 0.421, resets_at: '2026-11-26T15:00:00.000Z' } } },
};
const NOW = Date.parse('2026-11-26T12:30:00.000Z');

test('a gateway that takes requests', () => {
  const inflight = { turns: 1, states: { answering: 1 } };
  const status = statusFrom(URL, { kind: 'isthmus', health: HEALTH }, { checks: { binary: 'ok' } }, inflight);
  expect(exitCodeOf(status)).toBe(0);
  expect(statusLines(status, NOW)).toEqual([
    'Isthmus 1.2.3 takes requests on http://127.0.0.1:3456',
    '  since       2026-11-26T10:00:00.000Z (2 hours 30 minutes)',
    '  credential  claude login (Claude Max), full mode',
    '  turns       1 under way (1 answering)',
    '  processes   1 streaming, 2 idle; 400 MB together',
    '  waiting     3 in the queue',
    '  limit       five hour, 42 % used, resets 2026-11-26T15:00:00.000Z',
  ]);
});

test.each<[string, Parameters<typeof statusFrom>[1], Parameters<typeof statusFrom>[2], number, RegExp]>([
  [
    'is failing',
    { kind: 'isthmus', health: { ...HEALTH, status: 'claude_failing' } },
    undefined,
    1,
    /runs, and takes no .*\n.*claude_failing/,
  ],
  [
    'is starting',
    { kind: 'isthmus', health: { status: 'starting_up' } },
    undefined,
    1,
    /^Isthmus runs, and takes no .*\n.*starting_up\.$/,
  ],
  [
    'says that it is not ready',
    { kind: 'isthmus', health: HEALTH },
    { checks: { binary: 'It is gone.', serving: 'ok' } },
    1,
    /\n {2}problem +It is gone\.\n/,
  ],
  [
    'is ready, whatever its health says',
    { kind: 'isthmus', health: { ...HEALTH, status: 'new' } },
    { checks: { serving: 'ok' } },
    0,
    /takes requests/,
  ],
  ['is not there', { kind: 'nobody', code: 'ECONNREFUSED' }, undefined, 3, /^Nothing answers .*ECONNREFUSED/],
  ['is another program', { kind: 'stranger' }, undefined, 3, /^What listens .* is not Isthmus/],
])('one that %s', (_name, found, readiness, code, expected) => {
  const status = statusFrom(URL, found, readiness);
  expect(exitCodeOf(status)).toBe(code);
  expect(statusLines(status, NOW).join('\n')).toMatch(expected);
});

/** Asks a server that answers in this way. */
async function asked(answer: RequestListener) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await statusOf({ host: '127.0.0.1', port });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('each of its pages is asked', async () => {
  const status = await asked(({ url }, response) => {
    const body = { '/health': HEALTH, '/readyz': { checks: { serving: 'Stopping.' } }, '/inflight': { turns: 2 } }[
      url ?? ''
    ];
    response.writeHead(url === '/readyz' ? 503 : 200).end(JSON.stringify(body));
  });
  expect(status).toMatchObject({ isRunning: true, isReady: false, problems: ['Stopping.'], inflight: { turns: 2 } });
});

test('an older gateway, without some of them', async () => {
  const status = await asked(({ url }, response) => {
    response.writeHead(url === '/health' ? 200 : 404).end(JSON.stringify(url === '/health' ? HEALTH : { error: {} }));
  });
  expect(status).toEqual({ url: status.url, isRunning: true, isReady: true, problems: [], health: HEALTH });
});

test.each<[string, RequestListener]>([
  ['says something else', (_, response) => response.end('hello')],
  ['says other JSON', (_, response) => response.end('{"status": "ok"}')],
  ['hangs up', (request) => request.socket.destroy()],
])('a program that %s is none', async (_name, answer) => {
  expect(await asked(answer)).toMatchObject({ isRunning: false });
});

test('a gateway on a Unix socket', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-socket-'));
  const socket = join(folder, 's');
  const server = createServer((_, response) => response.end(JSON.stringify(HEALTH)));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const status = await statusOf({ host: '127.0.0.1', port: 0, socket });
  await new Promise((resolve) => server.close(resolve));
  expect(status).toMatchObject({ url: 'http://localhost', socket, isRunning: true, isReady: true });
  expect(statusLines(status, NOW)[0]).toBe(`Isthmus 1.2.3 takes requests on ${socket}`);
  const gone = await statusOf({ host: '127.0.0.1', port: 0, socket });
  expect(gone.problems).toEqual([`Nothing answers on ${socket} (ENOENT): \`isthmus serve\` starts it there.`]);
  rmSync(folder, { recursive: true });
});

test('a program that speaks no HTTP is none, and a closed port is nobody', async () => {
  const server = createNetServer((socket) => socket.resume().end('220 mail\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await askGateway(url)).toEqual({ kind: 'stranger' });
  await new Promise((resolve) => server.close(resolve));
  expect(await askGateway(url)).toEqual({ kind: 'nobody', code: 'ECONNREFUSED' });
});

test.each([
  [-5, '0 seconds'],
  [1_400, '1 second'],
  [59_000, '59 seconds'],
  [60_000, '1 minute'],
  [3_600_000, '1 hour'],
  [3_725_000, '1 hour 2 minutes'],
  [90_061_000, '1 day 1 hour'],
  [86_460_000, '1 day'],
])('%d ms are %s', (ms, words) => {
  expect(lasting(ms)).toBe(words);
});
