import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Reply } from '../../../scripted-model/script.ts';
import { ScriptedModel } from '../../../scripted-model/server.ts';
import type { Expansion } from '../../../src/spec/agent.ts';
import type { Message, MessagesRequest } from '../../../src/spec/messages.ts';
import type { TurnEvent } from '../../../src/spec/turn-events.ts';
import { agentIn, calling, makeWorkspace, saying } from '../../support/agents.ts';
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

/** Turns of an agent over the real SDK, without a gateway around the engine. */

const workspace = makeWorkspace({ 'a.txt': 'hello from a\n' });
let model: ScriptedModel;
let fixture: EngineFixture;

beforeAll(async () => {
  model = await ScriptedModel.start();
  fixture = startEngine(model.url, {}, [
    agentIn(workspace),
    agentIn(workspace, { name: 'brief', maxTurns: 2 }),
    agentIn(workspace, { name: 'cheap', maxBudgetUsd: 0.000_001 }),
    agentIn(workspace, { name: 'hasty', maxSeconds: 8 }),
    agentIn(workspace, { name: 'shown', showSteps: true }),
  ]);
});
beforeEach(() => model.restart([]));
afterAll(async () => {
  fixture.engine.endAll();
  await fixture.close();
  await model.close();
  workspace.remove();
});

function answering(...replies: Reply[]): void {
  let next = 0;
  model.use([() => replies[next++]]);
}

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
  answering(...LOOK_AND_CHANGE, saying('Gladly.'), saying('Gladly.'));
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

const READ: Reply = calling(['toolu_r', 'Read', { file_path: workspace.file('a.txt') }]);

/** A turn, the one that a replay of it goes on with, and what the model got for that. */
async function turnAndNext(name: string, ...replies: Reply[]) {
  answering(...replies, saying('on it'));
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
  expect(model.requests).toHaveLength(3);
  expect(messages.at(-2)).toMatchObject({ role: 'assistant', content: [{ type: 'text', text: 'so far' }] });
});

test('steps can be shown as text', async () => {
  const { answer } = await turnAndNext('shown', READ, saying('done'));
  expect(answer.content).toMatchObject([{ text: '→ Read a.txt' }, { text: 'done' }]);
});

test('a failure behind a step says that a repeat is in vain, one before it does not', async () => {
  const busy: Reply = { error: { status: 529, type: 'overloaded_error', message: 'busy' } };
  answering(busy);
  const before = fixture.engine.replay(asking([user('begin')]), NO_LISTENER);
  expect((await collect(before.events)).at(-1)).toMatchObject({ failure: { status: 529, mayRepeat: true } });
  answering(READ, busy);
  const behind = fixture.engine.replay(asking([user('begin')]), NO_LISTENER);
  expect((await collect(behind.events)).at(-1)).toMatchObject({
    failure: { status: 529, mayRepeat: false, message: expect.stringContaining('would run them again') },
  });
});
