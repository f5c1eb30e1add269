import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { Anthropic, APIError } from '@anthropic-ai/sdk';
import { afterEach, expect, test } from 'vitest';
import type { Script } from '../../../scripted-model/script.ts';
import { type RecordedRequest, startScriptedModel } from '../../../scripted-model/testing.ts';
import { asTheModelSees, type WireMessage } from '../../support/as-the-model-sees.ts';
import { sdkClient } from '../../support/clients.ts';
import { startGateway, type TestGateway, until } from '../../support/gateway.ts';
import { childrenOf, isAlive } from '../../support/process-table.ts';
import { QUICK } from '../../support/quick.ts';
import { testParts } from '../../support/test-parts.ts';

/** Budget, eviction, disconnects and ends: a process is a cache, and losing one never calls the model. */

const cleanups: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const CALL = { content: [{ type: 'tool_use' as const, name: 'read', input: {} }] };
const SCRIPT: Script = [
  { when: { text: 'call' }, replies: [CALL] },
  {
    when: { text: 'slow' },
    replies: [{ content: [{ type: 'text', text: 'a slow answer of some words' }], gap_ms: 400 }],
  },
  { when: { text: 'stall' }, replies: [{ content: [{ type: 'text', text: 'x' }], delay_ms: 30_000 }] },
];
const TOOLS: Anthropic.Tool[] = [{ name: 'read', input_schema: { type: 'object' } }];

async function setUp(...flags: string[]) {
  const model = await startScriptedModel({ script: SCRIPT });
  cleanups.push(() => model.close());
  const gateway = await startGateway(model.url, flags);
  cleanups.push(() => gateway.stop());
  const client = sdkClient(gateway.url);
  const ask = (messages: string | Anthropic.MessageParam[], options?: { signal?: AbortSignal }) =>
    client.messages
      .create(
        {
          model: 'claude-sonnet-5',
          max_tokens: 100,
          tools: TOOLS,
          messages: typeof messages === 'string' ? [{ role: 'user', content: messages }] : messages,
        },
        options,
      )
      .withResponse();
  return { model, gateway, client, ask };
}

function results(content: Anthropic.ContentBlock[]): Anthropic.MessageParam {
  const calls = content.filter((block) => block.type === 'tool_use');
  return { role: 'user', content: calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'r' })) };
}

/** A question, the calls that it led to, and their results. */
function answered(question: string, content: Anthropic.ContentBlock[]): Anthropic.MessageParam[] {
  return [{ role: 'user', content: question }, { role: 'assistant', content }, results(content)];
}

/** The `claude` processes below a gateway. */
function children({ child }: TestGateway): number[] {
  return childrenOf(child.pid);
}

test('an evicted conversation goes on by replay, and no eviction calls the model', async () => {
  const { model, gateway, ask } = await setUp('--max-processes', '2', '--spares', '0');
  const histories: Anthropic.MessageParam[][] = [];
  for (const name of ['one', 'two', 'three', 'four']) {
    const messages: Anthropic.MessageParam[] = [{ role: 'user', content: `call ${name}` }];
    histories.push([...messages, { role: 'assistant', content: (await ask(messages)).data.content }]);
    const { processes } = await gateway.health();
    expect(processes.held + processes.idle + processes.streaming).toBeLessThanOrEqual(2);
  }
  const paths: Array<string | null> = [];
  for (const history of histories) {
    const content = history.at(-1)?.content as Anthropic.ContentBlock[];
    paths.push((await ask([...history, results(content)])).response.headers.get('isthmus-path'));
  }
  expect(paths[0]).toBe('replay');
  expect(model.requests).toHaveLength(8);
  expect(model.requests.slice(4).map(({ body }) => body.messages.length)).toEqual([3, 3, 3, 3]);
});

testParts('processes', ['on', 'off'], { isEveryday: (reuse) => reuse === 'on' })(
  'a conversation that goes on with other tools takes its process along, or supersedes it, without a call: --reuse %s',
  async (reuse) => {
    const { model, gateway, ask, client } = await setUp('--spares', '0', '--reuse', reuse);
    const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'call me' }];
    const { content } = (await ask(messages)).data;
    const [first = 0] = children(gateway);
    const tools: Anthropic.Tool[] = [...TOOLS, { name: 'write', input_schema: { type: 'object' } }];
    const history: Anthropic.MessageParam[] = [...messages, { role: 'assistant', content }, results(content)];
    const { response } = await client.messages
      .create({ model: 'claude-sonnet-5', max_tokens: 100, tools, messages: history })
      .withResponse();
    expect(response.headers.get('isthmus-path')).toBe(reuse === 'on' ? 'rewind' : 'replay');
    expect(response.headers.get('isthmus-replay-reason')).toBe('the tools have changed');
    if (reuse === 'off') await until('it is gone', () => !isAlive(first));
    expect(children(gateway)).toHaveLength(1);
    expect(isAlive(first)).toBe(reuse === 'on');
    expect(model.requests).toHaveLength(2);
    const { body } = model.requests[1] as RecordedRequest;
    expect(body.tools).toEqual(tools);
    expect(asTheModelSees(body.messages as WireMessage[], { withThinking: true })).toEqual(
      asTheModelSees(history as WireMessage[], { withThinking: true }),
    );
  },
);

test('idle processes leave before held ones, those never continued first', async () => {
  const { gateway, ask } = await setUp('--max-processes', '3', '--spares', '0');
  const held = await ask('call me');
  const first: Anthropic.MessageParam[] = [{ role: 'user', content: 'hi' }];
  const once = await ask(first);
  const continued: Anthropic.MessageParam[] = [
    ...first,
    { role: 'assistant', content: once.data.content },
    { role: 'user', content: 'more' },
  ];
  const twice = await ask(continued);
  await ask('a title');
  await ask('another');
  expect((await gateway.health()).processes).toMatchObject({ held: 1, idle: 2 });
  const again = await ask([
    ...continued,
    { role: 'assistant', content: twice.data.content },
    { role: 'user', content: 'and' },
  ]);
  expect(again.response.headers.get('isthmus-path')).toBe('continue');
  const back = await ask(answered('call me', held.data.content));
  expect(back.response.headers.get('isthmus-path')).toBe('continue');
});

test('beyond the budget and the queue the answer is 529 with a delay', async () => {
  const { model, gateway, ask } = await setUp(
    '--max-processes',
    '1',
    '--spares',
    '0',
    '--queue-length',
    '1',
    '--queue-seconds',
    '1',
  );
  const slow = ask('slow');
  await until('the model is called', () => model.requests.length === 1);
  const queued = ask('two').then(
    () => undefined,
    (error: APIError) => error,
  );
  await until('one waits', async () => (await gateway.health()).waiting === 1);
  const refused = await ask('three').catch((error: APIError) => error);
  for (const error of [refused, await queued]) {
    expect(error).toMatchObject({ status: 529, error: { error: { type: 'overloaded_error' } } });
    expect((error as APIError).headers?.get('retry-after')).toBe('5');
  }
  expect((await slow).data.stop_reason).toBe('end_turn');
  expect(model.requests).toHaveLength(1);
});

test('who waits in the queue gets the place of a turn that ends', async () => {
  const { model, ask } = await setUp('--max-processes', '1', '--spares', '0');
  const slow = ask('slow');
  await until('the model is called', () => model.requests.length === 1);
  expect((await ask('two')).data.content).toMatchObject([{ text: 'You said: two' }]);
  await slow;
});

test('a client that goes away during the first answer of a spare stops the call upstream', QUICK, async () => {
  const { model, gateway, ask } = await setUp('--spares', '1');
  await until('a spare is ready', async () => (await gateway.health()).processes.spare === 1);
  const gone = new AbortController();
  const turn = ask('slow', { signal: gone.signal }).catch(() => undefined);
  await until('the model is called', () => model.requests.length === 1);
  gone.abort();
  await turn;
  await until('the call is over', () => model.requests[0]?.outcome === 'aborted');
  await until('nothing streams', async () => (await gateway.health()).processes.streaming === 0);
  expect(model.requests).toHaveLength(1);
  await ask('another');
  expect(model.requests.map(({ body }) => body.messages.length)).toEqual([1, 1]);
});

test('two requests from one point are both answered, one live and one by replay', async () => {
  const { model, ask } = await setUp('--spares', '0');
  const first: Anthropic.MessageParam[] = [{ role: 'user', content: 'hi' }];
  const { data } = await ask(first);
  const next: Anthropic.MessageParam[] = [
    ...first,
    { role: 'assistant', content: data.content },
    { role: 'user', content: 'more' },
  ];
  const turns = await Promise.all([ask(next), ask(next)]);
  expect(turns.map(({ response }) => response.headers.get('isthmus-path')).sort()).toEqual(['continue', 'replay']);
  expect(model.requests).toHaveLength(3);
});

test('clients with different keys never share a process', async () => {
  const { gateway, ask } = await setUp('--spares', '0');
  const first: Anthropic.MessageParam[] = [{ role: 'user', content: 'hi' }];
  const { data } = await ask(first);
  const other = sdkClient(gateway.url, 'another');
  const { response } = await other.messages
    .create({
      model: 'claude-sonnet-5',
      max_tokens: 100,
      tools: TOOLS,
      messages: [...first, { role: 'assistant', content: data.content }, { role: 'user', content: 'more' }],
    })
    .withResponse();
  expect(response.headers.get('isthmus-path')).toBe('replay');
});

test('a process that waits longer than its limit leaves, and nothing is lost', async () => {
  const { model, gateway, ask } = await setUp('--held-minutes', '0.001', '--idle-minutes', '0.001', '--spares', '0');
  const { data } = await ask('call');
  await ask('hi');
  await until('both are gone', async () => {
    const { held, idle } = (await gateway.health()).processes;
    return held + idle === 0;
  });
  const back = await ask(answered('call', data.content));
  expect(back.response.headers.get('isthmus-path')).toBe('replay');
  expect(model.requests).toHaveLength(3);
});

// `npm test` kills a gateway in killed-gateway.test.ts.
testParts('processes', ['SIGTERM', 'SIGKILL'] as const, { isEveryday: (signal) => signal === 'SIGTERM' })(
  '%s of the gateway while a call is held leaves no process and calls no model',
  async (signal) => {
    const { model, gateway, ask } = await setUp('--spares', '1');
    await ask('call');
    await ask('hi');
    const pids = children(gateway);
    expect(pids.length).toBeGreaterThanOrEqual(2);
    const exited = once(gateway.child, 'exit');
    gateway.child.kill(signal);
    await exited;
    await until('no process is left', () => !pids.some(isAlive));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(model.requests).toHaveLength(2);
    const left = () => readdirSync(gateway.home).filter((name) => name.startsWith('isthmus-run-'));
    if (signal === 'SIGTERM') expect(left()).toEqual([]);
    else {
      // A killed gateway cannot clean up; the next one does.
      expect(left()).toHaveLength(1);
      const next = await startGateway(model.url, ['--spares', '0'], { env: { TMPDIR: gateway.home } });
      expect(left()).toHaveLength(1);
      await next.stop();
      expect(left()).toEqual([]);
    }
  },
);

testParts('processes', [false, true], {
  isEveryday: (stream) => !stream,
})('SIGTERM lets a client read an answer that is complete (stream: %s)', async (stream) => {
  const { model, gateway } = await setUp('--spares', '0');
  const words = 'x'.repeat(12_000_000);
  model.use([{ replies: [{ content: [{ type: 'text', text: words }], delta_length: 200_000 }] }]);
  const response = await fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', max_tokens: 9, stream, messages: [{ role: 'user', content: 'hi' }] }),
  });
  await until('it is complete', async () => (await gateway.health()).processes.idle === 1);
  const exited = once(gateway.child, 'exit');
  gateway.child.kill('SIGTERM');
  await until('it is stopping', () => gateway.output().includes('Stopping'));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const text = await response.text();
  expect(text.length).toBeGreaterThan(words.length);
  expect(text.slice(-200)).toMatch(stream ? /message_stop/ : /"stop_reason":"end_turn"/);
  expect(await exited).toEqual([0, null]);
});

test('after SIGTERM what cannot finish in time, and what still waits, is told so', async () => {
  const { model, gateway, ask } = await setUp('--max-processes', '1', '--spares', '0', '--drain-seconds', '1');
  const turns = [ask('stall').catch((error: APIError) => error)];
  await until('the model is called', () => model.requests.length === 1);
  turns.push(ask('queued').catch((error: APIError) => error));
  await until('one waits', async () => (await gateway.health()).waiting === 1);
  gateway.child.kill('SIGTERM');
  for (const turn of turns) {
    expect(await turn).toMatchObject({ status: 503, error: { error: { message: 'Isthmus is shutting down.' } } });
  }
  await until('it has ended', () => gateway.child.exitCode !== null);
  expect(model.requests).toHaveLength(1);
});
