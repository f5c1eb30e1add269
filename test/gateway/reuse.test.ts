import type { Anthropic } from '@anthropic-ai/sdk';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { NEW_PROCESS_BYTES } from '../../src/processes/budget.ts';
import type { Message } from '../../src/spec/messages.ts';
import { NEVER } from '../../test-engine/faults.ts';
import type { EngineReply } from '../../test-engine/reply.ts';
import { asTheModelSees } from '../support/as-the-model-sees.ts';
import { assistant, collect, PATIENT, request, user } from '../support/engine.ts';
import { until } from '../support/gateway.ts';
import {
  type AskOptions,
  goOn,
  InProcessGateway,
  type InProcessOptions,
  resultsFor,
} from '../support/gateway-in-process.ts';

/** A process takes another conversation of its caller, or an earlier point of its own. */

let house: InProcessGateway;
afterEach(() => house?.stop());

const TEXT = [{ type: 'text' as const, text: 'an answer' }];
const DONE: EngineReply = { content: TEXT };
const CALL: EngineReply = { content: [{ type: 'tool_use', name: 'read', input: {} }] };
const ONE_SHOT: AskOptions = { tools: [] };
const WRITE: Anthropic.Tool[] = [{ name: 'write', input_schema: { type: 'object' } }];

const say = (content: string): Anthropic.MessageParam[] => [{ role: 'user', content }];
const HI = say('hi');
/** A history that no process here has had. */
const elsewhere = (pairs: number): Anthropic.MessageParam[] => [
  ...Array.from({ length: pairs }, (_, pair): Anthropic.MessageParam[] => [
    { role: 'user', content: `question ${pair}` },
    { role: 'assistant', content: `answer ${pair}` },
  ]).flat(),
  { role: 'user', content: 'and now?' },
];

async function setUp(options: InProcessOptions = {}, replies: EngineReply[] = [DONE]) {
  house = await InProcessGateway.start([{ replies }], options);
  return house;
}

const seen = (messages: unknown) =>
  asTheModelSees(messages as Parameters<typeof asTheModelSees>[0], { withThinking: false });

/** Whatever the way, the model is called once, and sees what a new process would be given. */
async function asked(messages: Anthropic.MessageParam[], options: AskOptions = {}) {
  const before = house.calls.length;
  const lines = house.log.length;
  const { data, response } = await house.ask(messages, options);
  const [call, ...others] = house.calls.slice(before);
  expect(others).toEqual([]);
  expect(seen(call?.messages)).toEqual(seen(messages));
  expect(call).toMatchObject({
    model: options.model ?? 'claude-sonnet-5',
    system: options.system ?? '',
    tools: (options.tools ?? [{ name: 'read' }]).map(({ name }: { name?: string }) => ({ name })),
  });
  await until('it is logged', () => house.log.length > lines);
  return {
    content: data.content,
    path: response.headers.get('isthmus-path'),
    reason: response.headers.get('isthmus-replay-reason'),
    by: /process=(\w+)/.exec(house.log.at(-1) ?? '')?.[1],
    line: house.log.at(-1) ?? '',
    process: call?.process,
  };
}

describe('a first turn', () => {
  test('is taken by the process of a finished one-shot, again and again', async () => {
    await setUp();
    const first = await asked(HI, ONE_SHOT);
    expect(first).toMatchObject({ path: 'start', by: 'new' });
    for (const words of ['one', 'two', 'three']) {
      expect(await asked(say(words), ONE_SHOT)).toMatchObject({
        path: 'start',
        by: 'used',
        reason: null,
        process: first.process,
        line: expect.stringMatching(/ load=\d+ /),
      });
    }
    expect(house.gateway.status.reuse).toEqual({ state: 'on', loads: 3, failed: 0 });
  });

  test('goes on in it, with other tools, another model and its own parameters', async () => {
    await setUp();
    const first = await asked(HI, ONE_SHOT);
    const other = { tools: WRITE, model: 'claude-opus-5-5', stop_sequences: ['END'] };
    const second = await asked(say('ho'), other);
    expect(second).toMatchObject({ by: 'used', process: first.process });
    expect(house.calls.at(-1)?.parameters).toMatchObject({ stop_sequences: ['END'] });
    const next = goOn(say('ho'), second.content);
    expect(await asked(next, other)).toMatchObject({ path: 'continue', by: 'live', process: first.process });
    // The one-shot before is forgotten.
    expect(await asked(goOn(HI, first.content), ONE_SHOT)).toMatchObject({ path: 'replay', by: 'new' });
  });

  test('is taken by the one that has waited longest', async () => {
    let letGo = () => {};
    const goes = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await setUp({}, [{ ...DONE, pause: { after_events: 0, until: goes } }, DONE]);
    const slow = house.ask(HI, ONE_SHOT);
    await until('it is asked', () => house.calls.length === 1);
    await asked(say('quick'), ONE_SHOT);
    letGo();
    await slow;
    expect((await asked(say('next'), ONE_SHOT)).process).toBe(house.calls[1]?.process);
    expect((await asked(say('next but one'), ONE_SHOT)).process).toBe(house.calls[0]?.process);
  });

  test.each<[string, AskOptions, AskOptions]>([
    ['another caller', ONE_SHOT, { ...ONE_SHOT, key: 'another' }],
    ['another system prompt', ONE_SHOT, { ...ONE_SHOT, system: 'Be brief.' }],
    ['other betas', ONE_SHOT, { ...ONE_SHOT, headers: { 'anthropic-beta': 'structured-outputs-2025-11-13' } }],
    ['a conversation that may go on', {}, ONE_SHOT],
  ])('needs a process of its own beside one of %s', async (_what, first, second) => {
    await setUp();
    const before = await asked(HI, first);
    const after = await asked(say('ho'), second);
    expect(after).toMatchObject({ path: 'start', by: 'new' });
    expect((await asked(goOn(HI, before.content), first)).path).toBe('continue');
  });

  test('prefers a used process to a spare', async () => {
    const { engine } = await setUp({ spares: 1 });
    await until('a spare is ready', () => engine.spares.length === 1);
    expect(await asked(HI, ONE_SHOT)).toMatchObject({ path: 'start', by: 'spare' });
    await until('the next one is ready', () => engine.spares.length === 1);
    const [spare] = engine.spares;
    expect(await asked(say('ho'), ONE_SHOT)).toMatchObject({ by: 'used' });
    expect(engine.spares[0]).toBe(spare);
  });

  test('that no load carries needs a process of its own', async () => {
    await setUp();
    await asked(HI, ONE_SHOT);
    const source = { type: 'base64' as const, media_type: 'image/png' as const, data: 'AAAA' };
    expect(await asked([{ role: 'user', content: [{ type: 'image', source }] }], ONE_SHOT)).toMatchObject({
      path: 'start',
      by: 'new',
    });
  });
});

describe('an earlier point of a conversation', () => {
  const CHANGED = 'the history was changed behind what a live process holds';
  /** A conversation of three questions. */
  const three = async (options: AskOptions = {}) => {
    const first = await asked(HI, options);
    const second = goOn(HI, first.content, 'two');
    const third = goOn(second, (await asked(second, options)).content, 'three');
    const last = await asked(third, options);
    return { first, second, third, last };
  };

  test('an undo is a rewind, and goes on from there', async () => {
    await setUp();
    const { first } = await three();
    const undone = goOn(HI, first.content, 'something else');
    const other = await asked(undone);
    expect(other).toMatchObject({ path: 'rewind', by: 'live', reason: CHANGED, process: first.process });
    expect(await asked(goOn(undone, other.content))).toMatchObject({ path: 'continue', process: first.process });
    expect(house.engine.processes).toHaveLength(1);
  });

  test.each<[string, (made: Awaited<ReturnType<typeof three>>) => Anthropic.MessageParam[]]>([
    ['the newest question again', ({ third }) => third],
    ['an edited answer', () => [...HI, { role: 'assistant', content: 'edited' }, { role: 'user', content: 'more' }]],
    ['an undo of two questions', ({ second }) => second],
  ])('%s is a rewind', async (_what, messages) => {
    await setUp();
    const made = await three();
    expect(await asked(messages(made))).toMatchObject({ path: 'rewind', process: made.first.process });
  });

  test('the first question again is a start on the same process', async () => {
    await setUp();
    const first = await asked(HI);
    expect(await asked(HI)).toMatchObject({ path: 'start', by: 'used', process: first.process });
  });

  test('the first question again is another conversation if the first has gone on', async () => {
    await setUp();
    const { third, last } = await three();
    expect(await asked(HI)).toMatchObject({ path: 'start', by: 'new' });
    expect((await asked(goOn(third, last.content))).path).toBe('continue');
  });

  test.each(['is at work', 'has gone far'])('a conversation that %s on its calls is not given up', async (how) => {
    await setUp({}, [CALL, CALL, CALL, DONE]);
    let messages = HI;
    let answer = await asked(messages);
    const { process } = answer;
    const results = () => goOn(messages, answer.content, resultsFor(answer.content));
    if (how === 'has gone far') {
      for (let turn = 0; turn < 2; turn += 1) {
        messages = results();
        answer = await asked(messages);
      }
    }
    const sibling: Anthropic.MessageParam[] = [
      ...HI,
      { role: 'assistant', content: 'no' },
      { role: 'user', content: 'so' },
    ];
    const next = await asked(how === 'is at work' ? HI : sibling);
    expect(next).toMatchObject({ by: 'new' });
    expect(await asked(results())).toMatchObject({ path: 'continue', process });
  });

  test('a conversation whose tools have changed goes on in its process', async () => {
    await setUp();
    const { first, third, last } = await three();
    const next = goOn(third, last.content);
    expect(await asked(next, { tools: WRITE })).toMatchObject({
      path: 'rewind',
      by: 'live',
      reason: 'the tools have changed',
      process: first.process,
    });
  });

  test('a process that holds calls is rewound, too', async () => {
    await setUp({}, [CALL, DONE]);
    const first = await asked(HI);
    const [process] = house.engine.processes;
    expect(process?.state).toBe('held');
    const edited: Anthropic.MessageParam[] = [
      ...HI,
      { role: 'assistant', content: 'no' },
      { role: 'user', content: 'so' },
    ];
    expect(await asked(edited)).toMatchObject({ path: 'rewind', process: first.process });
    const results = goOn(HI, first.content, resultsFor(first.content));
    expect(await asked(results)).toMatchObject({ path: 'rewind', process: first.process });
  });

  test('a fork takes the process, and the older branch comes back by a rewind', async () => {
    await setUp();
    const { first, third, last } = await three();
    const fork = goOn(HI, first.content, 'another way');
    await asked(fork);
    expect(await asked(goOn(third, last.content))).toMatchObject({ path: 'rewind', process: first.process });
    expect(house.engine.processes).toHaveLength(1);
  });

  test('the process that holds the most is rewound', async () => {
    await setUp();
    const { second, third, last } = await three();
    const held = house.calls.at(-1)?.process;
    await asked(goOn(say('other'), TEXT as Anthropic.ContentBlock[]));
    const end = goOn(third, last.content, 'four');
    const four = await asked(end);
    expect(await asked(goOn(second, TEXT as Anthropic.ContentBlock[], 'else'))).toMatchObject({ process: held });
    expect(four.process).toBe(held);
  });

  test('of another caller is never touched', async () => {
    await setUp();
    const { first, third, last } = await three();
    expect(await asked(goOn(HI, first.content, 'else'), { key: 'another' })).toMatchObject({
      path: 'replay',
      by: 'new',
    });
    expect((await asked(goOn(third, last.content))).path).toBe('continue');
  });

  test('what a live process no longer carries is not rewound', async () => {
    const { engine } = await setUp();
    const { first } = await three();
    engine.faults.staleness = 'the date is about to change';
    expect(await asked(goOn(HI, first.content, 'else'))).toMatchObject({ path: 'replay', by: 'new' });
  });
});

describe('a process whose conversation goes on in another one', () => {
  const BETAS: AskOptions = { headers: { 'anthropic-beta': 'structured-outputs-2025-11-13' } };

  test('takes another conversation', async () => {
    await setUp();
    const first = await asked(HI);
    const next = goOn(HI, first.content);
    const moved = await asked(next, BETAS);
    expect(moved).toMatchObject({ path: 'replay', by: 'new', reason: 'the betas have changed' });
    expect(await asked(say('ho'), ONE_SHOT)).toMatchObject({ path: 'start', by: 'used', process: first.process });
    expect(moved.process).not.toBe(first.process);
    // What it held is forgotten.
    expect(await asked(next)).toMatchObject({ path: 'replay' });
  });

  test('ends if one like it waits already', async () => {
    const { engine } = await setUp();
    const source = { type: 'base64' as const, media_type: 'image/png' as const, data: 'AAAA' };
    const image: Anthropic.MessageParam = { role: 'user', content: [{ type: 'image', source }] };
    let messages = HI;
    for (let turn = 0; turn < 3; turn += 1) {
      messages = goOn(messages, (await asked(messages)).content, image);
      // The one that has the conversation, and one that waits.
      expect(engine.processes).toHaveLength(Math.min(turn + 1, 2));
    }
  });

  test.each<[string, InProcessOptions, EngineReply]>([
    ['if it holds calls', {}, CALL],
    ['where nothing is used again', { reuses: false }, DONE],
  ])('ends %s', async (_when, options, reply) => {
    const { engine } = await setUp(options, [reply, DONE]);
    const first = await asked(HI);
    const next = goOn(HI, first.content, reply === CALL ? resultsFor(first.content) : 'more');
    await asked(next, BETAS);
    expect(engine.processes).toHaveLength(1);
  });

  test('ends if it may take nothing more', async () => {
    const { engine } = await setUp();
    const first = await asked(HI);
    engine.faults.staleness = 'the date is about to change';
    expect(await asked(goOn(HI, first.content))).toMatchObject({ path: 'replay', by: 'new' });
    expect(engine.processes).toHaveLength(1);
  });
});

describe('a history that no process holds', () => {
  test('is loaded into a finished one-shot', async () => {
    await setUp();
    const first = await asked(HI, ONE_SHOT);
    const back = await asked(elsewhere(3));
    expect(back).toMatchObject({
      path: 'replay',
      by: 'used',
      reason: 'no live process holds this history',
      process: first.process,
    });
    expect((await asked(goOn(elsewhere(3), back.content))).path).toBe('continue');
  });

  test('is loaded into a spare', async () => {
    const { engine } = await setUp({ spares: 1 });
    await until('a spare is ready', () => engine.spares.length === 1);
    expect(await asked(elsewhere(3))).toMatchObject({ path: 'replay', by: 'spare' });
  });

  test('is replayed by a new process if it is long', async () => {
    const { engine } = await setUp({ spares: 1 });
    await until('a spare is ready', () => engine.spares.length === 1);
    await asked(HI, ONE_SHOT);
    await until('another is ready', () => engine.spares.length === 1);
    expect(await asked(elsewhere(200))).toMatchObject({ path: 'replay', by: 'new' });
    expect(engine.spares).toHaveLength(1);
    expect(house.gateway.status.reuse.loads).toBe(0);
  });

  test('is replayed by a new process if it holds an image', async () => {
    await setUp();
    await asked(HI, ONE_SHOT);
    const source = { type: 'base64' as const, media_type: 'image/png' as const, data: 'AAAA' };
    const shown: Anthropic.MessageParam[] = [{ role: 'user', content: [{ type: 'image', source }] }];
    expect(await asked(goOn(shown, TEXT as Anthropic.ContentBlock[]))).toMatchObject({ path: 'replay', by: 'new' });
  });
});

describe('without room', () => {
  test('a conversation that waits is used instead of evicted', async () => {
    await setUp({ processes: 1 });
    const first = await asked(HI);
    const second = await asked(say('ho'));
    expect(second).toMatchObject({ path: 'start', by: 'used', process: first.process });
    expect(await asked(elsewhere(2))).toMatchObject({ path: 'replay', by: 'used', process: first.process });
  });

  test('what is worth more than another that waits is left alone', async () => {
    await setUp({ processes: 2 });
    const first = await asked(HI);
    const next = goOn(HI, first.content);
    const second = await asked(next);
    await asked(say('a title'), { ...ONE_SHOT, key: 'another' });
    expect(await asked(say('ho'))).toMatchObject({ path: 'start', by: 'new' });
    expect(await asked(goOn(next, second.content))).toMatchObject({ path: 'continue', process: first.process });
  });

  test('who waits gets the process that has answered, and nothing is spawned', async () => {
    let letGo = () => {};
    const goes = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await setUp({ processes: 1 }, [{ ...DONE, pause: { after_events: 0, until: goes } }, DONE]);
    const asking = [house.ask(HI, ONE_SHOT)];
    await until('it is asked', () => house.calls.length === 1);
    asking.push(house.ask(say('two'), ONE_SHOT), house.ask(say('three'), ONE_SHOT));
    await until('they wait', () => house.gateway.status.waiting === 2);
    letGo();
    await Promise.all(asking);
    expect(new Set(house.calls.map(({ process }) => process)).size).toBe(1);
    expect(house.calls.map(({ messages }) => messages.length)).toEqual([1, 1, 1]);
  });

  test('who waits at the gate does so, too', async () => {
    let letGo = () => {};
    const goes = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const { engine, gateway } = await setUp({ spawnsAtATime: 1 }, [
      { ...DONE, pause: { after_events: 0, until: goes } },
      DONE,
    ]);
    const asking = [house.ask(HI, ONE_SHOT)];
    await until('it is asked', () => house.calls.length === 1);
    engine.faults.spawn = NEVER;
    const stuck = house.ask(say('stuck'), { ...ONE_SHOT, key: 'another' }).catch(() => undefined);
    await until('it is spawned', () => engine.processes.length === 2);
    asking.push(house.ask(say('two'), ONE_SHOT));
    await until('it has its place', () => gateway.status.memoryBytes === 3 * NEW_PROCESS_BYTES);
    letGo();
    await Promise.all(asking);
    expect(house.calls.map(({ process }) => process)).toEqual(Array(2).fill(house.calls[0]?.process));
    engine.endAll();
    await stuck;
  });
});

test('a finished one-shot that nobody has used for some seconds goes before a spare', async () => {
  vi.useFakeTimers({ toFake: ['performance'], now: performance.now() });
  try {
    const { engine } = await setUp({ processes: 2, spares: 1 });
    await until('a spare is ready', () => engine.spares.length === 1);
    await asked(HI, ONE_SHOT);
    const [oneShot] = engine.processes;
    await until('the next is ready', () => engine.spares.length === 1);
    const [spare] = engine.spares;
    vi.advanceTimersByTime(5_001);
    // Neither carries this one.
    const source = { type: 'base64' as const, media_type: 'image/png' as const, data: 'AAAA' };
    await asked([{ role: 'user', content: [{ type: 'image', source }] }]);
    expect(oneShot?.state).toBe('ended');
    expect(engine.spares[0]).toBe(spare);
  } finally {
    vi.useRealTimers();
  }
});

describe('a load that fails', () => {
  test.each<[string, Anthropic.MessageParam[], string]>([
    ['of a first turn', say('ho'), 'start'],
    ['of a history', elsewhere(2), 'replay'],
    ['of an undo', [...HI, { role: 'assistant', content: 'edited' }, { role: 'user', content: 'more' }], 'replay'],
  ])('%s ends the process, and a new one takes the turn', async (_what, messages, path) => {
    const { engine } = await setUp();
    const first = await asked(HI, ONE_SHOT);
    engine.faults.load = 'fails';
    const second = await asked(messages, ONE_SHOT);
    expect(second).toMatchObject({ path, by: 'new' });
    expect(second.line).toContain('reason="a process that was used before did not take it"');
    expect(second.process).not.toBe(first.process);
    expect(engine.processes).toHaveLength(1);
    expect(house.gateway.status.reuse).toEqual({ state: 'on', loads: 1, failed: 1 });
  });

  test('without room, too', async () => {
    const { engine } = await setUp({ processes: 1 });
    await asked(HI);
    engine.faults.load = 'fails';
    expect(await asked(say('ho'))).toMatchObject({ path: 'start', by: 'new' });
    expect(engine.processes).toHaveLength(1);
  });

  test('since its client leaves, ends the process, and the model is not called', async () => {
    const { engine } = await setUp();
    await asked(HI, ONE_SHOT);
    engine.faults.load = NEVER;
    const leaving = new AbortController();
    const left = house.ask(say('gone'), { ...ONE_SHOT, signal: leaving.signal }).catch(() => undefined);
    await until('it is loaded', () => house.gateway.status.processes.streaming === 1);
    leaving.abort();
    await left;
    await until('it is gone', () => engine.processes.length === 0);
    expect(house.calls).toHaveLength(1);
    expect(house.gateway.status.reuse).toMatchObject({ loads: 1, failed: 0 });
  });

  test('by a kill ends it, and a new one takes the turn', async () => {
    const { engine } = await setUp();
    await asked(HI, ONE_SHOT);
    const [process] = engine.processes;
    engine.faults.load = Promise.resolve().then(() => process?.lose());
    expect(await asked(say('ho'), ONE_SHOT)).toMatchObject({ by: 'new' });
  });
});

describe('two at one time', () => {
  test('that want one process: the first takes it', async () => {
    const { engine } = await setUp();
    const first = await asked(HI, ONE_SHOT);
    let load = () => {};
    engine.faults.load = new Promise<void>((resolve) => {
      load = resolve;
    });
    const asking = [house.ask(say('one'), ONE_SHOT), house.ask(say('two'), ONE_SHOT)];
    await until('one has another process', () => house.calls.length === 2);
    load();
    await Promise.all(asking);
    expect(house.calls.filter(({ process }) => process === first.process)).toHaveLength(2);
    expect(new Set(house.calls.map(({ process }) => process)).size).toBe(2);
    expect(house.calls.map(({ messages }) => messages.length)).toEqual([1, 1, 1]);
  });

  test('that go back to one point: the first takes it', async () => {
    const { engine } = await setUp();
    const first = await asked(HI);
    await asked(goOn(HI, first.content));
    let load = () => {};
    engine.faults.load = new Promise<void>((resolve) => {
      load = resolve;
    });
    const asking = ['one', 'two'].map((words) => house.ask(goOn(HI, first.content, words)));
    await until('one has another process', () => house.calls.length === 3);
    load();
    const paths = (await Promise.all(asking)).map(({ response }) => response.headers.get('isthmus-path'));
    expect(paths.sort()).toEqual(['replay', 'rewind']);
  });

  test('of which one goes on with what the other has taken: it is replayed, and harms nobody', async () => {
    let letGo = () => {};
    const goes = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await setUp({}, [DONE, { ...DONE, pause: { after_events: 0, until: goes } }, DONE]);
    const first = await asked(HI, ONE_SHOT);
    const other = house.ask(say('ho'), ONE_SHOT);
    await until('it has the process', () => house.calls.length === 2);
    expect(await asked(goOn(HI, first.content), ONE_SHOT)).toMatchObject({ path: 'replay', by: 'new' });
    letGo();
    expect((await other).data.content).toMatchObject(TEXT);
  });

  test('a turn whose end is not read yet has no hold on the process that another has taken', async () => {
    let letGo = () => {};
    const goes = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const { gateway, engine, calls } = await setUp({}, [
      DONE,
      { ...DONE, pause: { after_events: 0, until: goes } },
      DONE,
    ]);
    const open = (messages: Message[], signal = PATIENT) =>
      gateway.open({
        request: request(messages),
        caller: { id: 'c', name: 'c', limits: { turns: 9 } },
        signal,
        id: 'req_1',
        session: {},
        marks: { arrived: 0 },
        asReturned: ({ content }) => ({ role: 'assistant', content }),
      });
    const leaving = new AbortController();
    const first = await open([user('hi')], leaving.signal);
    await until('it waits', () => engine.processes[0]?.state === 'idle');
    const second = await open([user('ho')]);
    expect(second.way).toEqual({ path: 'start', by: 'used' });
    leaving.abort();
    await collect(first.events);
    const reading = collect(second.events);
    letGo();
    expect((await reading).at(-1)?.type).toBe('message_stop');
    const [answer] = [assistant('an answer')];
    // What the first turn would have left is not taken for what the process holds.
    expect((await open([user('ho'), answer, user('more')])).way.path).toBe('continue');
    expect((await open([user('hi'), answer, user('more')])).way.path).toBe('replay');
    expect(calls.map(({ process }) => process === calls[0]?.process)).toEqual([true, true, true, false]);
  });
});

describe('a process is not used again', () => {
  test('after 200 loads', async () => {
    await setUp();
    const first = await asked(HI, ONE_SHOT);
    const process = house.engine.processes[0];
    if (process) process.loads = 199;
    expect((await asked(say('the 200th'), ONE_SHOT)).process).toBe(first.process);
    expect(await asked(say('one more'), ONE_SHOT)).toMatchObject({ by: 'new' });
  });

  test.each<[string, AskOptions, string]>([
    ['a finished one-shot ends', ONE_SHOT, 'ended'],
    ['a conversation that may go on waits', {}, 'idle'],
  ])('after 200 loads, and %s', async (_what, options, state) => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      await setUp();
      await asked(HI, options);
      const [process] = house.engine.processes;
      const ago = performance.now() - 5_001;
      if (process) Object.assign(process, { loads: 199, changedAt: ago });
      await vi.advanceTimersByTimeAsync(5_000);
      expect(process?.state).toBe('idle');
      if (process) process.loads = 200;
      await vi.advanceTimersByTimeAsync(5_000);
      expect(process?.state).toBe(state);
    } finally {
      vi.useRealTimers();
    }
  });

  test('when its memory has grown by a third', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      await setUp();
      const first = await asked(HI, ONE_SHOT);
      const [process] = house.engine.processes;
      const measures = [300, 400, 401];
      if (process) process.measureMemory = async () => measures.shift() as unknown as undefined;
      for (const expected of [first.process, first.process]) {
        await vi.advanceTimersByTimeAsync(5_000);
        expect((await asked(say('again'), ONE_SHOT)).process).toBe(expected);
      }
      await vi.advanceTimersByTimeAsync(5_000);
      expect(await asked(say('and again'), ONE_SHOT)).toMatchObject({ by: 'new' });
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('nothing is used again', () => {
  test.each<[string, InProcessOptions, string]>([
    ['by the operator', { reuses: false }, 'off'],
    ['where the engine does not', { faults: { reuse: 'off' } }, 'unsupported'],
  ])('%s', async (_who, options, state) => {
    await setUp({ ...options, spares: 1 });
    await until('a spare is ready', () => house.engine.spares.length === 1);
    const reuseKey = vi.spyOn(house.engine, 'reuseKey');
    const first = await asked(HI, ONE_SHOT);
    expect(first).toMatchObject({ path: 'start', by: 'spare' });
    house.engine.faults.spawnSpare = 'fails';
    await until('another is ready', () => house.engine.spares.length === 1);
    const edited: Anthropic.MessageParam[] = [
      ...HI,
      { role: 'assistant', content: 'no' },
      { role: 'user', content: 'so' },
    ];
    expect(await asked(edited, ONE_SHOT)).toMatchObject({ path: 'replay', by: 'new' });
    expect(await asked(goOn(HI, first.content), { tools: WRITE })).toMatchObject({ path: 'replay', by: 'new' });
    expect(await asked(say('ho'), ONE_SHOT)).toMatchObject({ path: 'start', by: 'spare' });
    expect(house.gateway.status.reuse).toEqual({ state, loads: 0, failed: 0 });
    const health = (await (await fetch(`${house.url}/health`)).json()) as { reuse: object };
    expect(health.reuse).toEqual({ state, loads: 0, failed: 0 });
    // The test engine itself asks for the key of each new process.
    if (state === 'off') expect(reuseKey.mock.calls.length).toBe(house.calls.length);
  });
});
