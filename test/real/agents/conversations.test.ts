import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Reply } from '../../../scripted-model/script.ts';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import { databaseFile } from '../../../src/store/database-file.ts';
import { LibsqlFile } from '../../../src/store/libsql.ts';
import { answering, calling, makeWorkspace, saying } from '../../support/agents.ts';
import { foldChat } from '../../support/fold-chat.ts';
import { foldResponses } from '../../support/fold-responses.ts';
import { ROOT, startGateway, type TestGateway, until } from '../../support/gateway.ts';
import { QUICK } from '../../support/quick.ts';

/** Conversations with an agent over the whole gateway: what goes on, over restarts and side by side. */

const workspace = makeWorkspace({ 'a.txt': 'the word is heron\n' });
const state = mkdtempSync(join(tmpdir(), 'isthmus-state-'));
const config = join(state, 'config.json');
let model: ScriptedModel;
let gateway: TestGateway;

const start = () => startGateway(model.url, ['--spares', '0', '--config', config], { env: { XDG_STATE_HOME: state } });

beforeAll(async () => {
  const docs = { level: 'edit', workspace: workspace.path, system: 'You are a clerk.' };
  const mcpServers = {
    marked: { command: process.execPath, args: [join(ROOT, 'test', 'support', 'marked-server.js')] },
    broken: { command: '/nonexistent' },
  };
  const tooled = { level: 'read', workspace: workspace.path, mcpServers };
  const helper = { description: 'Looks around.', prompt: 'You look.' };
  const parent = { level: 'read', workspace: workspace.path, subagents: { looker: helper } };
  writeFileSync(config, JSON.stringify({ agents: { docs, tooled, parent } }));
  model = await startScriptedModel();
  gateway = await start();
});
beforeEach(() => model.restart([]));
afterAll(async () => {
  await gateway?.stop();
  await model?.close();
  workspace.remove();
  rmSync(state, { recursive: true, force: true });
});

type Message = { role: 'user' | 'assistant'; content: unknown };

async function ask(messages: Message[], headers: Record<string, string> = {}, more: object = {}, signal?: AbortSignal) {
  const response = await fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'isthmus-agent': 'docs', ...headers },
    body: JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 100, messages, ...more }),
    ...(signal && { signal }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) };
}

const user = (content: string): Message => ({ role: 'user', content });
const READ = calling(['toolu_1', 'Read', { file_path: workspace.file('a.txt') }]);

/** Without Claude Code's reminders, and without the place of the cache. */
const seen = () => JSON.stringify(model.requests.at(-1)?.body.messages).replaceAll(/,"cache_control":\{[^}]*\}/g, '');

test(
  'an answer says what was done, the conversation goes on live, and after a restart with all its steps',
  QUICK,
  async () => {
    answering(model, READ, saying('The word is heron.'), saying('I read it in a.txt.'), saying('I read it in a.txt.'));
    const first = await ask([user('what is the word?')]);
    expect(first.status).toBe(200);
    expect(first.json()).toMatchObject({
      stop_reason: 'end_turn',
      content: [{ type: 'text', text: 'The word is heron.' }],
    });
    expect(first.headers.get('isthmus-agent')).toBe('docs');
    expect(first.headers.get('isthmus-agent-steps')).toBe('1');
    expect(first.headers.get('isthmus-agent-steps-lost')).toBeNull();
    const told = await fetch(`${gateway.url}/v1/agents/turns/${first.headers.get('request-id')}`);
    expect(await told.json()).toMatchObject({
      agent: 'docs',
      steps: [{ tool: 'Read', about: 'a.txt', is_error: false }],
    });

    const next = [
      user('what is the word?'),
      { role: 'assistant' as const, content: first.json().content },
      user('where?'),
    ];
    const live = await ask(next);
    expect(live.headers.get('isthmus-path')).toBe('continue');
    expect(live.headers.get('isthmus-session')).toBe(first.headers.get('isthmus-session'));
    const asLive = seen();
    expect(asLive).toContain('the word is heron');

    gateway.child.kill('SIGKILL');
    await gateway.stop();
    gateway = await start();
    const replayed = await ask(next);
    expect(replayed.headers.get('isthmus-path')).toBe('replay');
    expect(replayed.headers.get('isthmus-converted')).toBe('max_tokens');
    expect(replayed.headers.get('isthmus-session')).toBe(first.headers.get('isthmus-session'));
    expect(seen()).toBe(asLive);
  },
);

test('over OpenAI’s two APIs, too, a conversation goes on live, and after a restart with all its steps', async () => {
  const post = async (path: string, body: object) => {
    const response = await fetch(`${gateway.url}/agents/docs${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'claude-sonnet-5', ...body }),
    });
    const text = await response.text();
    return { text, told: ['isthmus-path', 'isthmus-converted'].map((name) => response.headers.get(name)) };
  };
  const question = user('what is the word here?');
  const chat = async (said: object[], more: object = {}) =>
    await post('/v1/chat/completions', { messages: said, stream: true, ...more });
  const response = async (input: object[], more: object = {}) =>
    await post('/v1/responses', { input, stream: true, ...more });

  const spoken = { content: [{ type: 'text' as const, text: 'I look.' }, ...(READ.content ?? [])] };
  answering(model, spoken, saying('It is heron.'), saying('In a.txt.'), spoken, saying('Heron.'), saying('In it.'));
  const first = foldChat((await chat([question])).text, { asksUsage: false });
  expect([first.message.content, first.message.tool_calls, first.finishReason]).toEqual([
    'I look.\n\nIt is heron.',
    [],
    'stop',
  ]);
  const chatTurns = [question, { role: 'assistant', content: first.message.content }, user('where?')];
  expect((await chat(chatTurns)).told).toEqual(['continue', null]);
  const chatSeen = seen();

  const other = user('which word is it?');
  const begun = foldResponses((await response([other])).text);
  expect(begun.items.map(({ type }) => type)).toEqual(['message', 'message']);
  expect(begun.response.isthmus_agent).toMatchObject({ steps: [{ tool: 'Read', about: 'a.txt' }], kept: true });
  const next = [user('where?')];
  const live = await response(next, { previous_response_id: begun.response.id });
  expect(live.told).toEqual(['continue', null]);
  const responseSeen = seen();

  gateway.child.kill('SIGKILL');
  await gateway.stop();
  gateway = await start();
  answering(model, saying('In a.txt.'), saying('In it.'));
  expect((await chat(chatTurns)).told).toEqual(['replay', null]);
  expect(seen()).toBe(chatSeen);
  expect((await response([other, ...begun.items, ...next])).told).toEqual(['replay', null]);
  expect(seen()).toBe(responseSeen);
  const gone = await response(next, { previous_response_id: begun.response.id });
  expect(JSON.parse(gone.text)).toMatchObject({ error: { code: 'previous_response_not_found' } });
});

test('a conversation goes on with its steps behind another system prompt, as with the next day’s date in it', async () => {
  answering(model, READ, saying('The word is heron.'), saying('In a.txt.'));
  const first = await ask([user('look it up')], {}, { system: 'Today is Monday.' });
  const said = { role: 'assistant' as const, content: first.json().content };
  const next = await ask([user('look it up'), said, user('where?')], {}, { system: 'Today is Tuesday.' });
  expect([next.headers.get('isthmus-path'), next.headers.get('isthmus-converted')]).toEqual(['replay', 'max_tokens']);
  expect(seen()).toContain('the word is heron');
  const system = JSON.stringify(model.requests.at(-1)?.body.system);
  expect(system).toContain('Today is Tuesday.');
  expect(system).not.toContain('Monday');
});

test('steps that are purged in the middle of a conversation leave the words, and no thinking behind them', async () => {
  const thinking = (thought: string, { content = [] }: Reply): Reply => ({
    content: [{ type: 'thinking', thinking: thought, signature: `signed ${thought}` }, ...content],
  });
  const again = calling(['toolu_2', 'Read', { file_path: workspace.file('a.txt') }]);
  answering(
    model,
    thinking('one', READ),
    thinking('two', saying('It is heron.')),
    thinking('three', again),
    thinking('four', saying('Still heron.')),
    saying('fine'),
  );
  const first = await ask([user('the word?')]);
  const said = [user('the word?'), { role: 'assistant' as const, content: first.json().content }, user('and now?')];
  const second = await ask(said);
  said.push({ role: 'assistant', content: second.json().content }, user('thanks'));
  const database = new LibsqlFile(databaseFile(join(state, 'isthmus')));
  database.prepare('delete from expansions where turn = ?').run([first.headers.get('request-id')]);
  database.close();
  // The live process would not miss them; it has another system prompt.
  const { headers } = await ask(said, {}, { system: 'You are another clerk.' });
  expect([headers.get('isthmus-path'), headers.get('isthmus-converted')]).toEqual(['replay', 'max_tokens, messages.1']);
  expect(headers.get('isthmus-session')).toBe(first.headers.get('isthmus-session'));
  expect(seen()).toContain('It is heron.');
  expect(seen()).toContain('"tool_use_id":"toolu_2"');
  expect(seen()).not.toContain('"toolu_1"');
  expect(seen()).not.toContain('signed ');
});

test('a stream tells the steps in a ping before its end', async () => {
  answering(model, READ, saying('heron'));
  const { text } = await ask([user('stream it')], {}, { stream: true });
  const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data));
  expect(events.filter(({ type }) => type === 'message_start')).toHaveLength(1);
  expect(events.slice(-2)).toMatchObject([
    { type: 'ping', isthmus_agent: { steps: [{ tool: 'Read', about: 'a.txt' }], changed_files: [], kept: true } },
    { type: 'message_stop' },
  ]);
});

test('an answer whose steps are not known goes to the model as the client sends it', async () => {
  answering(model, saying('fine'));
  const { headers } = await ask([user('hi'), { role: 'assistant', content: 'invented' }, user('go on')]);
  expect(headers.get('isthmus-converted')).toBe('max_tokens, messages.1');
  expect(seen()).toContain('"invented"');
});

test('the same turn does not run twice, and a client that leaves ends it', async () => {
  answering(model, READ, { ...saying('late'), delay_ms: 60_000 }, saying('again'));
  const leaving = new AbortController();
  const left = ask([user('slowly')], {}, {}, leaving.signal).catch(() => 'gone');
  await until('the agent has read', () => model.requests.length === 2);
  const twice = await ask([user('slowly')]);
  expect([twice.status, twice.headers.get('isthmus-error'), twice.headers.get('x-should-retry')]).toEqual([
    409,
    'agent_turn_running',
    'false',
  ]);
  leaving.abort();
  expect(await left).toBe('gone');
  await until('its call is over', () => model.requests[1]?.outcome === 'aborted');
  expect((await ask([user('slowly')])).json()).toMatchObject({ content: [{ text: 'again' }] });
  expect(readFileSync(workspace.file('a.txt'), 'utf8')).toBe('the word is heron\n');
});

test('no request without its name runs an agent, whatever the model asks for', async () => {
  answering(model, READ);
  const response = await fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 100, messages: [user('hi')] }),
  });
  expect(response.headers.get('isthmus-agent')).toBeNull();
  expect(await response.json()).toMatchObject({
    content: [{ type: 'tool_use', name: 'Read' }],
    stop_reason: 'tool_use',
  });
  // Claude Code may call the model once more before it is killed, with the news that there is no such tool (decision 4).
  expect(JSON.stringify(model.requests.map(({ body }) => body.messages))).not.toContain('heron');
});

test('an agent has the operator’s servers of tools; one that is broken is named and stops no turn', async () => {
  answering(model, saying('fine'));
  const { status } = await ask([user('with tools')], { 'isthmus-agent': 'tooled' });
  expect(status).toBe(200);
  expect(model.requests[0]?.body.tools?.map(({ name }) => name)).toContainEqual(
    expect.stringMatching(/^mcp__marked__/),
  );
  const health = await gateway.health();
  expect(health).toMatchObject({
    agents: expect.arrayContaining([expect.objectContaining({ name: 'tooled', failingServers: ['broken'] })]),
  });
});

test('a subagent works within its parent’s turn: hidden, named among the steps, and counted', async () => {
  answering(
    model,
    calling(['toolu_s', 'Agent', { subagent_type: 'Looker-Agent', description: 'look', prompt: 'look at a.txt' }]),
    READ,
    saying('it says heron'),
    saying('The looker saw a heron.'),
  );
  const turn = await ask([user('have somebody look')], { 'isthmus-agent': 'parent' });
  expect(turn.json().content).toMatchObject([{ type: 'text', text: 'The looker saw a heron.' }]);
  const told = await fetch(`${gateway.url}/v1/agents/turns/${turn.headers.get('request-id')}`);
  const { steps, subagent_usage } = (await told.json()) as {
    steps: object[];
    subagent_usage: { output_tokens: number };
  };
  expect(steps).toMatchObject([{ tool: 'Agent' }, { tool: 'Read', about: 'a.txt', subagent: 'looker' }]);
  expect(subagent_usage.output_tokens).toBeGreaterThan(0);
  expect(model.requests).toHaveLength(4);
  expect(gateway.output()).toMatch(/subagent renamed.* agent=parent asked=Looker-Agent meant=looker/);
});
