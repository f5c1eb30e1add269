import type { APIError } from '@anthropic-ai/sdk';
import { afterEach, describe, expect, test } from 'vitest';
import { failure } from '../../src/spec/failures.ts';
import type { EngineReply } from '../../test-engine/reply.ts';
import { postStream } from '../support/clients.ts';
import { foldMessage } from '../support/fold-message.ts';
import { until } from '../support/gateway.ts';
import { InProcessGateway, type InProcessOptions, TOOLS } from '../support/gateway-in-process.ts';
import { RICH_REPLY } from '../support/rich-reply.ts';

/** What comes back, streamed and whole. */

let house: InProcessGateway;
afterEach(() => house?.stop());

const TEXT: EngineReply = { content: [{ type: 'text', text: 'some words that take several deltas' }] };
const BODY = {
  model: 'claude-sonnet-5',
  max_tokens: 100,
  tools: TOOLS,
  messages: [{ role: 'user' as const, content: 'hi' }],
};

async function setUp(replies: EngineReply[], options: InProcessOptions = {}) {
  house = await InProcessGateway.start([{ replies }], options);
  return house;
}

async function failing(turn: Promise<unknown>): Promise<APIError> {
  return turn.then(
    () => Promise.reject(new Error('it was answered')),
    (error: APIError) => error,
  );
}

test('streaming and not, the answer is the model’s own', async () => {
  await setUp([RICH_REPLY]);
  const { data, response } = await house.ask('hi');
  const { response: streaming, events, end } = await postStream(house.url, BODY);
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  expect(streaming.headers.get('content-type')).toMatch(/^text\/event-stream/);
  expect(end).toEqual({ type: 'message_stop', stop_reason: 'tool_use' });
  for (const answer of [data, foldMessage(events)]) {
    expect(answer).toMatchObject({
      model: 'claude-sonnet-5',
      content: RICH_REPLY.content,
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: RICH_REPLY.usage,
    });
  }
});

test.each([false, true])(
  'an answer names its request, its path and why it was replayed (stream: %s)',
  async (stream) => {
    await setUp([TEXT]);
    const history = [...BODY.messages, { role: 'assistant', content: 'Hello.' }, { role: 'user', content: 'more' }];
    const send = async (messages: object[]) => {
      const response = await fetch(`${house.url}/v1/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...BODY, messages, stream, service_tier: 'auto' }),
      });
      await response.text();
      return Object.fromEntries(response.headers);
    };
    const started = await send(BODY.messages);
    expect(started).toMatchObject({ 'isthmus-path': 'start', 'isthmus-ignored': 'service_tier' });
    expect(started['request-id']).toMatch(/^req_isthmus_/);
    expect(started).not.toHaveProperty('isthmus-replay-reason');
    expect(await send([{ role: 'user', content: 'elsewhere' }, ...history.slice(1)])).toMatchObject({
      'isthmus-path': 'replay',
      'isthmus-replay-reason': 'no live process holds this history',
    });
    expect(await send(history)).toMatchObject({
      'isthmus-path': 'rewind',
      'isthmus-replay-reason': 'the history was changed behind what a live process holds',
    });
  },
);

test('parameters reach the model as they are, and do not leak into the next turn', async () => {
  await setUp([TEXT]);
  const first = await house.ask('hi', { stop_sequences: ['END'], tool_choice: { type: 'any' } });
  await house.ask([
    ...BODY.messages,
    { role: 'assistant', content: first.data.content },
    { role: 'user', content: 'b' },
  ]);
  const [before, after] = house.calls.map(({ parameters }) => parameters);
  expect(before).toMatchObject({ max_tokens: 100, stop_sequences: ['END'], tool_choice: { type: 'any' } });
  expect(after).not.toHaveProperty('stop_sequences');
  expect(after).not.toHaveProperty('tool_choice');
});

test('strictness is the operator’s, or one request’s', async () => {
  const asked = { service_tier: 'auto' as const };
  await setUp([TEXT], { strict: true });
  expect(await failing(house.ask('hi', asked))).toMatchObject({
    status: 400,
    error: { error: { details: { error_code: 'field_ignored' } } },
  });
  await house.stop();
  await setUp([TEXT]);
  await house.ask('hi', asked);
  expect(await failing(house.ask('hi', { ...asked, headers: { 'isthmus-strict': '1' } }))).toMatchObject({
    status: 400,
  });
  expect(house.calls).toHaveLength(1);
});

test('while the model is silent the stream pings, before and inside the answer', async () => {
  let letGo = () => {};
  const goes = () =>
    new Promise<void>((resolve) => {
      letGo = resolve;
    });
  await setUp([{ ...TEXT, pause: { after_events: 0, until: goes() } }], { keepAliveMs: 10 });
  for (const after_events of [0, 3]) {
    house.use([{ replies: [{ ...TEXT, pause: { after_events, until: goes() } }] }]);
    const response = await house.stream('hi');
    expect(response.status).toBe(200);
    let heard = '';
    for await (const chunk of response.body ?? []) {
      heard += Buffer.from(chunk).toString();
      if (/event: ping\n.*event: ping\n/s.test(heard)) letGo();
    }
    const order = [...heard.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name);
    expect(order.indexOf('ping')).toBe(after_events);
    expect(order.at(-1)).toBe('message_stop');
  }
});

describe('before the first byte', () => {
  test.each([
    [400, 'invalid_request_error'],
    [401, 'authentication_error'],
    [402, 'billing_error'],
    [403, 'permission_error'],
    [404, 'not_found_error'],
    [413, 'request_too_large'],
    [429, 'rate_limit_error'],
    [500, 'api_error'],
    [529, 'overloaded_error'],
  ])('an upstream %i is that HTTP status, with its words and its id', async (status, type) => {
    await setUp([{ error: { status, type, message: 'no', headers: { 'retry-after': '30' } } }]);
    for (const stream of [false, true]) {
      const error = await failing(house.client().messages.create({ ...BODY, stream }));
      const requestId = `req_msg_scripted_${house.calls.length}`;
      expect(error.status).toBe(status);
      expect(error.error).toEqual({ type: 'error', error: { type, message: 'no' }, request_id: requestId });
      const { headers } = error;
      expect([headers?.get('request-id'), headers?.get('isthmus-error')]).toEqual([requestId, 'upstream_error']);
      expect(headers?.get('isthmus-path')).toBe('start');
      expect(headers?.get('retry-after')).toBe(status === 429 || status >= 500 ? '30' : null);
    }
    expect(house.engine.processes).toEqual([]);
  });

  test.each([
    [
      'process_lost',
      failure('process_lost', { code: null, signal: 'SIGKILL', stderr: 'last words' }),
      500,
      'api_error',
    ],
    ['upstream_stalled', failure('upstream_stalled', { silentMs: 60_000 }), 504, 'timeout_error'],
    ['not_signed_in', failure('not_signed_in'), 401, 'authentication_error'],
    ['refused_by_claude_code', failure('refused_by_claude_code', 'bad image'), 400, 'invalid_request_error'],
    ['upstream_cut', failure('upstream_cut', { how: 'connection' }), 502, 'api_error'],
  ] as const)('%s is its HTTP status', async (code, why, status, type) => {
    await setUp([{ fail: { after_events: 0, failure: why } }]);
    for (const stream of [false, true]) {
      const error = await failing(house.client().messages.create({ ...BODY, stream }));
      expect(error.status).toBe(status);
      expect(error.error).toMatchObject({ error: { type, message: why.message, details: { error_code: code } } });
      expect(error.headers?.get('isthmus-error')).toBe(code);
      expect(error.headers?.get('request-id')).toMatch(/^req_isthmus_/);
    }
  });

  test.each([
    ['process_spawn_failed', 'spawn'],
    ['files_not_written', 'files'],
  ] as const)('%s is an HTTP 500, and the next request works again', async (code, fault) => {
    const { engine } = await setUp([TEXT], { processes: 1 });
    engine.faults[fault] = 'fails';
    for (const stream of [false, true]) {
      const error = await failing(house.client().messages.create({ ...BODY, stream }));
      expect([error.status, error.headers?.get('isthmus-error')]).toEqual([500, code]);
    }
    delete engine.faults[fault];
    expect((await house.ask('hi')).data.content).toEqual(TEXT.content);
    expect(house.calls).toHaveLength(1);
  });
});

describe('after the first byte', () => {
  test.each<[string, EngineReply, string, string | undefined]>([
    [
      'an upstream error',
      { ...TEXT, stream_error: { after_events: 3, type: 'overloaded_error', message: 'Overloaded' } },
      'overloaded_error',
      undefined,
    ],
    ['a cut', { ...TEXT, cut: { after_events: 3, how: 'end' } }, 'api_error', 'upstream_cut'],
    [
      'the loss of the process',
      { ...TEXT, fail: { after_events: 3, failure: failure('process_lost', undefined) } },
      'api_error',
      'process_lost',
    ],
  ])('%s is an error event, and the next request has its full history', async (_what, reply, type, code) => {
    await setUp([reply, TEXT]);
    const { response, events, end } = await postStream(house.url, BODY);
    expect(response.status).toBe(200);
    expect(events.map((event) => event.type)).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'error',
    ]);
    expect(end.type).toBe('error');
    const details = code && { details: { error_code: code } };
    expect(events.at(-1)).toMatchObject({ type: 'error', error: { type, ...details } });
    expect(house.engine.processes).toEqual([]);
    expect((await house.ask('hi')).data.content).toEqual(TEXT.content);
  });

  test('a client that does not stream gets the status of the failure', async () => {
    await setUp([{ ...TEXT, cut: { after_events: 3, how: 'end' } }]);
    const error = await failing(house.ask('hi'));
    expect([error.status, error.headers?.get('isthmus-error')]).toEqual([502, 'upstream_cut']);
  });

  test('a ping is a first byte', async () => {
    let letGo = () => {};
    const goes = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const error = { status: 429, type: 'rate_limit_error', message: 'slow down' };
    await setUp([{ fail: { after_events: 0, failure: failure('upstream_error', error) } }], {
      keepAliveMs: 10,
      faults: { spawn: goes },
    });
    const response = await house.stream('hi');
    letGo();
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(/event: ping\n.*event: error\n.*rate_limit_error/s);
  });
});

test('a call whose input is no JSON goes to the client of a stream as it is, and to no other', async () => {
  await setUp([{ content: [{ type: 'tool_use', name: 'read', input: {}, raw_input: '{"path": "/etc' }] }]);
  expect(await (await house.stream('hi')).text()).toMatch(/\/etc.*"stop_reason":"tool_use".*message_stop/s);
  const error = await failing(house.ask('hi'));
  expect(error).toMatchObject({ status: 502, error: { error: { details: { error_code: 'upstream_cut' } } } });
  expect(house.engine.processes).toEqual([]);
});

test('each turn is one line of the log, without content', async () => {
  await setUp([TEXT, { error: { status: 400, type: 'invalid_request_error', message: 'no' } }]);
  await house.ask('a secret', { metadata: { user_id: 'someone' }, headers: { 'x-session-id': 'session-1' } });
  await failing(house.ask('another secret'));
  await until('both are logged', () => house.log.length === 2);
  expect(house.log[0]).toMatch(
    / turn request=req_isthmus_\w+ session=session-1 .*user=someone .*outcome=complete ms=\d+ /,
  );
  expect(house.log[1]).toMatch(/outcome=upstream_error status=400/);
  expect(house.log.join('')).not.toContain('secret');
});
