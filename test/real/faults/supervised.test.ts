import { once } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import type { Reply } from '../../../scripted-model/script.ts';
import { ScriptedModel } from '../../../scripted-model/server.ts';
import { CANNOT_START } from '../../../src/service/exit-code.ts';
import { supervise } from '../../../src/service/supervise.ts';
import { sdkClient } from '../../support/clients.ts';
import { freePort } from '../../support/free-port.js';
import { runIsthmus, startGateway, surroundings, until } from '../../support/gateway.ts';
import { childrenOf, processesWith } from '../../support/process-table.ts';
import { QUICK } from '../../support/quick.ts';

/** `isthmus serve --supervise`: what it runs crashes, and so may it. */

const cleanups: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const WORDS = 'a slow answer of some words';
const QUESTION = { role: 'user' as const, content: 'hi' };

async function setUp(...replies: Reply[]) {
  const model = await ScriptedModel.start({ script: [{ replies }] });
  cleanups.push(() => model.close());
  const port = String(await freePort());
  const supervisor = await startGateway(model.url, ['--port', port, '--spares', '0', '--supervise']);
  cleanups.push(() => supervisor.stop());
  const gateways = () => childrenOf(Number(supervisor.child.pid));
  return { model, supervisor, gateways };
}

test('a gateway that is killed within a turn is started again, and the next request replays', QUICK, async () => {
  const text: Reply = { content: [{ type: 'text', text: WORDS }] };
  const { model, supervisor, gateways } = await setUp(text, { ...text, gap_ms: 400 }, text);
  const client = sdkClient(supervisor.url);
  const ask = (messages: object[]) =>
    client.messages.stream({ model: 'claude-sonnet-5', max_tokens: 100, messages: messages as never });
  const first = await ask([QUESTION]).finalMessage();
  const history = [QUESTION, { role: 'assistant', content: first.content }, { role: 'user', content: 'Go on.' }];
  const cut = ask(history)
    .finalMessage()
    .catch((error: unknown) => error);
  await until('the model answers', () => (model.requests[1]?.events ?? 0) > 2);
  const [killed = 0] = gateways();
  const before = processesWith(supervisor.home).filter((pid) => pid !== supervisor.child.pid);
  process.kill(killed, 'SIGKILL');
  expect(await cut).toBeInstanceOf(Error);
  await until('another one listens', () => supervisor.output().split('Isthmus listens on').length === 3);
  const { data, response } = await client.messages
    .create({ model: 'claude-sonnet-5', max_tokens: 100, messages: history as never })
    .withResponse();
  expect([response.headers.get('isthmus-path'), data.content]).toEqual([
    'replay',
    [expect.objectContaining({ text: WORDS })],
  ]);
  expect(model.requests).toHaveLength(3);
  expect(model.requests[2]?.body.messages).toHaveLength(3);
  expect(processesWith(supervisor.home).filter((pid) => before.includes(pid))).toEqual([]);
  expect(supervisor.output()).toContain('has crashed with signal SIGKILL. It is started again in 1 s.');
  expect(await supervisor.stop()).toBe(0);
});

test('a gateway whose supervisor is killed ends as on a signal', async () => {
  const { supervisor } = await setUp({ content: [] });
  const { child, home, output } = supervisor;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  await until('its gateway is gone', () => processesWith(home).length === 0);
  expect(output()).toContain('Stopping.');
});

test('what cannot start is not started again', async () => {
  const { env, remove } = surroundings('http://127.0.0.1:9');
  const { code, output } = await runIsthmus(['serve', '--supervise', '--claude', '/no/such'], env);
  expect([code, output.split('\n').length]).toEqual([CANNOT_START, 2]);
  remove();
});

/** Supervises a script of Node in this very process. */
function supervised(script: string) {
  const said: string[] = [];
  const written: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => written.push(String(chunk)) > 0);
  const code = supervise({
    command: [process.execPath, '-e', script],
    environment: { PATH: process.env.PATH },
    say: (line) => said.push(line),
    limits: { firstMs: 1, longestMs: 2, restarts: 2, steadyMs: 60_000 },
  });
  return { code, said, heard: () => written.join('') };
}

test('a crash loop ends with the last exit code and the last words', async () => {
  const { code, said, heard } = supervised('console.error("one\\ntwo"); process.exit(3)');
  expect(await code).toBe(3);
  expect(said).toEqual([
    'The gateway has crashed with exit code 3. It is started again in 0.001 s.',
    'The gateway has crashed with exit code 3. It is started again in 0.002 s.',
    'The gateway has crashed 3 times in a row, at last with exit code 3: it is not started again.',
    '  one',
    '  two',
  ]);
  expect(heard()).toBe('one\ntwo\n'.repeat(3));
});

test.each([
  ['SIGTERM', 0],
  ['SIGINT', 7],
] as const)('a %s is passed on, and an end with %j is then the last one', async (signal, exit) => {
  const script = `process.on('${signal}', () => process.exit(${exit})); setInterval(() => {}, 1000); console.error('up')`;
  const { code, said, heard } = supervised(script);
  await until('it is up', () => heard() === 'up\n');
  process.emit(signal, signal);
  expect(await code).toBe(exit);
  expect(said).toEqual([]);
});

test('a hangup that is ignored does not make a later crash a stop', async () => {
  const script = `process.on('SIGHUP', () => console.error('hup')); setTimeout(() => process.exit(5), 1500); console.error('up')`;
  const { code, said, heard } = supervised(script);
  await until('it is up', () => heard() === 'up\n');
  process.emit('SIGHUP', 'SIGHUP');
  await until('it was started again', () => said.length > 0);
  expect(heard()).toContain('hup');
  await until('it is up again', () => heard().endsWith('hup\nup\n'));
  process.emit('SIGTERM', 'SIGTERM');
  expect(await code).toBe(143);
});
