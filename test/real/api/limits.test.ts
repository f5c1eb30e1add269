import { execFile } from 'node:child_process';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { APIError } from '@anthropic-ai/sdk';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import { findExecutable } from '../../../src/engine/environment/executable.ts';
import { sdkClient } from '../../support/clients.ts';
import { signIn, startGateway, surroundings, type TestGateway, until } from '../../support/gateway.ts';
import { QUICK } from '../../support/quick.ts';

/** A plan's limits as a client and an operator see them, from the API's headers to the gateway's. */

let model: ScriptedModel;
beforeAll(async () => {
  model = await startScriptedModel();
});
afterAll(() => model.close());
const cleanups: Array<() => unknown> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const SOON = Math.floor(Date.now() / 1000) + 7_200;
const ISO = new Date(SOON * 1000).toISOString();
const TOLD = {
  'anthropic-ratelimit-unified-status': 'allowed',
  'anthropic-ratelimit-unified-reset': String(SOON),
  'anthropic-ratelimit-unified-representative-claim': 'five_hour',
  'anthropic-ratelimit-unified-5h-utilization': '0.5',
  'anthropic-ratelimit-unified-5h-reset': String(SOON),
  'anthropic-ratelimit-unified-7d-utilization': '0.25',
  'anthropic-ratelimit-unified-7d-reset': String(SOON + 100_000),
  'anthropic-ratelimit-unified-overage-status': 'rejected',
  'anthropic-ratelimit-unified-overage-disabled-reason': 'out_of_credits',
};
const REFUSED = {
  ...TOLD,
  'anthropic-ratelimit-unified-status': 'rejected',
  'anthropic-ratelimit-unified-5h-utilization': '1',
};

const ASK = { model: 'claude-sonnet-5', max_tokens: 10, messages: [{ role: 'user' as const, content: 'hi' }] };

function limitsIn(headers: Headers | undefined) {
  return Object.fromEntries([...(headers ?? [])].filter(([name]) => name.startsWith('anthropic-ratelimit-')));
}

async function serve(flags: string[], env: Record<string, string>, home?: string): Promise<TestGateway> {
  model.restart([
    {
      when: { text: 'refuse' },
      replies: [{ error: { status: 429, type: 'rate_limit_error', message: 'no', headers: REFUSED } }],
    },
    { replies: [{ content: [{ type: 'text', text: 'fine' }], headers: TOLD }] },
  ]);
  const gateway = await startGateway(model.url, ['--spares', '0', ...flags], { env, ...(home && { home }) });
  cleanups.push(() => gateway.stop());
  return gateway;
}

async function usage({ url }: TestGateway) {
  return (await (await fetch(`${url}/v1/usage`)).json()) as { limits: { status: string; windows: object } | null };
}

async function refusal({ url }: TestGateway): Promise<APIError> {
  // It would sleep for hours if it retried.
  const client = sdkClient(url).withOptions({ maxRetries: 2 });
  const error = await client.messages
    .create({ ...ASK, messages: [{ role: 'user', content: 'refuse' }] })
    .then(() => undefined)
    .catch((reason: unknown) => reason);
  if (!(error instanceof APIError)) throw new Error(`an API error was expected, not ${String(error)}`);
  return error;
}

/** From the first answer to the limit that is reached. */
async function expectLimitsToBeTold(gateway: TestGateway): Promise<void> {
  expect(await usage(gateway)).toMatchObject({ limits: null });
  const client = sdkClient(gateway.url);
  const first = await client.messages.create(ASK).withResponse();
  expect(first.data.content).toMatchObject([{ text: 'fine' }]);
  await until('the limits are known', async () => (await usage(gateway)).limits !== null);
  expect(await usage(gateway)).toMatchObject({
    limits: {
      status: 'allowed',
      claim: 'five_hour',
      resets_at: ISO,
      windows: { five_hour: { utilization: 0.5, resets_at: ISO }, seven_day: { utilization: 0.25 } },
      overage: { status: 'rejected', in_use: false, disabled_reason: 'out_of_credits' },
    },
  });
  expect(limitsIn((await client.messages.create(ASK).withResponse()).response.headers)).toEqual(TOLD);
  const stream = client.messages.stream(ASK);
  expect(limitsIn((await stream.withResponse()).response.headers)).toEqual(TOLD);
  await stream.finalMessage();

  const before = model.requests.length;
  const error = await refusal(gateway);
  expect(model.requests.length - before).toBe(1);
  expect(error.status).toBe(429);
  expect(error.error).toMatchObject({
    error: {
      type: 'rate_limit_error',
      message: expect.stringContaining(`5-hour limit is reached and resets at ${ISO.replace('.000', '')}`),
    },
    request_id: expect.stringMatching(/^req_msg_scripted_/),
  });
  expect(error.headers?.get('isthmus-error')).toBe('plan_limit_reached');
  expect(error.headers?.get('x-should-retry')).toBe('false');
  const retryAfter = Number(error.headers?.get('retry-after'));
  expect(retryAfter).toBeLessThanOrEqual(7_200);
  expect(Date.now() / 1000 + retryAfter).toBeLessThanOrEqual(SOON + 2);
  expect(limitsIn(error.headers)).toMatchObject({
    'anthropic-ratelimit-unified-status': 'rejected',
    'anthropic-ratelimit-unified-reset': String(SOON),
    'anthropic-ratelimit-unified-representative-claim': 'five_hour',
  });
  expect(await usage(gateway)).toMatchObject({ limits: { status: 'rejected', resets_at: ISO } });
}

test('with a token: headers, usage, and a limit that is reached', QUICK, async () => {
  await expectLimitsToBeTold(await serve([], { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'dummy' }));
});

test('with a `claude login`: headers, usage, and a limit that is reached', async () => {
  const { home } = surroundings(model.url);
  await expectLimitsToBeTold(await serve([], signIn(home), home));
});

test('a limit that is reached is told as such when Claude Code retries, too', async () => {
  const gateway = await serve(['--retries', 'gateway'], { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'dummy' });
  const error = await refusal(gateway);
  expect(error.headers?.get('isthmus-error')).toBe('plan_limit_reached');
  expect(limitsIn(error.headers)).toEqual(REFUSED);
});

test('with an API key nothing is told, and a long wait is', async () => {
  const gateway = await serve([], {});
  const client = sdkClient(gateway.url);
  for (let turn = 0; turn < 2; turn += 1) {
    expect(limitsIn((await client.messages.create(ASK).withResponse()).response.headers)).toEqual({});
  }
  expect(await usage(gateway)).toMatchObject({ limits: null });
  const slow = { type: 'rate_limit_error', message: 'slow down', headers: { 'retry-after': '600' } };
  model.restart([{ replies: [{ error: { status: 429, ...slow } }] }]);
  const error = await refusal(gateway);
  expect(error.headers?.get('x-should-retry')).toBe('false');
  expect(Number(error.headers?.get('retry-after'))).toBeGreaterThanOrEqual(600);
  expect(model.requests).toHaveLength(1);
});

test('Claude Code as a client reads the headers, and says what the plan’s API would have let it say', async () => {
  const gateway = await serve([], { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'dummy' });
  const client = surroundings(gateway.url, { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'another' });
  cleanups.push(client.remove);
  const ask = async (words: string) => {
    const { path } = findExecutable(undefined);
    const args = ['--print', '--output-format', 'json', '--tools', '', '--model', ASK.model, words];
    const child = execFile(path, args, { env: client.env, cwd: client.home });
    child.stdin?.end();
    return JSON.parse(await text(child.stdout as Readable)) as { is_error: boolean; result: string };
  };
  for (let turn = 0; turn < 2; turn += 1) expect(await ask('hi')).toMatchObject({ is_error: false, result: 'fine' });
  await until('the limits are known', async () => (await usage(gateway)).limits !== null);
  const before = model.requests.length;
  expect(await ask('refuse')).toMatchObject({ is_error: true, result: expect.stringContaining('5-hour limit') });
  expect(model.requests.length - before).toBe(1);
});
