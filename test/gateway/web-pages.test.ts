import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { CHROMIUM, Chromium } from '../support/chromium.ts';
import { until } from '../support/gateway.ts';
import { InProcessGateway } from '../support/gateway-in-process.ts';

/** What `--allowed-origins` lets web pages do. */

const cleanups: Array<() => unknown> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** @param goesOn when the rest of the answer comes */
async function setUp(allowedOrigins: readonly string[], goesOn: Promise<unknown> = Promise.resolve()) {
  const content = [{ type: 'text' as const, text: 'some words that take several deltas' }];
  const reply = { content, pause: { after_events: 3, until: goesOn } };
  const house = await InProcessGateway.start([{ replies: [reply] }], { allowedOrigins });
  cleanups.push(() => house.stop());
  return house;
}

const PAGE = { origin: 'https://chat.example', 'sec-fetch-site': 'cross-site' };
/** What the official SDK asks for when it runs in a page. */
const SDK_HEADERS =
  'anthropic-beta,anthropic-dangerous-direct-browser-access,anthropic-version,authorization,content-type,x-api-key,x-stainless-lang,x-stainless-retry-count';

describe('a page whose origin is allowed', () => {
  test('learns before its request that it may send it, with whatever headers', async () => {
    const house = await setUp([PAGE.origin, 'vscode-webview://*']);
    for (const origin of [PAGE.origin, 'vscode-webview://0a1b2c']) {
      const preflight = await fetch(`${house.url}/v1/messages`, {
        method: 'OPTIONS',
        headers: {
          ...PAGE,
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': SDK_HEADERS,
          'access-control-request-private-network': 'true',
        },
      });
      expect(preflight.status).toBe(204);
      expect(Object.fromEntries(preflight.headers)).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET, POST',
        'access-control-allow-headers': SDK_HEADERS,
        'access-control-allow-private-network': 'true',
        'access-control-max-age': '7200',
        vary: 'Origin',
      });
      expect(preflight.headers.has('access-control-allow-credentials')).toBe(false);
    }
  });

  test('may read every answer, its headers and its errors', async () => {
    const house = await setUp([PAGE.origin]);
    const answers = [
      await house.stream('hi', { headers: { 'content-type': 'application/json', ...PAGE } }),
      await fetch(`${house.url}/v1/models`, { headers: PAGE }),
      await fetch(`${house.url}/v1/messages`, { method: 'POST', headers: PAGE, body: 'x' }),
      await fetch(`${house.url}/none`, { headers: PAGE }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 415, 404]);
    for (const { headers } of answers) {
      expect(Object.fromEntries(headers)).toMatchObject({
        'access-control-allow-origin': PAGE.origin,
        'access-control-expose-headers': '*',
        vary: 'Origin',
      });
      expect(headers.has('access-control-allow-private-network')).toBe(false);
    }
    // A cache that has the answer for a program must not give it to a page.
    expect((await fetch(`${house.url}/v1/models`)).headers.get('vary')).toBe('Origin');
  });

  test.each<[string, Record<string, string>]>([
    ['another origin', { ...PAGE, origin: 'https://evil.example' }],
    ['another host', { ...PAGE, host: 'chat.example' }],
    ['the origin `null`, which any page can have', { ...PAGE, origin: 'null' }],
    ['no origin at all', { 'sec-fetch-site': 'cross-site' }],
  ])('does not open the door to %s', async (_what, headers) => {
    const { port } = new URL((await setUp([PAGE.origin])).url);
    const [answer]: IncomingMessage[] = await once(
      request({ port, host: '127.0.0.1', path: '/v1/models', headers }).end(),
      'response',
    );
    answer?.resume();
    expect([answer?.statusCode, answer?.headers['access-control-allow-origin']]).toEqual([403, undefined]);
  });
});

/** What the page tells of its try. */
interface Told {
  status?: number;
  path?: string;
  text?: string;
  error?: string;
}

/** Asks the gateway for a stream; tells when its beginning has come, and of the whole in the end. */
const pageFor = (gateway: string) => `<script type="module">
const tell = (path, body) => fetch(path, { method: 'POST', body: JSON.stringify(body) });
try {
  const answer = await fetch('${gateway}/v1/messages', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': 'any', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: 'm', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'hi' }] }),
  });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value;
  await tell('/begins', {});
  for (let part; (part = await reader.read()).value !== undefined; ) text += part.value;
  await tell('/done', { status: answer.status, path: answer.headers.get('isthmus-path'), text });
} catch (error) {
  await tell('/done', { error: String(error) });
}
</script>`;

describe.skipIf(CHROMIUM === undefined)('a page in Chromium, which must be on PATH', () => {
  /** Opens a page on another port, and resolves with what it tells. */
  async function open(isAllowed: boolean): Promise<Told> {
    let begins = () => {};
    const hasBegun = new Promise<void>((resolve) => {
      begins = resolve;
    });
    let told: Told | undefined;
    let page = '';
    const server = createServer(async (asked, response) => {
      const body = await text(asked);
      if (asked.url === '/begins') begins();
      if (asked.url === '/done') told = JSON.parse(body);
      response.setHeader('content-type', 'text/html').end(page);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    cleanups.push(() => server.close().closeAllConnections());
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const house = await setUp(isAllowed ? [origin] : [], hasBegun);
    page = pageFor(house.url);
    const browser = Chromium.start();
    cleanups.push(() => browser.close());
    await browser.open(origin);
    await until('the page has told', () => told !== undefined);
    return told ?? {};
  }

  test('reads an answer as it comes, and its headers, where its origin is allowed', async () => {
    expect(await open(true)).toEqual({
      status: 200,
      path: 'start',
      text: expect.stringMatching(/message_start.*message_stop/s),
    });
  });

  test('gets nothing where it is not', async () => {
    expect(await open(false)).toEqual({ error: expect.stringContaining('Failed to fetch') });
  });
});
