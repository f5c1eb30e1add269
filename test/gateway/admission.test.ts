import type { Anthropic, APIError } from '@anthropic-ai/sdk';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Gateway, type Order } from '../../src/gateway/gateway.ts';
import { NEW_PROCESS_BYTES } from '../../src/processes/budget.ts';
import type { Caller } from '../../src/spec/caller.ts';
import { ScriptedAnswers } from '../../test-engine/scripted-answers.ts';
import { TestEngine } from '../../test-engine/test-engine.ts';
import { collect, PATIENT, request, user } from '../support/engine.ts';
import { until } from '../support/gateway.ts';
import { goOn, InProcessGateway, type InProcessOptions, ROOMY, resultsFor } from '../support/gateway-in-process.ts';

/** Who gets a process, who waits for one, and whose leaves for it. */

let house: InProcessGateway;
afterEach(() => house?.stop());

/** Lets the turns go on that were asked to wait. */
let letGo: () => void;

async function setUp(options: InProcessOptions) {
  const goes = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const text = [{ type: 'text' as const, text: 'an answer' }];
  house = await InProcessGateway.start(
    [
      { when: { text: 'wait' }, replies: [{ content: text, pause: { after_events: 0, until: goes } }] },
      { when: { text: 'call' }, replies: [{ content: [{ type: 'tool_use', name: 'read', input: {} }] }] },
    ],
    options,
  );
  return house;
}

const failing = (turn: Promise<unknown>): Promise<APIError> =>
  turn.then(
    () => Promise.reject(new Error('it was answered')),
    (error: APIError) => error,
  );
const pathOf = async (turn: ReturnType<InProcessGateway['ask']>) => (await turn).response.headers.get('isthmus-path');
const first = (content: string): Anthropic.MessageParam[] => [{ role: 'user', content }];

describe('beyond the budget', () => {
  test('a request waits for the place of a turn that ends', async () => {
    const { gateway, calls } = await setUp({ processes: 1 });
    const busy = house.ask('wait');
    await until('it is asked', () => calls.length === 1);
    const queued = house.ask('hi');
    await until('it waits', () => gateway.status.waiting === 1);
    expect(calls).toHaveLength(1);
    letGo();
    expect((await queued).data.content).toMatchObject([{ text: 'You said: hi' }]);
    await busy;
    expect(house.engine.processes).toHaveLength(1);
  });

  test('and the queue the answer is 529 with a delay', async () => {
    const { gateway, calls } = await setUp({ processes: 1, queueLength: 1 });
    const busy = house.ask('wait');
    await until('it is asked', () => calls.length === 1);
    const queued = house.ask('hi');
    await until('it waits', () => gateway.status.waiting === 1);
    const refused = await failing(house.ask('too many'));
    expect(refused).toMatchObject({
      status: 529,
      error: { error: { type: 'overloaded_error', details: { error_code: 'overloaded' } } },
    });
    expect(refused.headers?.get('retry-after')).toBe('5');
    letGo();
    await Promise.all([busy, queued]);
    expect(calls).toHaveLength(2);
  });

  test('and the deadline it is the same', async () => {
    const { calls, gateway } = await setUp({ processes: 1, queueDeadlineMs: 1 });
    const busy = house.ask('wait');
    await until('it is asked', () => calls.length === 1);
    expect(await failing(house.ask('hi'))).toMatchObject({ status: 529 });
    expect(gateway.status.waiting).toBe(0);
    letGo();
    await busy;
  });

  test('a client that leaves the queue leaves its place to the next', async () => {
    const { gateway, calls } = await setUp({ processes: 1, queueLength: 1 });
    const busy = house.ask('wait');
    await until('it is asked', () => calls.length === 1);
    const leaving = new AbortController();
    const left = failing(house.ask('gone', { signal: leaving.signal }));
    await until('it waits', () => gateway.status.waiting === 1);
    leaving.abort();
    await left;
    await until('it waits no more', () => gateway.status.waiting === 0);
    const next = house.ask('next');
    await until('the next waits', () => gateway.status.waiting === 1);
    letGo();
    await Promise.all([busy, next]);
    expect(calls).toHaveLength(2);
  });

  test('a count of tokens waits as a turn does, and gives its place back', async () => {
    const { gateway, calls } = await setUp({ processes: 1 });
    const busy = house.ask('wait');
    await until('it is asked', () => calls.length === 1);
    const counted = house.client().messages.countTokens({ model: 'm', messages: [{ role: 'user', content: 'hi' }] });
    await until('it waits', () => gateway.status.waiting === 1);
    letGo();
    expect((await counted).input_tokens).toBeGreaterThan(0);
    await busy;
    expect(await pathOf(house.ask('hi'))).toBe('start');
  });
});

describe('room is made', () => {
  test('by spares, then idle processes never continued, then continued ones, then held ones', async () => {
    const { engine } = await setUp({ processes: 4, spares: 1 });
    await until('a spare is ready', () => engine.spares.length === 1);
    engine.faults.spawnSpare = 'fails';
    const held = await house.ask('call');
    const [heldBy] = engine.processes;
    const begun = await house.ask('continued');
    await house.ask(goOn(first('continued'), begun.data.content));
    const continued = engine.processes.at(-1);
    await house.ask('a title');
    const title = engine.processes.at(-1);
    const states = () => [title, continued, heldBy].map((process) => process?.state);
    expect([engine.spares.length, ...states()]).toEqual([0, 'idle', 'idle', 'held']);

    const waiting = [house.ask('wait 1', { key: 'another' })];
    await until('there is a fourth', () => engine.processes.length === 4);
    expect(states()).toEqual(['idle', 'idle', 'held']);
    for (const expected of [
      ['ended', 'idle', 'held'],
      ['ended', 'ended', 'held'],
      ['ended', 'ended', 'ended'],
    ]) {
      waiting.push(house.ask(`wait ${waiting.length + 1}`, { key: 'another' }));
      await until(
        'it streams',
        () => engine.processes.filter(({ state }) => state === 'streaming').length === waiting.length,
      );
      expect(states()).toEqual(expected);
    }
    // Every process streams now, and none of them is evicted.
    const queued = house.ask(goOn(first('call'), held.data.content, resultsFor(held.data.content)));
    await until('it waits', () => house.gateway.status.waiting === 1);
    letGo();
    await Promise.all(waiting);
    expect(await pathOf(queued)).toBe('replay');
  });

  test('by a spare, for a conversation that cannot use it', async () => {
    const { engine } = await setUp({ processes: 1, spares: 1 });
    await until('a spare is ready', () => engine.spares.length === 1);
    const foreign = goOn(first('hi'), [{ type: 'text', text: 'Hello.', citations: null }]);
    expect(await pathOf(house.ask(foreign))).toBe('replay');
    expect(engine.spares).toHaveLength(0);
  });

  test('of two of a kind by the one that has waited longest', async () => {
    const { engine } = await setUp({ processes: 2 });
    await house.ask('one');
    await house.ask('two');
    const [one, two] = engine.processes;
    await house.ask('three', { key: 'another' });
    expect([one?.state, two?.state]).toEqual(['ended', 'idle']);
  });
});

test('so many processes are spawned at a time', async () => {
  const spawns: Array<() => void> = [];
  const hangs = () =>
    new Promise<void>((resolve) => {
      spawns.push(resolve);
    });
  const { engine, calls } = await setUp({ spawnsAtATime: 1, faults: { spawn: hangs() } });
  const one = house.ask('one');
  await until('it is spawned', () => engine.processes.length === 1);
  engine.faults.spawn = hangs();
  const two = house.ask('two');
  await until('the other has its place', () => house.gateway.status.memoryBytes === 2 * NEW_PROCESS_BYTES);
  expect(engine.processes).toHaveLength(1);
  spawns[0]?.();
  await one;
  await until('the other is spawned', () => engine.processes.length === 2);
  expect(calls).toHaveLength(1);
  spawns[1]?.();
  await two;
});

test('a caller has so many turns open and no more, counts included, whatever others have', async () => {
  const answers = new ScriptedAnswers([{ replies: [{ cut: { after_events: 1, how: 'silence' } }] }]);
  const engine = new TestEngine({ answer: answers.answer });
  const gateway = new Gateway(engine, ROOMY);
  const caller = (id: string): Caller => ({ id, name: id, limits: { turns: 2 } });
  const order = (id: string): Order => ({
    request: request([user('hi')]),
    caller: caller(id),
    signal: PATIENT,
    id: 'req_1',
    session: {},
    marks: { arrived: 0 },
    asReturned: ({ content }) => ({ role: 'assistant', content }),
  });
  const [turn] = await Promise.all([gateway.open(order('one')), gateway.open(order('one'))]);
  const refused = { failure: { code: 'caller_at_limit', status: 429, type: 'rate_limit_error', retryAfterSeconds: 1 } };
  await expect(gateway.open(order('one'))).rejects.toMatchObject(refused);
  await expect(gateway.countTokens(order('one'))).rejects.toMatchObject(refused);
  await gateway.open(order('another'));
  const reading = collect(turn?.events);
  for (const process of engine.processes) process.end();
  await reading;
  expect(await gateway.countTokens(order('one'))).toMatchObject({ source: 'sdk' });
  expect(await gateway.countTokens(order('one'))).toMatchObject({ source: 'sdk' });
  gateway.endAll();
});

test('a process that waits longer than its limit leaves', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  try {
    const { engine } = await setUp({ idleMs: 20_000, heldMs: 40_000 });
    const held = await house.ask('call');
    await house.ask('hi');
    const states = () => engine.processes.map(({ state }) => state);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(states()).toEqual(['held', 'idle']);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(states()).toEqual(['held']);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(states()).toEqual([]);
    const back = house.ask(goOn(first('call'), held.data.content, resultsFor(held.data.content)));
    expect(await pathOf(back)).toBe('replay');
  } finally {
    vi.useRealTimers();
  }
});

test.each(['when spawned', 'before'] as const)(
  'a process that waits goes for a machine that bears no more, which is met %s',
  async (met) => {
    await setUp({ reuses: false });
    house.engine.faults.machine = { most: 2, met };
    for (const key of ['one', 'two', 'three']) expect((await house.ask('hi', { key })).response.status).toBe(200);
    expect(house.engine.processes).toHaveLength(2);
    house.engine.faults.machine = { most: 0, met };
    for (const key of ['four', 'five']) await failing(house.ask('hi', { key }));
    expect(await failing(house.ask('hi', { key: 'six' }))).toMatchObject({ status: 529 });
  },
);
