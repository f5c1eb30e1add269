import { expect, test } from 'vitest';
import { Gateway, type Order } from '../../src/gateway/gateway.ts';
import type { CountedPart } from '../../src/spec/counted-part.ts';
import type { MessagesRequest } from '../../src/spec/messages.ts';
import { ScriptedAnswers } from '../../test-engine/scripted-answers.ts';
import { TestEngine } from '../../test-engine/test-engine.ts';
import { assistant, collect, PATIENT, request, tool, user } from '../support/engine.ts';
import { until } from '../support/gateway.ts';
import { ROOMY } from '../support/gateway-in-process.ts';

/** How counts of tokens share processes, and let turns go first. */

/** A gateway whose engine writes down what each process was spawned for. */
function setUp(limits: Partial<typeof ROOMY> = {}) {
  /** A list of parts for each count, `turn` for each turn. */
  const spawns: Array<CountedPart['kind'][] | 'turn'> = [];
  const answers = new ScriptedAnswers([{ replies: [{ content: [{ type: 'text', text: 'done' }] }] }]);
  const engine = new TestEngine({ answer: answers.answer });
  const { countTokens, replay } = engine;
  engine.countTokens = (asked, parts, ...rest) => {
    spawns.push(Object.values(parts as Record<string, CountedPart>).map(({ kind }) => kind));
    return countTokens.call(engine, asked, parts, ...rest);
  };
  engine.replay = (...given) => {
    spawns.push('turn');
    return replay.apply(engine, given);
  };
  const gateway = new Gateway(engine, { ...ROOMY, spawnsAtATime: 1, ...limits });
  return { gateway, engine, spawns };
}

function order(given: MessagesRequest, id = 'one', signal = PATIENT): Order {
  return {
    request: given,
    caller: { id, name: id, limits: { turns: Number.POSITIVE_INFINITY } },
    signal,
    id: 'req_1',
    session: {},
    marks: { arrived: 0 },
    asReturned: ({ content }) => ({ role: 'assistant', content }),
  };
}

/** What holds the engine's counts until it is called. */
function held(engine: TestEngine): () => void {
  let letGo = () => {};
  engine.faults.count = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  return letGo;
}

const text = (words: string, rest: Partial<MessagesRequest> = {}) => request([user(words)], { system: '', ...rest });
const long = (words: string) => request([user(words), assistant('so'), user('more')], { system: '' });

test('turns go before the eighteen counts that came first', async () => {
  const { gateway, engine, spawns } = setUp();
  const letGo = held(engine);
  const counts = Array.from({ length: 18 }, (_, index) => gateway.countTokens(order(long(`count ${index}`))));
  await until('one counts', () => spawns.length === 1);
  const turns = [gateway.open(order(text('a turn'))), gateway.open(order(text('another')))];
  await until('they wait', () => gateway.status.processes.streaming === 0);
  letGo();
  for (const { source } of await Promise.all(counts)) expect(source).toBe('sdk');
  for (const turn of turns) await collect((await turn).events);
  expect(spawns.slice(0, 3)).toEqual([['messages'], 'turn', 'turn']);
  expect(spawns).toHaveLength(20);
  gateway.endAll();
});

test('turns get a place before counts that wait for one', async () => {
  const { gateway, engine, spawns } = setUp({ processes: 1, spawnsAtATime: 3 });
  const letGo = held(engine);
  const first = gateway.countTokens(order(text('first')));
  await until('one counts', () => spawns.length === 1);
  const second = gateway.countTokens(order(text('second'), 'another'));
  await until('the other waits', () => gateway.status.waiting === 1);
  const turn = gateway.open(order(text('a turn')));
  await until('the turn waits', () => gateway.status.waiting === 2);
  letGo();
  await collect((await turn).events);
  await Promise.all([first, second]);
  expect(spawns).toEqual([['text'], 'turn', ['text']]);
  gateway.endAll();
});

test('the counts of a caller that wait together share a process, each list of messages has its own', async () => {
  const { gateway, engine, spawns } = setUp();
  const letGo = held(engine);
  const first = gateway.countTokens(order(text('first')));
  await until('one counts', () => spawns.length === 1);
  const others = [
    text('second', { system: 'words', tools: [tool('read')] }),
    long('third'),
    long('fourth'),
    text('second', { tools: [tool('write')] }),
    text('words'),
  ].map((given) => gateway.countTokens(order(given)));
  others.push(gateway.countTokens(order(text('second'), 'another')));
  letGo();
  await Promise.all([first, ...others]);
  expect(spawns).toEqual([
    ['text'],
    ['system', 'text', 'tools'],
    ['text'],
    ['messages', 'tools', 'text'],
    ['messages'],
  ]);
  gateway.endAll();
});

test('a count whose parts are remembered starts no process, and is the sum of its parts', async () => {
  const { gateway, spawns } = setUp();
  const inputTokens = async (given: MessagesRequest, id?: string) =>
    (await gateway.countTokens(order(given, id))).inputTokens;
  const tools = [tool('read')];
  const alone = await inputTokens(text('hi'));
  const withSystem = await inputTokens(text('hi', { system: 'words' }));
  const withTools = await inputTokens(text('hi', { tools }));
  expect(spawns).toEqual([['text'], ['system'], ['tools']]);
  expect(await inputTokens(text('hi', { system: 'words', tools }))).toBe(withSystem + withTools - alone);
  expect(spawns).toHaveLength(3);
  expect(await inputTokens(text('hi'), 'another')).toBe(alone);
  await inputTokens(text('hi', { model: 'other' }));
  expect(spawns).toHaveLength(5);
  gateway.endAll();
});

test('what could not be counted is not remembered', async () => {
  const { gateway, engine, spawns } = setUp();
  engine.faults.count = 'fails';
  expect(await gateway.countTokens(order(text('hi')))).toMatchObject({ source: 'estimate' });
  delete engine.faults.count;
  expect(await gateway.countTokens(order(text('hi')))).toMatchObject({ source: 'sdk' });
  expect(spawns).toHaveLength(2);
  gateway.endAll();
});

test('what nobody asks for any more is not counted, and who comes later is', async () => {
  const { gateway, engine, spawns } = setUp();
  const letGo = held(engine);
  const first = new AbortController();
  const gone = { code: 'client_gone' };
  const leaves = gateway.countTokens(order(text('first'), 'one', first.signal)).catch((error) => error);
  await until('one counts', () => spawns.length === 1);
  const second = new AbortController();
  const alsoLeaves = gateway.countTokens(order(long('second'), 'one', second.signal)).catch((error) => error);
  const stays = gateway.countTokens(order(text('first')));
  second.abort();
  expect(await alsoLeaves).toMatchObject({ failure: gone });
  first.abort();
  expect(await leaves).toMatchObject({ failure: gone });
  letGo();
  expect(await stays).toMatchObject({ source: 'sdk' });
  expect(spawns).toEqual([['text']]);
  const third = new AbortController();
  held(engine);
  const alone = gateway.countTokens(order(text('third'), 'one', third.signal)).catch((error) => error);
  await until('it counts', () => spawns.length === 2);
  third.abort();
  expect(await alone).toMatchObject({ failure: gone });
  delete engine.faults.count;
  // It has another process, although the part is the same.
  expect(await gateway.countTokens(order(text('third')))).toMatchObject({ source: 'sdk' });
  expect(spawns).toHaveLength(3);
  gateway.endAll();
});

test('so many counts may wait, and no more', async () => {
  const { gateway, engine, spawns } = setUp({ queueLength: 2 });
  const letGo = held(engine);
  const counts = [0, 1, 2].map((index) => gateway.countTokens(order(long(`count ${index}`))));
  await until('one counts', () => spawns.length === 1);
  await expect(gateway.countTokens(order(long('one too many')))).rejects.toMatchObject({
    failure: { code: 'overloaded' },
  });
  letGo();
  await Promise.all(counts);
  gateway.endAll();
});
