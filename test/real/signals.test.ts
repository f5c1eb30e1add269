import { once } from 'node:events';
import type { Anthropic, APIError } from '@anthropic-ai/sdk';
import { afterEach, expect, test } from 'vitest';
import type { Reply } from '../../scripted-model/script.ts';
import { startScriptedModel } from '../../scripted-model/testing.ts';
import { sdkClient } from '../support/clients.ts';
import { startGateway, until } from '../support/gateway.ts';
import { resultsFor } from '../support/gateway-in-process.ts';
import { processesWith } from '../support/process-table.ts';
import { QUICK } from '../support/quick.ts';

/** Signals as a terminal sends them: to the whole process group. */

const cleanups: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const WORDS = 'a slow answer of some words';
const SLOW: Reply = { content: [{ type: 'text', text: WORDS }], gap_ms: 400 };
const SILENT: Reply = { ...SLOW, cut: { after_events: 3, how: 'silence' } };

/** A gateway that leads its process group, without a terminal. */
async function setUp(reply: Reply, ...wrap: string[]) {
  const model = await startScriptedModel({ script: [{ replies: [reply] }] });
  cleanups.push(() => model.close());
  const gateway = await startGateway(model.url, ['--spares', '0'], { wrap: () => ['setsid', ...wrap] });
  cleanups.push(() => gateway.stop());
  const signal = (name: NodeJS.Signals) => process.kill(-Number(gateway.child.pid), name);
  /** Begins a turn; the model is in the middle of its answer. */
  const begin = async () => {
    const calls = model.requests.length;
    const answer = sdkClient(gateway.url)
      .messages.stream({ model: 'claude-sonnet-5', max_tokens: 100, messages: [{ role: 'user', content: 'hi' }] })
      .finalMessage()
      .catch((error: Error) => error);
    await until('the model answers', () => (model.requests[calls]?.events ?? 0) > 2);
    return { answer };
  };
  return { gateway, model, signal, begin };
}

test('a hangup without a terminal harms no turn; Ctrl-C says how many are open, and they finish', async () => {
  const { gateway, signal, begin } = await setUp(SLOW);
  for (const name of ['SIGHUP', 'SIGINT'] as const) {
    const { answer } = await begin();
    signal(name);
    expect(await answer).toMatchObject({ content: [{ text: WORDS }], stop_reason: 'end_turn' });
  }
  expect(gateway.output()).toContain('SIGHUP is ignored');
  expect(gateway.output()).toContain('Stopping: 1 request is under way');
  await until('it has ended', () => gateway.child.exitCode !== null);
  expect(gateway.child.exitCode).toBe(0);
});

test('a SIGTERM lets turns finish and drops held calls, which the next gateway replays', QUICK, async () => {
  const call: Reply = { content: [{ type: 'tool_use', name: 'read', input: {} }] };
  const { gateway, model, begin } = await setUp(SLOW);
  model.use([{ replies: [call, { ...SLOW, delta_length: 4 }, { content: [{ type: 'text', text: 'done' }] }] }]);
  const tools = [{ name: 'read', input_schema: { type: 'object' as const } }];
  const ask = (url: string, messages: Anthropic.MessageParam[]) =>
    sdkClient(url).messages.create({ model: 'claude-sonnet-5', max_tokens: 100, tools, messages }).withResponse();
  const first: Anthropic.MessageParam[] = [{ role: 'user', content: 'what does it say?' }];
  const { content } = (await ask(gateway.url, first)).data;
  const { answer } = await begin();
  expect((await gateway.health()).processes).toMatchObject({ held: 1, streaming: 1 });

  gateway.child.kill('SIGTERM');
  await until('it is not ready', async () => (await fetch(`${gateway.url}/readyz`)).status === 503);
  expect((await fetch(`${gateway.url}/livez`)).headers.get('connection')).toBe('close');
  const inflight = await (await fetch(`${gateway.url}/inflight`)).json();
  expect(inflight).toMatchObject({
    turns: 1,
    list: [{ state: 'answering', path: 'start', caller: expect.any(String) }],
  });
  const rest: Anthropic.MessageParam[] = [...first, { role: 'assistant', content }, resultsFor(content)];
  const refused = await ask(gateway.url, rest).catch((error: APIError) => error);
  expect(refused).toMatchObject({ status: 503, error: { error: { details: { error_code: 'shutting_down' } } } });
  expect(await answer).toMatchObject({ content: [{ text: WORDS }], stop_reason: 'end_turn' });
  await until('it has ended', () => gateway.child.exitCode !== null);
  expect([gateway.child.exitCode, processesWith(`HOME=${gateway.home}`)]).toEqual([0, []]);
  expect(model.requests).toHaveLength(2);

  const next = await startGateway(model.url, ['--spares', '0'], { home: gateway.home });
  cleanups.push(() => next.stop());
  const { data, response } = await ask(next.url, rest);
  expect([response.headers.get('isthmus-path'), data.content]).toMatchObject(['replay', [{ text: 'done' }]]);
});

test('the real `nohup` keeps it from a hangup', { tags: ['soak'] }, async () => {
  const { signal, begin } = await setUp(SLOW, 'nohup');
  const { answer } = await begin();
  signal('SIGHUP');
  expect(await answer).toMatchObject({ content: [{ text: WORDS }], stop_reason: 'end_turn' });
});

test('the second Ctrl-C ends it with its open turns', async () => {
  const { gateway, signal, begin } = await setUp(SILENT);
  await begin();
  await begin();
  const exited = once(gateway.child, 'exit');
  signal('SIGINT');
  await until('it says so', () => gateway.output().includes('2 requests are under way'));
  signal('SIGINT');
  expect(await exited).toEqual([1, null]);
});
