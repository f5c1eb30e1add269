import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Reply, ScriptedBlock } from '../../../scripted-model/script.ts';
import type { Agent } from '../../../src/spec/agent.ts';
import { user } from '../../support/engine.ts';
import { AgentRuns, type Heard } from './agent-runs.ts';

/** What the SDK says of an agent's turn, from which the engine makes one answer. */

let runs: AgentRuns;
beforeAll(async () => {
  runs = await AgentRuns.open();
});
afterAll(() => runs.close());

/** An agent whose workspace has two files. */
function agentWithFiles(given: Partial<Agent> = {}): Agent {
  const agent = runs.agent({ level: 'edit', ...given });
  writeFileSync(join(agent.workspace, 'a.txt'), 'alpha\n');
  writeFileSync(join(agent.workspace, 'b.txt'), 'beta\n');
  return agent;
}

const TEXT: Reply = { content: [{ type: 'text', text: 'Done.' }], usage: { input_tokens: 300, output_tokens: 30 } };
const call = (id: string, name: string, input: object): ScriptedBlock => ({ type: 'tool_use', id, name, input });
const reading = (id: string, { workspace }: Agent, file = 'a.txt') =>
  call(id, 'Read', { file_path: join(workspace, file) });
const writing = (id: string, { workspace }: Agent) =>
  call(id, 'Write', { file_path: join(workspace, 'ran.txt'), content: 'x' });

/** A message in a few words; undefined for one that the engine does not look at. */
function inWords({ type, subtype, event, message, isSynthetic, is_api_error_message: isError }: Heard) {
  if (type === 'stream_event') {
    const { type: kind, delta } = event as { type: string; delta?: { stop_reason?: string } };
    if (kind === 'message_delta') return delta?.stop_reason;
    return kind === 'message_start' ? kind : undefined;
  }
  if (type === 'user') {
    if (isSynthetic) return 'words of the SDK';
    const { content } = message as { content: Array<{ tool_use_id: string }> };
    return content.map(({ tool_use_id }) => tool_use_id).join();
  }
  if (type === 'assistant') return isError ? 'error' : undefined;
  if (type === 'result') return subtype;
  return subtype === 'api_retry' ? subtype : undefined;
}
const allInWords = (heard: Heard[]) => heard.map(inWords).filter((words) => words !== undefined);

/** Runs a turn to its end, and a little longer. */
async function turn(agent: Agent, ...replies: Reply[]) {
  runs.model.restart([{ replies }]);
  const run = runs.run(agent);
  const result = await run.untilDone();
  const entries = run.entries.map(({ uuid }) => uuid);
  await new Promise((resolve) => setTimeout(resolve, 500));
  return { run, result, entries, calls: runs.model.requests.length };
}

test('each call of the model is a message of its own; behind it come the results, then the sum', async () => {
  const agent = agentWithFiles();
  const { run, result, entries, calls } = await turn(
    agent,
    {
      content: [{ type: 'text', text: 'I look.' }, reading('a', agent)],
      usage: { input_tokens: 100, output_tokens: 10 },
    },
    {
      content: [reading('b', agent), reading('c', agent, 'none.txt'), writing('d', agent)],
      usage: { input_tokens: 200, output_tokens: 20 },
    },
    TEXT,
  );
  run.end();
  expect(calls).toBe(3);
  const words = allInWords(run.heard);
  expect(words.slice(0, 4)).toEqual(['message_start', 'tool_use', 'a', 'message_start']);
  // A result may come before the answer that asked for it is complete.
  expect(words.slice(4, 8).sort()).toEqual(['b', 'c', 'd', 'tool_use']);
  expect(words.slice(8)).toEqual(['message_start', 'end_turn', 'success']);
  expect(result.usage).toMatchObject({ input_tokens: 600, output_tokens: 60 });
  const results = run.heard.filter(({ type }) => type === 'user').map(({ tool_use_result }) => tool_use_result);
  expect(results).toContainEqual(
    expect.objectContaining({ type: 'create', filePath: join(agent.workspace, 'ran.txt') }),
  );
  expect(results).toContainEqual(expect.stringContaining('Error: File does not exist'));

  // The store has all of the turn when its result comes.
  expect(run.entries.map(({ uuid }) => uuid)).toEqual(entries);
  const uuids = run.heard.filter(({ type }) => type === 'user' || type === 'assistant').map(({ uuid }) => uuid);
  expect(entries).toEqual(expect.arrayContaining(uuids));
});

test('a turn ends at its limit of calls; the last tool has run, and a later turn has the limit anew', async () => {
  const agent = agentWithFiles({ maxTurns: 2 });
  const { run, result, calls } = await turn(
    agent,
    { content: [reading('a', agent)] },
    { content: [writing('b', agent)] },
    TEXT,
  );
  expect(calls).toBe(2);
  expect(result).toMatchObject({ subtype: 'error_max_turns', terminal_reason: 'max_turns', stop_reason: 'tool_use' });
  expect(existsSync(join(agent.workspace, 'ran.txt'))).toBe(true);
  run.heard.length = 0;
  run.say(user('Go on.'));
  expect(await run.untilDone()).toMatchObject({ subtype: 'success' });
  run.end();
});

test('a turn ends at its budget, which is one of all turns of the process; a tool may have begun by then', async () => {
  const agent = agentWithFiles({ maxBudgetUsd: 0.5 });
  const dear = { input_tokens: 10, output_tokens: 40_000 };
  const { run, result } = await turn(
    agent,
    { ...TEXT, usage: dear },
    { content: [writing('b', agent)], usage: dear },
    TEXT,
  );
  expect(result).toMatchObject({ subtype: 'success' });
  run.heard.length = 0;
  run.say(user('Go on.'));
  expect(await run.untilDone()).toMatchObject({ subtype: 'error_max_budget_usd', terminal_reason: 'budget_exhausted' });
  expect(runs.model.requests).toHaveLength(2);
  run.end();
});

test('an error of the API within a turn is a message and the result', async () => {
  const agent = agentWithFiles();
  const headers = { 'x-should-retry': 'false' };
  const { run, calls } = await turn(
    agent,
    { content: [reading('a', agent)] },
    { error: { status: 429, type: 'rate_limit_error', message: 'slow down', headers } },
  );
  run.end();
  expect(calls).toBe(2);
  expect(allInWords(run.heard)).toEqual(['message_start', 'tool_use', 'a', 'error', 'success']);
  expect(run.heard.find(({ is_api_error_message }) => is_api_error_message)).toMatchObject({ error: 'rate_limit' });
  expect(run.heard.find(({ type }) => type === 'result')).toMatchObject({ is_error: true });
});

test('a busy API within a turn is told, and asked again', async () => {
  const agent = agentWithFiles();
  const { run } = await turn(
    agent,
    { content: [reading('a', agent)] },
    { error: { status: 529, type: 'overloaded_error', message: 'busy', headers: { 'retry-after': '1' } } },
    TEXT,
  );
  run.end();
  expect(allInWords(run.heard)).toEqual([
    'message_start',
    'tool_use',
    'a',
    'api_retry',
    'message_start',
    'end_turn',
    'success',
  ]);
});

test('after the limit of tokens the SDK goes on by itself, with a call that nobody asked for', async () => {
  const agent = agentWithFiles();
  const { run, calls } = await turn(
    agent,
    { content: [reading('a', agent)] },
    { ...TEXT, stop_reason: 'max_tokens' },
    TEXT,
  );
  run.end();
  expect(calls).toBe(3);
  expect(allInWords(run.heard)).toEqual([
    'message_start',
    'tool_use',
    'a',
    'message_start',
    'max_tokens',
    'words of the SDK',
    'message_start',
    'end_turn',
    'success',
  ]);
});
