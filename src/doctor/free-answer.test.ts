import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { freeAnswer } from './free-answer.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A server on loopback, as its address and a proxy's with a password. */
async function started(made: Server): Promise<{ url: URL; proxy: string }> {
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  const { port } = made.address() as AddressInfo;
  return { url: new URL(`http://127.0.0.1:${port}/v1/models`), proxy: `http://someone:secret@127.0.0.1:${port}` };
}

test('a server without TLS is asked directly', async () => {
  const { url } = await started(
    createServer(({ url: path }, response) =>
      response.writeHead(path === '/v1/models' ? 401 : 500, { 'content-type': 'application/json' }).end('{}'),
    ),
  );
  expect(await freeAnswer(url, {})).toMatchObject({ kind: 'answered', status: 401, contentType: 'application/json' });
});

test('a proxy is asked for the whole URL where there is no TLS, without its password', async () => {
  const seen: Array<[path: string | undefined, headers: IncomingHttpHeaders]> = [];
  const { proxy } = await started(
    createServer(({ url, headers }, response) => {
      seen.push([url, headers]);
      response.end('{}');
    }),
  );
  const answer = await freeAnswer(new URL('http://api.invalid/v1/models'), { HTTP_PROXY: proxy });
  expect(answer).toMatchObject({ kind: 'answered', status: 200, proxy: 'HTTP_PROXY' });
  expect(seen).toEqual([['http://api.invalid/v1/models', expect.objectContaining({ host: 'api.invalid' })]]);
  expect(seen[0]?.[1]).not.toHaveProperty('proxy-authorization');
});

test.each([
  [403, { kind: 'refused by the proxy', status: 403, proxy: 'HTTPS_PROXY' }],
  [407, { kind: 'a sign-in for the proxy', proxy: 'HTTPS_PROXY' }],
])('a proxy that refuses a tunnel with %d is told from the server', async (status, expected) => {
  const headers: IncomingHttpHeaders[] = [];
  const { proxy } = await started(
    createServer().on('connect', (request, socket) => {
      headers.push(request.headers);
      socket.end(`HTTP/1.1 ${status} no\r\ncontent-length: 0\r\n\r\n`);
    }),
  );
  const answer = await freeAnswer(new URL('https://api.invalid'), { HTTPS_PROXY: proxy });
  expect(answer).toEqual(expected);
  expect(headers[0]).not.toHaveProperty('proxy-authorization');
});

test('so is one that wants a sign-in for a request without TLS', async () => {
  const { proxy } = await started(createServer((_, response) => response.writeHead(407).end()));
  const answer = await freeAnswer(new URL('http://api.invalid'), { HTTP_PROXY: proxy });
  expect(answer).toEqual({ kind: 'a sign-in for the proxy', proxy: 'HTTP_PROXY' });
});

test('who fails is named: the proxy, or the server behind its tunnel', async () => {
  const { proxy } = await started(
    createServer().on('connect', (_, socket) => socket.end('HTTP/1.1 200 ok\r\n\r\nnot TLS')),
  );
  const url = new URL('https://api.invalid');
  expect(await freeAnswer(url, { HTTPS_PROXY: proxy })).toEqual({ kind: 'failed', code: expect.any(String) });
  server?.close();
  server?.closeAllConnections();
  expect(await freeAnswer(url, { HTTPS_PROXY: proxy })).toEqual({
    kind: 'failed',
    code: 'ECONNREFUSED',
    proxy: 'HTTPS_PROXY',
  });
});
