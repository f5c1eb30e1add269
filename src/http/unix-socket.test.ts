import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listenOnSocket } from './unix-socket.ts';

let folder: string;
let path: string;
const servers: Server[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-socket-'));
  path = join(folder, 'gateway.sock');
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(folder, { recursive: true });
});

/** Listens at the path; answers with its name. */
async function open(name: string) {
  const server = createServer((_, response) => void response.setHeader('connection', 'close').end(name));
  servers.push(server);
  const remove = await listenOnSocket(server, path);
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { server, remove, close };
}

function ask(): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: path, path: '/' }, (response) => resolve(text(response)));
    asked.once('error', reject).end();
  });
}

test('the socket is for its user alone, is called at its path, and nothing lies beside it', async () => {
  const { remove, close } = await open('first');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await ask()).toBe('first');
  expect(readdirSync(folder)).toEqual(['gateway.sock']);
  await close();
  remove();
  expect(readdirSync(folder)).toEqual([]);
});

test('one at which somebody listens is left to them', async () => {
  await open('first');
  await expect(open('second')).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(await ask()).toBe('first');
  expect(servers.map(({ listening }) => listening)).toEqual([true, false]);
});

test('one that a dead gateway has left is replaced, and the dead one takes nothing away', async () => {
  const { remove, close } = await open('first');
  await close();
  // As a kill leaves it.
  expect(readdirSync(folder)).toEqual(['gateway.sock']);
  await open('second');
  remove();
  expect(await ask()).toBe('second');
});

test.each([
  ['a free path', false],
  ['one that a dead gateway has left', true],
])('of two at once one has %s, and the other is refused', async (_what, isLeft) => {
  if (isLeft) await (await open('dead')).close();
  const both = await Promise.allSettled([open('first'), open('second')]);
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(both.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'EADDRINUSE' } });
  expect(await ask()).toBe(both[0].status === 'fulfilled' ? 'first' : 'second');
  expect(readdirSync(folder)).toEqual(['gateway.sock']);
});

test.each<[string, string, string, (at: string) => void]>([
  ['a file', 'ENOTSOCK', 'gateway.sock', (at) => writeFileSync(at, 'mine')],
  ['a folder', 'ENOTSOCK', 'gateway.sock', (at) => mkdirSync(at)],
  ['a folder that is not there', 'ENOENT', 'none/gateway.sock', () => undefined],
  ['a path that is too long', 'ENAMETOOLONG', 'x'.repeat(100), () => undefined],
])('%s is refused with %s, and nothing is left', async (_what, code, name, make) => {
  path = join(folder, name);
  make(path);
  const before = readdirSync(folder);
  await expect(open('first')).rejects.toMatchObject({ code });
  expect([readdirSync(folder), servers[0]?.listening]).toEqual([before, false]);
});
