import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import type { Reply } from '../../scripted-model/script.ts';
import { ScriptedModel } from '../../scripted-model/server.ts';
import { sdkClient } from '../support/clients.ts';
import { startGateway, until } from '../support/gateway.ts';

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
  const model = await ScriptedModel.start({ script: [{ replies: [reply] }] });
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
  return { gateway, signal, begin };
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
