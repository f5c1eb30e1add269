import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Reply } from '../../../scripted-model/script.ts';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import type { ConversationProcess } from '../../../src/spec/engine.ts';
import {
  collect,
  type EngineFixture,
  finish,
  NO_LISTENER,
  PATIENT,
  request,
  startEngine,
  user,
} from '../../support/engine.ts';
import { until } from '../../support/gateway.ts';

/** What the Agent SDK tells of a plan's limits, and of waits. */

/** A token makes Claude Code read the limits of a plan; an API key does not. */
const TOKEN = { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'dummy', CLAUDE_CODE_SIMPLE: '' };
const HI = request([user('hi')]);

const now = Math.floor(Date.now() / 1000);
/** Unix seconds. */
const SOON = now + 7_200;
const IN_DAYS = now + 500_000;

let model: ScriptedModel;
beforeAll(async () => {
  model = await startScriptedModel();
});
afterAll(() => model.close());
const cleanups: Array<() => unknown> = [];
beforeEach(() => model.restart([]));
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function start(variables: Record<string, string> = {}): EngineFixture {
  const fixture = startEngine(model.url, variables);
  cleanups.push(() => fixture.close());
  return fixture;
}

async function replay({ engine }: EngineFixture): Promise<Awaited<ReturnType<typeof finish>>> {
  const turn = await finish(engine.replay(HI, NO_LISTENER));
  cleanups.push(() => turn.process.end());
  return turn;
}

async function next(process: ConversationProcess) {
  return (await collect(await process.continue({ ...HI, messages: [user('more')] }, PATIENT))).at(-1);
}

function unified(values: Record<string, string | number>): Record<string, string> {
  const named = Object.entries(values).map(([name, value]) => [`anthropic-ratelimit-unified-${name}`, String(value)]);
  return Object.fromEntries(named);
}

const used = (utilization: number) =>
  unified({
    status: 'allowed',
    reset: SOON,
    'representative-claim': 'five_hour',
    '5h-status': 'allowed',
    '5h-utilization': utilization,
    '5h-reset': SOON,
    '7d-status': 'allowed',
    '7d-utilization': 0.25,
    '7d-reset': IN_DAYS,
    'overage-status': 'rejected',
    'overage-disabled-reason': 'org_level_disabled',
  });
const FULL = { ...used(1), ...unified({ status: 'rejected', '5h-status': 'rejected' }) };

const answering = (utilization: number): Reply => ({
  content: [{ type: 'text', text: 'fine' }],
  headers: used(utilization),
});
const refusing = (status: number, headers: Record<string, string>): Reply => ({
  error: { status, type: 'rate_limit_error', message: 'the API’s own words', headers },
});

describe('with a token', () => {
  test('the limits are told behind an answer, and again when they have changed', async () => {
    model.use([{ replies: [answering(0.5), answering(0.5), answering(0.6)] }]);
    const fixture = start(TOKEN);
    const { process, last } = await replay(fixture);
    expect(last?.type).toBe('message_stop');
    await until('they are told', () => fixture.told.length === 1);
    expect(fixture.told[0]).toEqual({
      heardAt: expect.any(Number),
      status: 'allowed',
      claim: 'five_hour',
      resetsAt: SOON * 1000,
      windows: {
        five_hour: { heardAt: expect.any(Number), utilization: 0.5, resetsAt: SOON * 1000, status: 'allowed' },
        seven_day: { heardAt: expect.any(Number), utilization: 0.25, resetsAt: IN_DAYS * 1000, status: 'allowed' },
      },
      overage: { status: 'rejected', disabledReason: 'org_level_disabled', isInUse: false },
    });
    await next(process);
    await next(process);
    await until('they are told again', () => fixture.told.length === 2);
    expect(fixture.told[1]?.windows.five_hour?.utilization).toBe(0.6);
  });

  test.each([
    ['and its reset alone', {}],
    ['and a wait', { 'retry-after': '7200' }],
    ['and no retry', { 'x-should-retry': 'false' }],
  ])(
    'a call that a limit refuses (%s) fails at once, with the limit and the time of its reset',
    async (_what, more) => {
      model.use([{ replies: [refusing(429, { ...FULL, ...more })] }]);
      const fixture = start(TOKEN);
      const { last } = await replay(fixture);
      await fixture.engine.allGone();
      expect(model.requests).toHaveLength(1);
      expect(last).toMatchObject({
        type: 'failure',
        failure: {
          code: 'plan_limit_reached',
          status: 429,
          message: expect.stringContaining('usage credits are off'),
          requestId: 'req_msg_scripted_1',
          details: { limit: 'five_hour', resets_at: new Date(SOON * 1000).toISOString().replace('.000', '') },
        },
      });
      // With the values of the refusal itself.
      expect(fixture.told).toMatchObject([
        {
          status: 'rejected',
          claim: 'five_hour',
          resetsAt: SOON * 1000,
          windows: { five_hour: { utilization: 1 }, seven_day: { utilization: 0.25 } },
          overage: { disabledReason: 'org_level_disabled' },
        },
      ]);
    },
  );

  test('the reset of a limit is true beyond the longest wait that Claude Code announces', async () => {
    const weekly = unified({ reset: IN_DAYS, 'representative-claim': 'seven_day' });
    model.use([{ replies: [refusing(429, { ...FULL, ...weekly })] }]);
    const fixture = start(TOKEN);
    const { last } = await replay(fixture);
    await fixture.engine.allGone();
    expect(model.requests).toHaveLength(1);
    if (last?.type !== 'failure') throw new Error('a failure was expected');
    expect(last.failure).toMatchObject({ code: 'plan_limit_reached', details: { limit: 'seven_day' } });
    expect(Date.now() / 1000 + (last.failure.retryAfterSeconds ?? 0)).toBeGreaterThanOrEqual(IN_DAYS);
    expect(last.failure.retryAfterSeconds).toBeLessThanOrEqual(IN_DAYS - now);
  });

  test('a 429 without limits is not the plan’s', async () => {
    model.use([{ replies: [refusing(429, { 'retry-after': '600' })] }]);
    const fixture = start(TOKEN);
    const { last } = await replay(fixture);
    await fixture.engine.allGone();
    expect(model.requests).toHaveLength(1);
    expect(last).toMatchObject({ failure: { code: 'upstream_error', status: 429, message: 'the API’s own words' } });
    expect(fixture.told).toEqual([]);
  });
});

describe('with an API key', () => {
  test('nothing is told of limits', async () => {
    model.use([{ replies: [answering(0.5)] }]);
    const fixture = start();
    const { last, process } = await replay(fixture);
    expect(last?.type).toBe('message_stop');
    // By the next answer it would have been told.
    await next(process);
    expect(fixture.told).toEqual([]);
  });

  test.each([
    [429, 600],
    [529, 600],
    [503, 600],
  ])('the long wait of a %i is announced, with up to a quarter more', async (status, seconds) => {
    model.use([{ replies: [refusing(status, { 'retry-after': String(seconds) })] }]);
    const fixture = start();
    const { last } = await replay(fixture);
    await fixture.engine.allGone();
    expect(model.requests).toHaveLength(1);
    if (last?.type !== 'failure') throw new Error('a failure was expected');
    expect(last.failure).toMatchObject({ status, message: 'the API’s own words', mayRepeat: false });
    expect(last.failure.retryAfterSeconds).toBeGreaterThanOrEqual(seconds);
    expect(last.failure.retryAfterSeconds).toBeLessThanOrEqual(seconds * 1.25 + 1);
  });

  test('of a wait of more than six hours only that it is long is told', async () => {
    model.use([{ replies: [refusing(429, { 'retry-after': '86400' })] }]);
    const fixture = start();
    const { last } = await replay(fixture);
    await fixture.engine.allGone();
    expect(model.requests).toHaveLength(1);
    if (last?.type !== 'failure') throw new Error('a failure was expected');
    expect(last.failure).toMatchObject({ status: 429, mayRepeat: false });
    expect(last.failure).not.toHaveProperty('retryAfterSeconds');
  });
});
