import { APIError } from '@anthropic-ai/sdk';
import { afterEach, expect, test } from 'vitest';
import { failure } from '../../src/spec/failures.ts';
import type { PlanLimits } from '../../src/spec/plan-limits.ts';
import type { EngineReply } from '../../test-engine/reply.ts';
import { sdkClient } from '../support/clients.ts';
import { until } from '../support/gateway.ts';
import { InProcessGateway } from '../support/gateway-in-process.ts';

/** What the engine tells of a plan's limits, as clients and operators see it. */

let house: InProcessGateway;
afterEach(() => house?.stop());

const SOON = Math.floor(Date.now() / 1000) * 1000 + 7_200_000;
const toSeconds = (time: number) => String(time / 1000);

function limits(utilization: number, rest: Partial<PlanLimits> = {}): PlanLimits {
  const heardAt = Date.now();
  return {
    heardAt,
    status: 'allowed',
    claim: 'five_hour',
    resetsAt: SOON,
    windows: { five_hour: { heardAt, utilization, resetsAt: SOON } },
    ...rest,
  };
}

function answer(utilization: number): EngineReply {
  return { content: [{ type: 'text', text: 'fine' }], limits: limits(utilization) };
}

function refusal(): EngineReply {
  const reached = limits(1, { status: 'rejected' });
  return { limits: reached, fail: { after_events: 0, failure: failure('plan_limit_reached', { limits: reached }) } };
}

function told(headers: Headers | undefined) {
  const found = [...(headers ?? [])].filter(([name]) => name.startsWith('anthropic-ratelimit-'));
  return Object.fromEntries(found.map(([name, value]) => [name.replace('anthropic-ratelimit-unified-', ''), value]));
}

const known = (utilization: number, status = 'allowed') => ({
  status,
  reset: toSeconds(SOON),
  'representative-claim': 'five_hour',
  '5h-utilization': String(utilization),
  '5h-reset': toSeconds(SOON),
});

async function json(path: string) {
  return (await fetch(`${house.url}${path}`)).json();
}

test('what an answer tells goes out with the next one, streamed or not', async () => {
  house = await InProcessGateway.start([{ replies: [answer(0.25), answer(0.5)] }]);
  expect(await json('/v1/usage')).toMatchObject({ limits: null });
  expect(await json('/health')).toMatchObject({ status: 'ok', limits: null });

  expect(told((await house.ask('one')).response.headers)).toEqual({});
  expect(told((await house.ask('two')).response.headers)).toEqual(known(0.25));
  const stream = await house.stream('three');
  expect(told(stream.headers)).toEqual(known(0.5));
  await stream.text();

  const plan = {
    status: 'allowed',
    claim: 'five_hour',
    resets_at: new Date(SOON).toISOString(),
    windows: { five_hour: { utilization: 0.5, resets_at: new Date(SOON).toISOString() } },
    overage: null,
  };
  expect(await json('/v1/usage')).toMatchObject({ limits: plan });
  expect(await json('/health')).toMatchObject({ limits: plan });
  await until('all turns are in the log', () => house.log.length === 3);
  expect(house.log[0]).not.toContain('plan=');
  expect(house.log[2]).toMatch(/ plan=allowed five_hour=0\.5\b/);
});

test('a limit that is reached is told with its own values, and no client sleeps until it resets', async () => {
  house = await InProcessGateway.start([{ replies: [answer(0.25), refusal()] }]);
  await house.ask('one');
  // A client that retries would sleep for two hours.
  const client = sdkClient(house.url).withOptions({ maxRetries: 2 });
  const error = await client.messages
    .create({ model: 'claude-sonnet-5', max_tokens: 10, messages: [{ role: 'user', content: 'two' }] })
    .then(() => undefined)
    .catch((reason: unknown) => reason);
  if (!(error instanceof APIError)) throw new Error(`an API error was expected, not ${String(error)}`);
  expect(error.status).toBe(429);
  expect(error.headers?.get('isthmus-error')).toBe('plan_limit_reached');
  expect(error.headers?.get('x-should-retry')).toBe('false');
  const retryAfter = Number(error.headers?.get('retry-after'));
  expect(retryAfter).toBeGreaterThan(7_000);
  expect(retryAfter).toBeLessThanOrEqual(7_200);
  expect(told(error.headers)).toEqual(known(1, 'rejected'));
  const resets = new Date(SOON).toISOString().replace('.000', '');
  expect(error.error).toMatchObject({
    error: {
      type: 'rate_limit_error',
      message: `The plan's 5-hour limit is reached and resets at ${resets}.`,
      details: { error_code: 'plan_limit_reached', limit: 'five_hour', resets_at: resets },
    },
  });
  expect(house.calls).toHaveLength(2);
  await until('both turns are in the log', () => house.log.length === 2);
  expect(house.log[1]).toMatch(/ outcome=plan_limit_reached .* plan=rejected five_hour=1\b/);
});

test('the path of usage takes GET alone, and stands in the list of paths', async () => {
  house = await InProcessGateway.start();
  expect((await fetch(`${house.url}/v1/usage`, { method: 'POST' })).status).toBe(405);
  expect(JSON.stringify(await json('/v1/none'))).toContain('/v1/usage');
});
