import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Reply } from '../../../scripted-model/script.ts';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import { databaseFile } from '../../../src/store/database-file.ts';
import { LibsqlFile } from '../../../src/store/libsql.ts';
import { answering, calling, makeWorkspace, saying } from '../../support/agents.ts';
import { type SyntheticLogin, startSyntheticLogin } from '../../support/first-party/login.ts';
import { startGateway, type TestGateway } from '../../support/gateway.ts';

/** An agent where a `claude login` pays: nobody is told whose it is. */

const workspace = makeWorkspace({ 'a.txt': 'the word is heron\n' });
const home = mkdtempSync(join(tmpdir(), 'isthmus-test-'));
const state = join(home, '.local', 'state', 'isthmus');
const flags = ['--spares', '0', '--agent-level', 'read', '--workspace', workspace.path];
let model: ScriptedModel;
let login: SyntheticLogin;
let gateway: TestGateway;

const start = () => startGateway(model.url, flags, { home, env: login.variables });

beforeAll(async () => {
  model = await startScriptedModel();
  login = await startSyntheticLogin(home, model.url);
  gateway = await start();
});
afterAll(async () => {
  await gateway?.stop();
  await login?.close();
  await model?.close();
  workspace.remove();
});

type Message = { role: 'user' | 'assistant'; content: unknown };

/** Asks with one more message, and returns the conversation with its answer. */
async function goOn(before: Message[], content: string, ...replies: Reply[]) {
  answering(model, ...replies);
  const messages: Message[] = [...before, { role: 'user', content }];
  const response = await fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'isthmus-agent': 'agent' },
    body: JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 100, messages }),
  });
  const answer = (await response.json()) as { content: unknown };
  expect([response.status, answer]).toMatchObject([200, { content: expect.anything() }]);
  const told = ['isthmus-path', 'isthmus-converted', 'isthmus-agent-steps-lost'].map((name) =>
    response.headers.get(name),
  );
  return { messages: [...messages, { role: 'assistant' as const, content: answer.content }], told };
}

/** Words of the owner, and what Claude Code calls the entries that have them. */
const OWNERS = /someone@example\.test|session_context|credential_org/;

test('neither the model nor the store learns whose it is: in a first turn, a later one, and behind a restart', async () => {
  const read = calling(['toolu_1', 'Read', { file_path: workspace.file('a.txt') }]);
  const first = await goOn([], 'what is the word?', read, saying('The word is heron.'));
  expect(first.told).toEqual(['start', 'max_tokens', null]);
  const live = await goOn(first.messages, 'where?', saying('In a.txt.'));
  expect(live.told).toEqual(['continue', 'max_tokens', null]);
  await gateway.stop(undefined, 'keeps its home');
  gateway = await start();
  const replayed = await goOn(live.messages, 'sure?', saying('Quite.'));
  expect(replayed.told).toEqual(['replay', 'max_tokens', null]);

  const asked = model.requests.map(({ text }) => text);
  expect(asked).toHaveLength(4);
  for (const text of asked) {
    expect(text).not.toMatch(OWNERS);
    expect(text).toContain(`Primary working directory: ${workspace.path}`);
  }
  expect(asked.at(-1)).toContain('the word is heron');

  await gateway.stop(undefined, 'keeps its home');
  const database = new LibsqlFile(databaseFile(state));
  const rows = database.prepare('select expansion from expansions').all([]) as Array<{ expansion: Uint8Array }>;
  database.close();
  expect(rows).toHaveLength(3);
  const steps = rows.map(({ expansion }) => gunzipSync(expansion).toString('utf8'));
  expect(steps.join()).toContain('the word is heron');
  const files = readdirSync(state, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
  expect(files).not.toEqual([]);
  for (const kept of [...steps, ...files]) expect(kept).not.toMatch(OWNERS);
});
