import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Anthropic, APIError } from '@anthropic-ai/sdk';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Reply } from '../../../scripted-model/script.ts';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import { findExecutable } from '../../../src/engine/environment/executable.ts';
import { postStream, sdkClient } from '../../support/clients.ts';
import { startGateway, surroundings, type TestGateway } from '../../support/gateway.ts';
import { OwnCalls } from '../../support/own-calls.ts';
import { childrenOf, environmentOf } from '../../support/process-table.ts';
import { QUICK } from '../../support/quick.ts';
import { testParts } from '../../support/test-parts.ts';

/** What a client sees of everything that can go wrong behind the gateway. */

const ownCalls = new OwnCalls();
afterEach(ownCalls.refuse);

const cleanups: Array<() => unknown> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

let shared: { model: ScriptedModel; gateway: TestGateway };
beforeAll(async () => {
  const model = await startScriptedModel({ onRequest: ownCalls.hear });
  shared = { model, gateway: await startGateway(model.url, ['--spares', '0']) };
});
afterAll(async () => {
  await shared?.gateway.stop();
  await shared?.model.close();
});

async function alone(flags: string[]) {
  const model = await startScriptedModel({ onRequest: ownCalls.hear });
  cleanups.push(() => model.close());
  const gateway = await startGateway(model.url, ['--spares', '0', ...flags]);
  cleanups.push(() => gateway.stop());
  return { model, gateway };
}

/** @param flags for which a gateway of its own is started */
async function setUp(replies: Reply[], ...flags: string[]) {
  const { model, gateway } = flags.length > 0 ? await alone(flags) : shared;
  model.restart([{ replies }]);
  const client = sdkClient(gateway.url);
  const ask = (stream = false): Promise<Anthropic.Message> => {
    const body = { ...ASK, messages: hi() };
    return stream ? client.messages.stream(body).finalMessage() : client.messages.create(body);
  };
  return { model, gateway, ask };
}

const ASK = { model: 'claude-sonnet-5', max_tokens: 10 };
/** Other words each time: a used process that is asked the same again would look like Claude Code's own call. */
let asked = 0;
const hi = () => {
  asked += 1;
  return [{ role: 'user' as const, content: `hi ${asked}` }];
};
const TEXT: Reply = { content: [{ type: 'text', text: 'some words that take several deltas' }] };

async function failing(turn: Promise<unknown>): Promise<APIError> {
  const error = await turn.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof APIError)) throw new Error(`an API error was expected, not ${String(error)}`);
  return error;
}

/** Each ends otherwise: by a sign-in, a wait and a failure of the API. */
const EVERYDAY_STATUSES = [401, 429, 529];

testParts<[status: number, type: string, message: string]>(
  'errorsPassedOn',
  [
    [400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'],
    [400, 'invalid_request_error', 'messages.0: bad'],
    [401, 'authentication_error', 'invalid x-api-key'],
    [402, 'billing_error', 'pay first'],
    [403, 'permission_error', 'not yours'],
    [413, 'request_too_large', 'too large'],
    [429, 'rate_limit_error', 'slow down'],
    [500, 'api_error', 'oops'],
    [503, 'api_error', 'not now'],
    [529, 'overloaded_error', 'busy'],
  ],
  { isQuick: (_row, at) => at === 0, isEveryday: ([status]) => EVERYDAY_STATUSES.includes(status) },
)('an upstream %i %s (%s) is passed on with its words and its id', async (status, type, message) => {
  const { model, ask } = await setUp([{ error: { status, type, message, headers: { 'retry-after': '3' } } }]);
  for (const stream of [false, true]) {
    const error = await failing(ask(stream));
    const requestId = `req_msg_scripted_${model.requests.length}`;
    expect(error.status).toBe(status);
    expect(error.error).toEqual({ type: 'error', error: { type, message }, request_id: requestId });
    expect(error.headers?.get('request-id')).toBe(requestId);
    expect(error.headers?.get('isthmus-error')).toBe('upstream_error');
    if (status === 429) expect(Number(error.headers?.get('retry-after'))).toBeGreaterThanOrEqual(3);
  }
  expect(model.requests).toHaveLength(2);
});

test('with --retries gateway the CLI tries again, and the client gets the answer', async () => {
  const busy = { error: { status: 529, type: 'overloaded_error', message: 'busy', headers: { 'retry-after': '1' } } };
  const { model, gateway, ask } = await setUp([busy, TEXT, busy, TEXT], '--retries', 'gateway');
  for (const stream of [false, true]) expect((await ask(stream)).content).toMatchObject(TEXT.content as object[]);
  expect(model.requests).toHaveLength(4);
  // With it the CLI would never give up.
  const processes = childrenOf(gateway.child.pid);
  expect(processes.length).toBeGreaterThan(0);
  expect(processes.filter((pid) => environmentOf(pid).includes('CLAUDE_CODE_RETRY_WATCHDOG'))).toEqual([]);
});

test('a failure has its own words, not those of an earlier turn that the CLI tried again', async () => {
  const error = (status: number, type: string, message: string): Reply => ({
    error: { status, type, message, headers: { 'retry-after': '1' } },
  });
  const { model, gateway } = await setUp(
    [error(529, 'overloaded_error', 'busy'), TEXT, error(400, 'invalid_request_error', 'messages.2: bad')],
    '--retries',
    'gateway',
  );
  const first = hi();
  const client = sdkClient(gateway.url);
  const { content } = await client.messages.create({ ...ASK, messages: first });
  const messages = [...first, { role: 'assistant' as const, content }, { role: 'user' as const, content: 'more' }];
  const failure = await failing(client.messages.create({ ...ASK, messages }));
  expect(failure.headers?.get('isthmus-path')).toBe('continue');
  expect(failure.error).toMatchObject({ error: { type: 'invalid_request_error', message: 'messages.2: bad' } });
  expect(model.requests).toHaveLength(3);
});

test('a stream that breaks once it has begun is not begun anew, whoever retries', async () => {
  const cut: Reply = { ...TEXT, cut: { after_events: 4, how: 'end' } };
  const { model, gateway, ask } = await setUp([cut, TEXT], '--retries', 'gateway');
  const { events } = await postStream(gateway.url, { ...ASK, messages: hi() });
  expect(events.at(-1)).toMatchObject({ type: 'error', error: { details: { error_code: 'upstream_cut' } } });
  expect(model.requests).toHaveLength(1);
  expect((await ask()).content).toMatchObject(TEXT.content as object[]);
});

const SILENCES: Array<[where: string, status: number | undefined, Reply]> = [
  ['before its first byte', 504, { ...TEXT, delay_ms: 60_000 }],
  ['within its stream', undefined, { ...TEXT, cut: { after_events: 4, how: 'silence' } }],
];
testParts('errorsPassedOn', SILENCES, {
  // upstream.test.ts has it on every way.
  isEveryday: () => false,
})('a model that falls silent %s is given up', async (_where, status, reply) => {
  const { model, ask } = await setUp([reply], '--stall-minutes', '0.1', '--keep-alive-seconds', '60');
  const error = await failing(ask(true));
  // The official SDK has no status for an error inside a stream.
  expect(error.status).toBe(status);
  expect(error.error).toMatchObject({
    error: { type: 'timeout_error', details: { error_code: 'upstream_stalled' } },
  });
  expect(model.requests).toHaveLength(1);
  await expect.poll(() => model.requests[0]?.outcome).toBe('aborted');
});

test('a process that cannot be started says how it ended, and the next request works again', QUICK, async () => {
  const { home, remove } = surroundings('http://127.0.0.1:9');
  cleanups.push(remove);
  const wrapper = join(home, 'claude');
  const broken = join(home, 'broken');
  const { path } = findExecutable(undefined);
  writeFileSync(wrapper, `#!/bin/sh\n[ -e ${broken} ] && { echo no licence >&2; exit 3; }\nexec ${path} "$@"\n`);
  chmodSync(wrapper, 0o755);
  const { gateway, ask } = await setUp([TEXT], '--claude', wrapper, '--reuse', 'off');

  writeFileSync(broken, '');
  const error = await failing(ask());
  expect(error.status).toBe(500);
  expect(error.headers?.get('isthmus-error')).toBe('process_spawn_failed');
  expect(error.message).toContain('exit code 3');
  expect(error.message).not.toContain('no licence');
  await expect.poll(() => gateway.output()).toContain('no licence');

  rmSync(broken);
  expect((await ask()).content).toMatchObject(TEXT.content as object[]);
  rmSync(wrapper);
  expect((await failing(ask())).headers?.get('isthmus-error')).toBe('process_spawn_failed');
  await expect.poll(async () => (await gateway.health()).processes.streaming).toBe(0);
});
