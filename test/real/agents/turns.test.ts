import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Reply, ScriptedBlock } from '../../../scripted-model/script.ts';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import type { AgentLevel, Expansion } from '../../../src/spec/agent.ts';
import type { Message, MessagesRequest } from '../../../src/spec/messages.ts';
import type { TurnEvent } from '../../../src/spec/turn-events.ts';
import { agentIn, answering, calling, makeWorkspace, saying } from '../../support/agents.ts';
import {
  assistant,
  collect,
  type EngineFixture,
  NO_LISTENER,
  PATIENT,
  request,
  startEngine,
  user,
} from '../../support/engine.ts';
import { NO_SANDBOX, SANDBOXED } from '../../support/sandbox.ts';
import { testParts } from '../../support/test-parts.ts';

/** Turns of an agent over the real SDK, without a gateway around the engine. */

const workspace = makeWorkspace({ 'a.txt': 'hello from a\n' });
const LEVELS: AgentLevel[] = ['read', 'edit', 'shell'];
let model: ScriptedModel;
let fixture: EngineFixture;

beforeAll(async () => {
  model = await startScriptedModel();
  fixture = startEngine(model.url, {}, [
    agentIn(workspace),
    agentIn(workspace, { name: 'brief', maxTurns: 2 }),
    agentIn(workspace, { name: 'cheap', maxBudgetUsd: 0.000_001 }),
    agentIn(workspace, { name: 'hasty', maxSeconds: 8 }),
    agentIn(workspace, { name: 'shown', showSteps: true }),
    agentIn(workspace, { name: 'clerk', system: 'You are a clerk.' }),
    agentIn(workspace, { name: 'preset', system: 'You are a clerk.', usesPreset: true }),
    agentIn(workspace, { name: 'instant', maxSeconds: 1 }),
    ...LEVELS.map((level) => agentIn(workspace, { name: level, level })),
  ]);
});
beforeEach(() => model.restart([]));
afterAll(async () => {
  fixture.engine.endAll();
  await fixture.close();
  await model.close();
  workspace.remove();
});

function asking(messages: Message[], expansions = new Map<number, Expansion>(), name = 'docs'): MessagesRequest {
  return request(messages, { agent: { name, expansions } });
}

function endOf(events: readonly TurnEvent[]) {
  const last = events.at(-1);
  if (last?.type !== 'message_stop') throw new Error(`the turn ended with ${JSON.stringify(last)}`);
  return last;
}

const LOOK_AND_CHANGE: Reply[] = [
  {
    content: [
      { type: 'text', text: 'I look. ' },
      { type: 'tool_use', id: 'toolu_1', name: 'Read', input: { file_path: workspace.file('a.txt') } },
    ],
  },
  calling(
    ['toolu_2', 'Edit', { file_path: workspace.file('a.txt'), old_string: 'hello', new_string: 'hi' }],
    ['toolu_3', 'Read', { file_path: '/etc/hostname' }],
  ),
  saying('It says hi.'),
];

test('several answers of the model are one of the agent, and a replay has all their steps', async () => {
  answering(model, ...LOOK_AND_CHANGE, saying('Gladly.'), saying('Gladly.'));
  const first = fixture.engine.replay(asking([user('change a.txt')]), NO_LISTENER);
  const events = await collect(first.events);
  expect(events.filter(({ type }) => type === 'message_start')).toHaveLength(1);
  const { answer, hidden } = endOf(events);
  expect(answer).toMatchObject({ stop_reason: 'end_turn', content: [{ text: 'I look. ' }, { text: 'It says hi.' }] });
  expect(hidden?.steps).toEqual({
    steps: [
      { tool: 'Read', about: 'a.txt', isError: false },
      { tool: 'Edit', about: 'a.txt', isError: false },
      { tool: 'Read', about: '/etc/hostname', isError: true },
    ],
    changedFiles: ['a.txt'],
  });
  expect(readFileSync(workspace.file('a.txt'), 'utf8')).toBe('hi from a\n');
  const calls = model.requests.map(({ body }) => body);
  expect(calls).toHaveLength(3);

  expect(first.process.state).toBe('idle');
  const said = [user('change a.txt'), assistant('I look. ', 'It says hi.'), user('thanks')];
  const next = endOf(await collect(await first.process.continue(asking(said), PATIENT)));
  const live = model.requests.at(-1)?.body;
  first.process.end();

  const known = new Map([[1, (await hidden?.expansion) as Expansion]]);
  const replayed = fixture.engine.replay(asking(said, known), NO_LISTENER);
  expect(endOf(await collect(replayed.events)).answer.content).toEqual(next.answer.content);
  const body = model.requests.at(-1)?.body;
  expect(body?.messages).toEqual(live?.messages);
  expect(body?.system).toEqual(live?.system);
  expect(body?.tools).toEqual(live?.tools);
  replayed.process.end();
});

const reading = (id: string): Reply => calling([id, 'Read', { file_path: workspace.file('a.txt') }]);
const READ = reading('toolu_r');

/** A turn, the one that a replay of it goes on with, and what the model got for that. */
async function turnAndNext(name: string, ...replies: Reply[]) {
  answering(model, ...replies, saying('on it'));
  const first = fixture.engine.replay(asking([user('begin')], new Map(), name), NO_LISTENER);
  const { answer, hidden } = endOf(await collect(first.events));
  first.process.end();
  const said = [user('begin'), { role: 'assistant' as const, content: answer.content }, user('go on')];
  const known = new Map([[1, (await hidden?.expansion) as Expansion]]);
  const next = fixture.engine.replay(asking(said, known, name), NO_LISTENER);
  const after = endOf(await collect(next.events)).answer;
  next.process.end();
  const body = model.requests.at(-1)?.body;
  const messages = (body?.messages ?? []).filter(({ role }) => role !== 'system');
  return { answer, hidden, process: first.process, after, messages };
}

test('a limit of model calls ends the turn with words, and the next one knows what was done', async () => {
  const { answer, process, after, messages } = await turnAndNext('brief', READ, READ);
  expect(answer).toMatchObject({
    stop_reason: 'max_tokens',
    content: [{ text: 'Stopped by the limit of 2 calls of the model for one turn. Say “go on” to continue.' }],
  });
  expect(process.state).toBe('ended');
  expect(after.content).toMatchObject([{ text: 'on it' }]);
  expect(messages.map(({ role }) => role)).toEqual([
    'user',
    'assistant',
    'user',
    'assistant',
    'user',
    'assistant',
    'user',
  ]);
});

test('a budget ends the turn with words', async () => {
  const { answer } = await turnAndNext('cheap', READ);
  expect(answer).toMatchObject({
    stop_reason: 'max_tokens',
    content: [{ text: expect.stringContaining('US dollars') }],
  });
});

test('the time of a turn ends it with words, whatever is under way', async () => {
  const { answer, after } = await turnAndNext('hasty', READ, { ...saying('too late'), delay_ms: 60_000 });
  expect(answer).toMatchObject({
    stop_reason: 'max_tokens',
    content: [{ text: expect.stringContaining('8 seconds') }],
  });
  expect(after.content).toMatchObject([{ text: 'on it' }]);
});

test('an answer that is cut by its length is the turn’s, and Claude Code does not go on by itself', async () => {
  const { answer, messages } = await turnAndNext('docs', READ, { ...saying('so far'), stop_reason: 'max_tokens' });
  expect(answer).toMatchObject({ stop_reason: 'max_tokens', content: [{ text: 'so far' }] });
  // On a busy machine Claude Code may have asked to go on before it was killed: that call is nobody's.
  const asked = model.requests.map(({ body }) => JSON.stringify(body.messages.at(-1)));
  expect(asked.filter((words) => !words.includes('Output token limit hit'))).toHaveLength(3);
  expect(messages.at(-2)).toMatchObject({ role: 'assistant', content: [{ type: 'text', text: 'so far' }] });
});

test('steps can be shown as text', async () => {
  const { answer } = await turnAndNext('shown', READ, saying('done'));
  expect(answer.content).toMatchObject([{ text: '→ Read a.txt' }, { text: 'done' }]);
});

test('a failure behind a step says that a repeat is in vain, one before it does not', async () => {
  const busy: Reply = { error: { status: 529, type: 'overloaded_error', message: 'busy' } };
  answering(model, busy);
  const before = fixture.engine.replay(asking([user('begin')]), NO_LISTENER);
  expect((await collect(before.events)).at(-1)).toMatchObject({ failure: { status: 529, mayRepeat: true } });
  answering(model, READ, busy);
  const behind = fixture.engine.replay(asking([user('begin')]), NO_LISTENER);
  expect((await collect(behind.events)).at(-1)).toMatchObject({
    failure: { status: 529, mayRepeat: false, message: expect.stringContaining('would run them again') },
  });
});

test('a turn whose time is over before the model has said a word fails, and a repeat is in vain', async () => {
  answering(model, { ...saying('too late'), delay_ms: 60_000 });
  const turn = fixture.engine.replay(asking([user('begin')], new Map(), 'instant'), NO_LISTENER);
  const failure = { code: 'agent_out_of_time', status: 504, mayRepeat: false };
  expect((await collect(turn.events)).at(-1)).toMatchObject({ type: 'failure', failure });
});

/** An answer that thinks first. */
const thinking = (thought: string, ...rest: ScriptedBlock[]): Reply => ({
  content: [{ type: 'thinking', thinking: thought, signature: `signed ${thought}` }, ...rest],
});
const words = (text: string): ScriptedBlock => ({ type: 'text', text });
const readBlock = (id: string) => (reading(id).content ?? []) as ScriptedBlock[];

test('thinking comes back byte for byte, and none does behind steps that are lost', async () => {
  answering(
    model,
    thinking('one', ...readBlock('toolu_r')),
    thinking('two', words('It says so.')),
    thinking('three', ...readBlock('toolu_s')),
    thinking('four', words('Still.')),
    saying('Gladly.'),
    saying('Gladly.'),
    saying('Gladly.'),
  );
  const first = fixture.engine.replay(asking([user('look')]), NO_LISTENER);
  const one = endOf(await collect(first.events));
  const said: Message[] = [user('look'), assistant(...one.answer.content), user('again')];
  const two = endOf(await collect(await first.process.continue(asking(said), PATIENT)));
  said.push(assistant(...two.answer.content), user('thanks'));
  endOf(await collect(await first.process.continue(asking(said), PATIENT)));
  first.process.end();
  const live = model.requests.at(-1)?.body;
  const thoughts = ['one', 'two', 'three', 'four'];
  for (const thought of thoughts) expect(JSON.stringify(live?.messages)).toContain(`"signature":"signed ${thought}"`);

  const steps = await Promise.all([one, two].map(async ({ hidden }) => (await hidden?.expansion) as Expansion));
  const replay = async (known: Array<[number, Expansion | undefined]>) => {
    const turn = fixture.engine.replay(asking(said, new Map(known as Array<[number, Expansion]>)), NO_LISTENER);
    endOf(await collect(turn.events));
    turn.process.end();
    return model.requests.at(-1)?.body;
  };
  const whole = await replay([
    [1, steps[0]],
    [3, steps[1]],
  ]);
  expect(whole?.messages).toEqual(live?.messages);
  expect(whole?.system).toEqual(live?.system);

  const { messages = [] } = (await replay([[3, steps[1]]])) ?? {};
  const text = JSON.stringify(messages);
  for (const thought of thoughts) expect(text).not.toContain(`signed ${thought}`);
  // The words of the first turn stand, and the second one has all its steps.
  expect(text).toContain('It says so.');
  expect(text).not.toContain('"toolu_r"');
  expect(text).toContain('"tool_use_id":"toolu_s"');
});

test('what the client asks for reaches each call of the model', async () => {
  answering(model, READ, saying('done'));
  const asked = { max_tokens: 1000, temperature: 0.25, thinking: { type: 'enabled', budget_tokens: 2_000 } };
  const given = { parameters: asked, agent: { name: 'docs' } };
  const turn = fixture.engine.replay(request([user('look')], given), NO_LISTENER);
  endOf(await collect(turn.events));
  turn.process.end();
  expect(model.requests.map(({ body: { temperature, thinking: thoughts } }) => [temperature, thoughts])).toEqual(
    Array(2).fill([0.25, asked.thinking]),
  );
});

const CLERK = 'You are a clerk.';
const CLIENTS = 'You are the client’s.';

test.each<[agent: string, system: string, last: string, isLong: boolean]>([
  ['clerk', '', CLERK, false],
  ['clerk', CLIENTS, CLIENTS, false],
  ['preset', '', CLERK, true],
])(
  'the system prompt of the agent %s beside that of the client, %j, ends with %j',
  async (name, system, last, isLong) => {
    answering(model, saying('done'));
    const turn = fixture.engine.replay(request([user('hi')], { system, agent: { name } }), NO_LISTENER);
    endOf(await collect(turn.events));
    turn.process.end();
    const blocks = model.requests[0]?.body.system as Array<{ text: string }>;
    expect(blocks.at(-1)?.text.endsWith(last)).toBe(true);
    const text = blocks.map((block) => block.text).join('');
    expect(text.includes(CLERK)).toBe(last === CLERK);
    // Claude Code's own prompt has some 27,000 characters, its two lines 150.
    expect(text.length > 10_000).toBe(isLong);
    expect(text.length < 1_000).toBe(!isLong);
  },
);

test('behind a replay it is still known which file has changed since it was read', async () => {
  const path = workspace.file('changing.txt');
  writeFileSync(path, 'as it was\n');
  const edit = { file_path: path, old_string: 'as it', new_string: 'like it' };
  answering(
    model,
    calling(['toolu_1', 'Read', { file_path: path }]),
    saying('read'),
    calling(['toolu_2', 'Edit', edit]),
  );
  const first = fixture.engine.replay(asking([user('look')]), NO_LISTENER);
  const { hidden } = endOf(await collect(first.events));
  first.process.end();
  writeFileSync(path, 'as it is\n');
  const later = new Date(Date.now() + 60_000);
  utimesSync(path, later, later);
  const known = new Map([[1, (await hidden?.expansion) as Expansion]]);
  const next = fixture.engine.replay(asking([user('look'), assistant('read'), user('change it')], known), NO_LISTENER);
  endOf(await collect(next.events));
  next.process.end();
  // Without the entries of the read it would say that the file was never read.
  expect(model.requests.at(-1)?.text).toContain('modified on disk since you last read it');
});

/** What the steps of a conversation's first turn may take, in bytes; of a command and its sandbox Claude Code tells the model more. */
const FIRST_BYTES: Record<AgentLevel, number> = { read: 10 * 1024, edit: 10 * 1024, shell: 13 * 1024 };
const LATER_BYTES = 4 * 1024;

const LEVELS_HERE = LEVELS.filter((level) => level !== 'shell' || !NO_SANDBOX);

testParts('agents', LEVELS_HERE, {
  isEveryday: (level) => level === LEVELS_HERE.at(-1),
})(`the steps of a turn of two calls are small, at the level %s ${SANDBOXED}`, async (level) => {
  answering(
    model,
    reading('toolu_1'),
    saying('one'),
    reading('toolu_2'),
    saying('two'),
    reading('toolu_3'),
    saying('three'),
  );
  const bytes = async (events: AsyncIterable<TurnEvent> | undefined) =>
    (await endOf(await collect(events)).hidden?.expansion) as Expansion;
  const said = [user('begin'), assistant('one'), user('again'), assistant('two'), user('again')];
  const first = fixture.engine.replay(asking(said.slice(0, 1), new Map(), level), NO_LISTENER);
  const one = await bytes(first.events);
  const two = await bytes(await first.process.continue(asking(said.slice(0, 3), new Map(), level), PATIENT));
  first.process.end();
  const known = new Map([
    [1, one],
    [3, two],
  ]);
  const next = fixture.engine.replay(asking(said, known, level), NO_LISTENER);
  const three = await bytes(next.events);
  next.process.end();
  const sizes = { first: one.length, later: two.length, byAnotherProcess: three.length };
  expect(sizes.first, JSON.stringify(sizes)).toBeLessThanOrEqual(FIRST_BYTES[level]);
  expect(Math.max(sizes.later, sizes.byAnotherProcess), JSON.stringify(sizes)).toBeLessThanOrEqual(LATER_BYTES);
  // Each has the call and its result.
  expect(Math.min(...Object.values(sizes))).toBeGreaterThan(500);
});
