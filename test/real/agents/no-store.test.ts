import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import { answering, calling, makeWorkspace, saying } from '../../support/agents.ts';
import { ROOT, startGateway, type TestGateway } from '../../support/gateway.ts';
import { testParts } from '../../support/test-parts.ts';

/** Agents of a gateway that is to keep nothing, has little patience with the model, and pings often. */

const workspace = makeWorkspace({ 'a.txt': 'the word is heron\n' });
const state = mkdtempSync(join(tmpdir(), 'isthmus-state-'));
const settings = mkdtempSync(join(tmpdir(), 'isthmus-settings-'));
/** 6 seconds, and one. */
const PATIENCE = ['--stall-minutes', '0.1', '--keep-alive-seconds', '1'];
let model: ScriptedModel;
let gateway: TestGateway;

beforeAll(async () => {
  const marked = { command: process.execPath, args: [join(ROOT, 'test', 'support', 'marked-server.js')] };
  const docs = { level: 'edit', workspace: workspace.path, mcpServers: { marked } };
  const config = join(settings, 'config.json');
  writeFileSync(config, JSON.stringify({ agents: { docs } }));
  model = await startScriptedModel();
  gateway = await startGateway(model.url, ['--spares', '0', '--config', config, '--no-store', ...PATIENCE], {
    env: { XDG_STATE_HOME: state },
  });
});
beforeEach(() => model.restart([]));
afterAll(async () => {
  await gateway?.stop();
  await model?.close();
  workspace.remove();
  for (const folder of [state, settings]) rmSync(folder, { recursive: true, force: true });
});

async function ask(messages: object[], stream = false, more: object = {}) {
  const response = await fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'isthmus-agent': 'docs' },
    body: JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 100, messages, stream, ...more }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const user = (content: string) => ({ role: 'user', content });

/** All files below a folder, as text. */
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));

testParts('agents', [2_500, 9_000], { isEveryday: (milliseconds) => milliseconds < 6_000 })(
  'while a tool runs for %i ms the stream pings, and the turn goes on',
  async (milliseconds) => {
    answering(model, calling(['toolu_1', 'mcp__marked__wait', { milliseconds }]), saying('waited'));
    const { status, text } = await ask([user(`wait for ${milliseconds}`)], true);
    expect(status).toBe(200);
    // Within the answer: a process that comes up may be waited for, too.
    expect(text.slice(text.indexOf('event: message_start'))).toContain('data: {"type":"ping"}\n');
    expect(text).toContain('event: message_stop');
    expect(model.requests).toHaveLength(2);
    expect(model.requests[1]?.text).toContain('waited');
  },
);

// The last one: it stops the gateway.
test('with --no-store a conversation goes on with its steps, and no word of it stays on the disk', async () => {
  const words = { asked: 'a question of cranes', said: 'an answer of storks', read: 'the word is heron' };
  const read = calling(['toolu_1', 'Read', { file_path: workspace.file('a.txt') }]);
  answering(model, read, saying(words.said), saying('fine'));
  const first = await ask([user(words.asked)]);
  expect([first.status, first.headers.get('isthmus-agent-steps-lost')]).toEqual([200, '1']);
  const said = { role: 'assistant', content: JSON.parse(first.text).content };
  // The live process has them too; behind another system prompt it is a new one.
  const next = await ask([user(words.asked), said, user('and now?')], false, { system: 'You are a clerk.' });
  expect([next.headers.get('isthmus-path'), next.headers.get('isthmus-converted')]).toEqual(['replay', 'max_tokens']);
  expect(model.requests.at(-1)?.text).toContain(words.read);
  await gateway.stop(undefined, 'keeps its home');
  // What Claude Code has configured stays.
  const kept = filesIn(state);
  expect(kept).not.toEqual([]);
  for (const text of kept) for (const word of Object.values(words)) expect(text).not.toContain(word);
  const names = readdirSync(state, { recursive: true, encoding: 'utf8' });
  expect(names.filter((name) => name.includes('isthmus.db'))).toEqual([]);
});
