import { once } from 'node:events';
import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Anthropic } from '@anthropic-ai/sdk';
import { afterEach, expect, test } from 'vitest';
import { startScriptedModel } from '../../scripted-model/testing.ts';
import { sdkClient } from '../support/clients.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { QUICK } from '../support/quick.ts';
import { testParts } from '../support/test-parts.ts';

/** Gateways whose upstream is a gateway: a chain works, a ring ends at the first request that comes back. */

const cleanups: Array<() => unknown> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** An address that no gateway knows for its own, and that leads to one. */
async function alias() {
  let target = '';
  const passed: string[] = [];
  const server = createServer((incoming, outgoing) => {
    passed.push(String(incoming.url));
    const { method = '', headers } = incoming;
    const onward = send(`${target}${incoming.url}`, { method, headers }, (answer) => {
      outgoing.writeHead(Number(answer.statusCode), answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  cleanups.push(() => server.close().closeAllConnections());
  const leadTo = ({ url }: TestGateway) => {
    target = url;
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, passed, leadTo };
}

async function gatewayOver(url: string, spares: string, env: Record<string, string> = {}): Promise<TestGateway> {
  const gateway = await startGateway(url, ['--spares', spares], { env });
  cleanups.push(() => gateway.stop());
  return gateway;
}

const HI: Anthropic.MessageParam[] = [{ role: 'user', content: 'hi' }];
const HISTORY: Anthropic.MessageParam[] = [...HI, { role: 'assistant', content: 'a' }, { role: 'user', content: 'b' }];

const ask = ({ url }: TestGateway, messages: Anthropic.MessageParam[]) =>
  sdkClient(url).messages.create({ model: 'claude-sonnet-5', max_tokens: 100, messages }).withResponse();

const refusal = {
  status: 400,
  error: { error: { type: 'invalid_request_error', message: expect.stringContaining('leads back') } },
};

test('a request of its own that comes back is refused, whatever led it there', QUICK, async () => {
  const { url, passed, leadTo } = await alias();
  const gateway = await gatewayOver(url, '1');
  leadTo(gateway);
  await expect.poll(async () => (await gateway.health()).processes.spare).toBe(1);
  for (const messages of [HI, HISTORY]) {
    await expect(ask(gateway, messages)).rejects.toMatchObject(refusal);
    expect(passed.splice(0)).toEqual(['/v1/messages?beta=true']);
  }
  const { input_tokens } = await sdkClient(gateway.url).messages.countTokens({
    model: 'claude-sonnet-5',
    messages: HI,
  });
  expect(input_tokens).toBeGreaterThan(0);
  expect(passed.length).toBeLessThanOrEqual(4);
});

testParts<[and: string, env: Record<string, string>]>(
  'rings',
  [
    ['', {}],
    [' and headers of the operator’s', { ANTHROPIC_CUSTOM_HEADERS: 'x-team: blue' }],
  ],
  // The gateway sends its own header beside the operator's ones.
  { isEveryday: ([and]) => and !== '' },
)('a ring of two is refused when it closes, with spares%s', async (_and, env) => {
  const { url, passed, leadTo } = await alias();
  const first = await gatewayOver(url, '1', env);
  const second = await gatewayOver(first.url, '1', env);
  leadTo(second);
  for (const gateway of [first, second])
    await expect.poll(async () => (await gateway.health()).processes.spare).toBe(1);
  for (const messages of [HI, HISTORY]) {
    await expect(ask(first, messages)).rejects.toMatchObject(refusal);
    expect(passed.splice(0)).toEqual(['/v1/messages?beta=true']);
  }
});

test('a chain of two works, and the model hears of both', async () => {
  const model = await startScriptedModel();
  cleanups.push(() => model.close());
  const env = { ANTHROPIC_CUSTOM_HEADERS: 'x-team: blue' };
  const second = await gatewayOver(model.url, '1', env);
  const first = await gatewayOver(second.url, '1');
  for (const gateway of [first, second])
    await expect.poll(async () => (await gateway.health()).processes.spare).toBe(1);
  const { data } = await ask(first, HI);
  const next = await ask(first, [
    ...HI,
    { role: 'assistant', content: data.content },
    { role: 'user', content: 'more' },
  ]);
  expect(next.response.headers.get('isthmus-path')).toBe('continue');
  const alone = await ask(second, HI);
  expect(alone.data.stop_reason).toBe('end_turn');
  const [chained, continued, direct] = model.requests.map(({ headers }) => String(headers['isthmus-via']));
  expect(chained).toMatch(/^[0-9a-f]{16}, [0-9a-f]{16}$/);
  expect(continued).toBe(chained);
  expect(direct).toBe(chained?.split(', ')[1]);
  expect(model.requests.map(({ headers }) => headers['x-team'])).toEqual(['blue', 'blue', 'blue']);
});
