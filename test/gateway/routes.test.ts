import type { Anthropic } from '@anthropic-ai/sdk';
import { afterEach, describe, expect, test } from 'vitest';
import { NEW_PROCESS_BYTES } from '../../src/processes/budget.ts';
import { failure } from '../../src/spec/failures.ts';
import type { EngineReply } from '../../test-engine/reply.ts';
import { asTheModelSees } from '../support/as-the-model-sees.ts';
import { until } from '../support/gateway.ts';
import {
  type AskOptions,
  goOn,
  InProcessGateway,
  type InProcessOptions,
  resultsFor,
} from '../support/gateway-in-process.ts';

/** Continue, start or replay: which way a request takes, and what the model then sees. For the other ways see `reuse.test.ts`. */

let house: InProcessGateway;
afterEach(() => house?.stop());

const CALL: EngineReply = {
  content: [
    { type: 'tool_use', name: 'read', input: { path: 'a' } },
    { type: 'tool_use', name: 'read', input: { path: 'b' } },
  ],
};
const DONE: EngineReply = { content: [{ type: 'text', text: 'done' }] };
const HI: Anthropic.MessageParam[] = [{ role: 'user', content: 'hi' }];

async function setUp(replies: EngineReply[] = [], options: InProcessOptions = {}) {
  house = await InProcessGateway.start(replies.length > 0 ? [{ replies }] : [], options);
  return house;
}

/** Whatever the way, the model sees the request's messages. */
async function asked(messages: Anthropic.MessageParam[], options: AskOptions = {}) {
  const before = house.calls.length;
  const { data, response } = await house.ask(messages, options);
  expect(house.calls).toHaveLength(before + 1);
  const seen = house.calls.at(-1)?.messages ?? [];
  expect(asTheModelSees(seen, { withThinking: false })).toEqual(
    asTheModelSees(messages as Parameters<typeof asTheModelSees>[0], { withThinking: false }),
  );
  return {
    content: data.content,
    path: response.headers.get('isthmus-path'),
    reason: response.headers.get('isthmus-replay-reason'),
  };
}

test('a conversation is started, then continued in its process', async () => {
  await setUp();
  const first = await asked(HI);
  expect(first).toMatchObject({ path: 'start', reason: null });
  const next = goOn(HI, first.content);
  const second = await asked(next);
  expect(second).toMatchObject({ path: 'continue', reason: null });
  expect((await asked(goOn(next, second.content))).path).toBe('continue');
  expect(house.calls.map(({ turn }) => turn)).toEqual([1, 2, 3]);
  expect(new Set(house.calls.map(({ process }) => process)).size).toBe(1);
});

test('all turns of a conversation are logged as its, whatever way they go', async () => {
  await setUp();
  const first = await asked(HI);
  const next = goOn(HI, first.content);
  for (const path of ['continue', 'rewind']) expect((await asked(next)).path).toBe(path);
  await asked([{ role: 'user', content: 'another' }]);
  await until('all are logged', () => house.log.length === 4);
  const [one, ...others] = house.log.map((line) => / conversation=([\w-]{12}) /.exec(line)?.[1]);
  expect(one).toBeDefined();
  expect(others.map((other) => other === one)).toEqual([true, true, false]);
});

test('results go on with the turn that holds their calls', async () => {
  await setUp([CALL, CALL, DONE]);
  const first = await asked(HI);
  const next = goOn(HI, first.content, resultsFor(first.content));
  const second = await asked(next);
  expect(second.path).toBe('continue');
  expect((await asked(goOn(next, second.content, resultsFor(second.content)))).path).toBe('continue');
  expect(house.engine.processes).toHaveLength(1);
});

test('a first message takes a spare, and the next spare is started', async () => {
  await setUp([], { spares: 1 });
  await until('a spare is ready', () => house.engine.spares.length === 1);
  const [spare] = house.engine.spares;
  expect((await asked(HI)).path).toBe('start');
  await until('the next one is ready', () => house.engine.spares.length === 1);
  expect(house.engine.spares[0]).not.toBe(spare);
  expect(house.engine.processes).toHaveLength(1);
});

test('a first message that no live process carries is a start without a spare', async () => {
  await setUp([], { spares: 1 });
  await until('a spare is ready', () => house.engine.spares.length === 1);
  const [spare] = house.engine.spares;
  const source = { type: 'base64' as const, media_type: 'image/png' as const, data: 'AAAA' };
  expect((await asked([{ role: 'user', content: [{ type: 'image', source }] }])).path).toBe('start');
  expect(house.engine.spares[0]).toBe(spare);
});

test.each(['fails', 'is refused'])('a start does without its spare when the claim %s', async (how) => {
  await setUp([], { spares: 1 });
  await until('a spare is ready', () => house.engine.spares.length === 1);
  if (how === 'is refused') house.engine.faults.claim = 'fails';
  else house.engine.faults.claim = Promise.resolve().then(() => house.engine.spares[0]?.end());
  expect((await asked(HI)).path).toBe('start');
});

test('a gateway whose spares do not start answers without them', async () => {
  await setUp([], { spares: 2, faults: { spawnSpare: 'fails' } });
  const first = await asked(HI);
  expect(first.path).toBe('start');
  expect((await asked(goOn(HI, first.content))).path).toBe('continue');
});

test('a spare that is still being spawned is counted as spawning, as its memory is', async () => {
  let comeUp = () => {};
  const isUp = new Promise<void>((resolve) => {
    comeUp = resolve;
  });
  const { gateway } = await setUp([], { spares: 1, faults: { spawnSpare: isUp } });
  const { processes, memoryBytes } = gateway.status;
  comeUp();
  expect(processes).toEqual({ streaming: 0, held: 0, idle: 0, spare: 0, spawning: 1 });
  expect(memoryBytes).toBe(NEW_PROCESS_BYTES);
  await until('it is ready', () => gateway.status.processes.spare === 1);
  expect(gateway.status.processes.spawning).toBe(0);
});

describe('a replay says why', () => {
  const image = {
    type: 'image' as const,
    source: { type: 'base64' as const, media_type: 'image/png' as const, data: 'AA' },
  };
  type Content = Anthropic.ContentBlockParam[];
  /** The results of two calls, of which the first one is told. */
  const first =
    (result: Partial<Anthropic.ToolResultBlockParam>) =>
    ([a, b]: string[]): Content => [
      { type: 'tool_result', tool_use_id: a ?? '', ...result },
      { type: 'tool_result', tool_use_id: b ?? '', content: 'r' },
    ];
  const text = (words: string) => ({ type: 'text' as const, text: words });
  const error = (content: string | Anthropic.TextBlockParam[]) => first({ is_error: true, content });

  test.each<[string, (ids: string[]) => Content]>([
    ['content beside the tool results', (ids) => [...first({ content: 'r' })(ids), text('and this')]],
    ['tool results in another order than the calls', (ids) => first({ content: 'r' })(ids.toReversed())],
    ['empty tool result', first({})],
    ['tool result with something else than text', first({ content: [image] })],
    ['tool result with blank text', first({ content: ' \n' })],
    ['error result of several blocks', error([text('one'), text('two')])],
    ['error result with white space at its ends', error('no \n')],
    ['long error result', error('x'.repeat(9_001))],
  ])('of results that a held call would alter, as a rewind does: %s', async (reason, content) => {
    await setUp([CALL, DONE]);
    const { content: calls } = await asked(HI);
    const ids = calls.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
    const [live] = house.engine.processes;
    const next = await asked(goOn(HI, calls, { role: 'user', content: content(ids) }));
    expect(next).toMatchObject({ path: 'rewind', reason });
    expect(house.engine.processes).toEqual([live]);
  });

  test('of results that a rewind would alter as well', async () => {
    await setUp([CALL, DONE]);
    const { content: calls } = await asked(HI);
    const ids = calls.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []));
    const [superseded] = house.engine.processes;
    const long = first({ content: 'x'.repeat(400_001) })(ids);
    const next = await asked(goOn(HI, calls, { role: 'user', content: long }));
    expect(next).toMatchObject({ path: 'replay', reason: 'long tool result' });
    expect(superseded?.state).toBe('ended');
    expect(house.engine.processes).toHaveLength(1);
  });

  test.each<[string, AskOptions, Content]>([
    ['user turn with something else than text', {}, [image]],
    ['the betas have changed', { headers: { 'anthropic-beta': 'structured-outputs-2025-11-13' } }, []],
  ])('of a next turn: %s', async (reason, options, extra) => {
    await setUp();
    const { content } = await asked(HI);
    const [superseded] = house.engine.processes;
    const next = goOn(HI, content, { role: 'user', content: [text('more'), ...extra] });
    expect(await asked(next, options)).toMatchObject({ path: 'replay', reason });
    // It waits for another conversation.
    expect(superseded?.state).toBe('idle');
    expect(house.engine.processes).toHaveLength(2);
  });

  test.each<[string, (content: Anthropic.ContentBlock[]) => Anthropic.MessageParam[], AskOptions]>([
    ['an edited question', (content) => goOn([{ role: 'user', content: 'ho' }], content), {}],
    ['another system prompt', (content) => goOn(HI, content), { system: 'Be brief.' }],
    ['another model', (content) => goOn(HI, content), { model: 'claude-opus-5-5' }],
    ['another caller', (content) => goOn(HI, content), { key: 'another' }],
  ])('of %s: no live process holds this history', async (_what, messages, options) => {
    await setUp();
    const { content } = await asked(HI);
    const [live] = house.engine.processes;
    const reason = 'no live process holds this history';
    expect(await asked(messages(content), options)).toMatchObject({ path: 'replay', reason });
    expect(live?.state).toBe('idle');
    expect((await asked(goOn(HI, content))).path).toBe('continue');
  });

  const DAY_ENDS = 'the date is about to change';
  test.each([
    ['idle', DAY_ENDS],
    ['held', DAY_ENDS],
    ['idle', 'the sign-in has changed'],
    ['held', 'the sign-in has changed'],
  ])('of a process that is %s and would not stay silent: %s', async (state, reason) => {
    await setUp([state === 'held' ? CALL : DONE, DONE]);
    const { content } = await asked(HI);
    const [superseded] = house.engine.processes;
    expect(superseded?.state).toBe(state);
    house.engine.faults.staleness = reason;
    const next = goOn(HI, content, state === 'held' ? resultsFor(content) : 'more');
    expect(await asked(next)).toMatchObject({ path: 'replay', reason });
    expect(superseded?.state).toBe('ended');
    expect(house.engine.processes).toHaveLength(1);
  });

  test('of a process whose day comes to its end in mid-turn, which it answers whole', async () => {
    let letGo = () => {};
    const goes = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await setUp([{ ...DONE, pause: { after_events: 1, until: goes } }, DONE]);
    const asking = house.ask(HI);
    await until('it is asked', () => house.calls.length === 1);
    house.engine.faults.staleness = DAY_ENDS;
    letGo();
    const { data } = await asking;
    expect(data.content).toMatchObject(DONE.content ?? []);
    expect(await asked(goOn(HI, data.content))).toMatchObject({ path: 'replay', reason: DAY_ENDS });
  });

  test('of a process that is lost while it waits', async () => {
    await setUp();
    const { content } = await asked(HI);
    for (const process of house.engine.processes) process.lose();
    expect(await asked(goOn(HI, content))).toMatchObject({ reason: 'no live process holds this history' });
  });

  test('of a process that is lost as it takes the turn', async () => {
    await setUp();
    const { content } = await asked(HI);
    house.engine.faults.continue = 'fails';
    expect(await asked(goOn(HI, content))).toMatchObject({ path: 'replay', reason: 'the live process was lost' });
    expect(house.engine.processes).toHaveLength(1);
  });
});

test('an answer after which Claude Code would go on by itself is continued by a replay', async () => {
  await setUp([{ content: [{ type: 'text', text: 'cut' }], stop_reason: 'max_tokens' }]);
  const { content } = await asked(HI);
  expect(house.engine.processes).toEqual([]);
  expect((await asked(goOn(HI, content))).path).toBe('replay');
});

test('an assistant’s words that the client began are answered by a process of their own', async () => {
  await setUp();
  const begun: Anthropic.MessageParam[] = [...HI, { role: 'assistant', content: 'I say' }];
  expect((await asked(begun)).path).toBe('replay');
  expect(house.engine.processes).toEqual([]);
});

test('two requests from one point are both answered, one live and one by replay', async () => {
  let letGo = () => {};
  const goes = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await setUp([DONE, { ...DONE, pause: { after_events: 0, until: goes } }]);
  const { data } = await house.ask(HI);
  const asking = [house.ask(goOn(HI, data.content)), house.ask(goOn(HI, data.content))];
  await until('both are asked', () => house.calls.length === 3);
  letGo();
  const turns = await Promise.all(asking);
  expect(turns.map(({ response }) => response.headers.get('isthmus-path')).sort()).toEqual(['continue', 'replay']);
  expect(house.calls).toHaveLength(3);
});

test('a process that begins without the client’s tools is replaced unnoticed, once', async () => {
  const missing: EngineReply = {
    fail: { after_events: 0, failure: failure('process_tools_missing', { names: ['read'] }) },
  };
  await setUp([missing, { content: [{ type: 'text', text: 'here' }] }, missing]);
  const { data } = await house.ask(HI);
  expect(data.content).toMatchObject([{ text: 'here' }]);
  await expect(house.ask('another')).rejects.toMatchObject({
    status: 400,
    error: { error: { details: { error_code: 'process_tools_missing' } } },
  });
  expect(house.engine.processes).toHaveLength(1);
});
