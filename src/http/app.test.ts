import { get } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { answerMessage } from '../../test/support/answer-message.ts';
import { Agents } from '../agents/agents.ts';
import { anthropicMessages } from '../dialects/anthropic-messages/anthropic-messages.ts';
import { decodeRequest } from '../dialects/anthropic-messages/decode-request.ts';
import type { AnswerEncoder, Dialect } from '../dialects/dialect.ts';
import type { CredentialState } from '../gateway/credential-health.ts';
import type { GatewayStatus, Order } from '../gateway/gateway.ts';
import { KnownLimits } from '../limits/known-limits.ts';
import { KnownModels } from '../models/known-models.ts';
import type { Agent } from '../spec/agent.ts';
import { FAILURE_FACTS, failed, failure } from '../spec/failures.ts';
import type { TurnEvent } from '../spec/turn-events.ts';
import type { TurnRecord } from '../spec/turn-record.ts';
import { createApp } from './app.ts';
import { type Listener, listen } from './listen.ts';

/** The routes over two dialects and a gateway that plays what a test says: no engine is in it. */

const ANSWER = answerMessage('grüße');
const START: TurnEvent = { type: 'message_start', message: { ...ANSWER, content: [], stop_reason: null } };
const STOP: TurnEvent = { type: 'message_stop', answer: ANSWER };

/** A dialect of another kind: numbered chunks, an end of its own, another envelope, one status of its own. */
const counted: Dialect = {
  name: 'counted',
  routes: [
    {
      serves: 'turn',
      method: 'POST',
      path: '/v1/chat/completions',
      decode: ({ body }) => {
        const request = decodeRequest(body);
        return { request, encoder: () => (request.stream ? new CountedChunks() : wholeText) };
      },
    },
  ],
  contract: {},
  encodeError: ({ code, status, message }) => ({
    status: code === 'overloaded' ? 503 : status,
    headers: { 'x-request-id': 'also' },
    body: { error: { message, code } },
  }),
  limitHeaders: ({ status }) => ({ 'x-plan': String(status) }),
  asReturned: ({ content }) => ({
    role: 'assistant',
    content: [{ type: 'text', text: content.map((block) => block.text).join('') }],
  }),
};

class CountedChunks implements AnswerEncoder {
  #number = 0;
  encode(event: TurnEvent): string {
    if (event.type === 'failure') return `data: {"error":"${event.failure.code}"}\n\n`;
    return event.type === 'message_stop' ? 'data: [DONE]\n\n' : this.keepAlive();
  }
  keepAlive(): string {
    this.#number += 1;
    return `data: ${this.#number}\n\n`;
  }
}
const wholeText: AnswerEncoder = {
  encode: (event) => (event.type === 'message_stop' ? JSON.stringify({ text: event.answer.content[0]?.text }) : ''),
  keepAlive: () => '',
};

let play: (order: Order) => AsyncIterable<TurnEvent>;
let orders: Order[];
/** The models for which tokens were counted. */
let asked: string[];
const records: TurnRecord[] = [];
const logged: string[] = [];
const shapes: unknown[] = [];
let limits: KnownLimits;
/** What is found of the health. */
let state: { isDraining: boolean; isBinaryThere: boolean; signIn: CredentialState; failing?: GatewayStatus['failing'] };
let server: Listener;
let url: string;

beforeAll(async () => {
  limits = new KnownLimits();
  const models = new KnownModels();
  models.offer([{ id: 'claude-opus-5-5', aliases: ['opus'] }]);
  const app = createApp({
    gateway: {
      open: async (order) => {
        orders.push(order);
        order.marks.handed = performance.now();
        return { conversation: 'c', way: { path: 'start', by: 'new' }, events: play(order) };
      },
      agentTurn: async () => undefined,
      countTokens: async ({ request: { model } }) => {
        asked.push(model);
        return { inputTokens: 7, source: model.includes('nobody') ? 'estimate' : 'sdk' };
      },
      get isDraining() {
        return state.isDraining;
      },
      get status() {
        const { signIn, failing } = state;
        return {
          processes: { streaming: 0, held: 0, idle: 0, spare: 0, spawning: 0 },
          waiting: 0,
          memoryBytes: 0,
          reuse: { state: 'on' as const, loads: 0, failed: 0 },
          signIn,
          ...(failing && { failing }),
        };
      },
    },
    isBinaryThere: () => state.isBinaryThere,
    dialects: [anthropicMessages, counted],
    id: '0123456789abcdef',
    bindHost: '127.0.0.1',
    allowedHosts: ['gateway.team'],
    allowedOrigins: [],
    keepAliveMs: 20,
    strict: false,
    passesBeta: () => true,
    aliasOf: () => undefined,
    models,
    agents: new Agents([{ agent: { name: 'docs', level: 'read' } as Agent, access: { origins: [] } }]),
    identity: { version: '0', mode: 'bare', credential: 'none', startedAt: '2026-01-01T00:00:00.000Z' },
    limits,
    observers: [
      () => {
        throw new Error('a bad observer');
      },
      (record) => records.push(record),
    ],
    log: (event, fields, level) => {
      logged.push(event);
      if (level === 'debug') shapes.push(fields);
    },
    logsShapes: true,
  });
  server = await listen([anthropicMessages, counted], { host: '127.0.0.1', port: 0 });
  server.serve(app);
  url = `http://127.0.0.1:${server.port}`;
});
afterAll(async () => {
  const closed = server.close();
  await server.finish(0);
  await closed;
});
beforeEach(() => {
  orders = [];
  asked = [];
  state = { isDraining: false, isBinaryThere: true, signIn: 'ok' };
  records.length = 0;
  logged.length = 0;
  plays(START, STOP);
});

function plays(...events: TurnEvent[]): void {
  play = async function* ({ marks }) {
    for (const event of events) {
      marks.eventAt = performance.now();
      yield event;
    }
  };
}

const BODY = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] };
const post = (path: string, body: unknown = BODY, headers: Record<string, string> = {}) =>
  fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const MESSAGES = '/v1/messages';
const COUNTED = '/v1/chat/completions';

test('a whole answer is the body that the dialect makes, with its length', async () => {
  const messages = await post(MESSAGES);
  expect(messages.headers.get('content-type')).toBe('application/json');
  expect(messages.headers.get('content-length')).toBe(String(Buffer.byteLength(JSON.stringify(ANSWER))));
  expect(messages.headers.get('isthmus-path')).toBe('start');
  expect(messages.headers.get('request-id')).toMatch(/^req_isthmus_/);
  expect(await messages.json()).toEqual(ANSWER);
  expect(await (await post(COUNTED)).json()).toEqual({ text: 'grüße' });
});

test('the id that a client gives its request is that of the answer, the record and the turn', async () => {
  const own = { 'x-request-id': 'trace:1-A' };
  plays(START, STOP);
  for (const stream of [true, false]) {
    const { headers } = await post(MESSAGES, { ...BODY, stream }, own);
    expect([headers.get('request-id'), headers.get('x-request-id')]).toEqual(['trace:1-A', 'trace:1-A']);
  }
  const refused = await post(`${MESSAGES}/count_tokens`, {}, own);
  expect([refused.headers.get('x-request-id'), await refused.json()]).toMatchObject([
    'trace:1-A',
    { request_id: 'trace:1-A' },
  ]);
  plays({ type: 'failure', failure: failure('upstream_error', { status: 400, requestId: 'req_upstream' }) });
  const failing = await post(MESSAGES, BODY, own);
  expect([failing.headers.get('request-id'), failing.headers.get('x-request-id')]).toEqual([
    'req_upstream',
    'trace:1-A',
  ]);
  await expect.poll(() => records.map(({ who }) => who.requestId)).toEqual(Array(3).fill('trace:1-A'));
  expect(orders.map(({ id }) => id)).toEqual(Array(3).fill('trace:1-A'));
});

test.each(['', 'two words', 'grüße', 'x'.repeat(129)])('%j is no id of a request', async (id) => {
  const { headers } = await post(MESSAGES, BODY, { 'x-request-id': Buffer.from(id).toString('latin1') });
  expect(headers.get('request-id')).toMatch(/^req_isthmus_/);
  expect(headers.get('x-request-id')).toBe(headers.get('request-id'));
});

test('a stream is the frames that the dialect makes, with one memory for the whole answer', async () => {
  plays(START, START, STOP);
  const response = await post(COUNTED, { ...BODY, stream: true });
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(response.headers.get('content-length')).toBeNull();
  expect(await response.text()).toBe('data: 1\n\ndata: 2\n\ndata: [DONE]\n\n');
});

test('a silence is filled with what the dialect has for it, and counted on', async () => {
  play = async function* () {
    await new Promise((resolve) => setTimeout(resolve, 30));
    yield STOP;
  };
  expect(await (await post(COUNTED, { ...BODY, stream: true })).text()).toMatch(/^data: 1\n\n.*data: \[DONE\]\n\n$/s);
  expect(await (await post(COUNTED)).json()).toEqual({ text: 'grüße' });
});

test('a failure before the first byte is an answer in the dialect’s envelope, after it a frame', async () => {
  plays({ type: 'failure', failure: failure('overloaded', { why: 'full' }) });
  for (const stream of [true, false]) {
    const messages = await post(MESSAGES, { ...BODY, stream });
    expect([messages.status, messages.headers.get('retry-after')]).toEqual([529, '5']);
    expect(await messages.json()).toMatchObject({ type: 'error', error: { type: 'overloaded_error' } });
    const counted = await post(COUNTED, { ...BODY, stream });
    expect([counted.status, counted.headers.get('retry-after')]).toEqual([503, '5']);
    expect(counted.headers.get('isthmus-error')).toBe('overloaded');
    expect(counted.headers.get('x-request-id')).toBe('also');
    expect(await counted.json()).toMatchObject({ error: { code: 'overloaded' } });
  }
  plays(START, { type: 'failure', failure: failure('upstream_cut', { how: 'stream' }) });
  expect(await (await post(COUNTED, { ...BODY, stream: true })).text()).toBe(
    'data: 1\n\ndata: {"error":"upstream_cut"}\n\n',
  );
  expect((await post(COUNTED)).status).toBe(502);
});

test('what is known of the plan’s limits goes out with each answer, in the dialect’s headers, and with a refusal of the plan', async () => {
  const send = async (path: string, stream: boolean) => {
    const response = await post(path, { ...BODY, stream });
    await response.text();
    return [
      response.status,
      response.headers.get('x-plan'),
      response.headers.get('anthropic-ratelimit-unified-status'),
    ];
  };
  expect(await send(COUNTED, true)).toEqual([200, null, null]);
  expect(await (await fetch(`${url}/v1/usage`)).json()).toEqual({ limits: null, reason: expect.any(String) });
  const known = { heardAt: 1_800_000_000_000, status: 'rejected' as const, claim: 'five_hour', windows: {} };
  limits.hear(known);
  for (const stream of [true, false]) {
    plays(START, STOP);
    expect(await send(COUNTED, stream)).toEqual([200, 'rejected', null]);
    expect(await send(MESSAGES, stream)).toEqual([200, null, 'rejected']);
    plays({ type: 'failure', failure: failure('plan_limit_reached', { limits: known }) });
    expect(await send(COUNTED, stream)).toEqual([429, 'rejected', null]);
    plays({ type: 'failure', failure: failure('overloaded', { why: 'full' }) });
    expect(await send(COUNTED, stream)).toEqual([503, null, null]);
  }
});

test('a client is told whether to send its request again, and not to sleep for more than five minutes', async () => {
  const waiting = (retryAfterSeconds: number | undefined, mayRepeat?: false) =>
    failure('upstream_error', { status: 429, message: 'slow down', retryAfterSeconds, mayRepeat });
  for (const [failing, retryAfter, shouldRetry] of [
    [waiting(300), '300', 'true'],
    [waiting(301), '301', 'false'],
    [waiting(undefined), null, 'true'],
    [waiting(undefined, false), null, 'false'],
    [failure('upstream_error', { status: 401 }), null, 'false'],
    [failure('bad_request', { path: 'model', problem: 'is missing' }), null, 'false'],
    [failure('upstream_cut', { how: 'stream' }), null, 'true'],
    [failure('internal', 'a defect'), null, null],
  ] as const) {
    plays({ type: 'failure', failure: failing });
    const { headers } = await post(MESSAGES);
    expect([headers.get('retry-after'), headers.get('x-should-retry')]).toEqual([retryAfter, shouldRetry]);
  }
});

test('requests are taken by the names that the operator allows, and by no others', async () => {
  const statusFor = (host: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      get(`${url}/`, { headers: { host }, agent: false }, (response) => resolve(response.resume().statusCode)).once(
        'error',
        reject,
      );
    });
  expect(await statusFor('gateway.team:3456')).toBe(200);
  expect(await statusFor('another.team:3456')).toBe(403);
});

test('an answer that cannot be folded is a whole stream, and a failure as a whole', async () => {
  plays(START, { type: 'message_stop', answer: ANSWER, unfoldable: failure('upstream_cut', { how: 'stream' }) });
  expect(await (await post(COUNTED, { ...BODY, stream: true })).text()).toBe('data: 1\n\ndata: [DONE]\n\n');
  expect((await post(COUNTED)).status).toBe(502);
  await expect.poll(() => records.map(({ came }) => came.outcome)).toEqual(['complete', 'upstream_cut']);
});

test('a turn without an end is a defect, told as such', async () => {
  plays();
  const response = await post(MESSAGES);
  expect([response.status, response.headers.get('isthmus-error')]).toEqual([500, 'internal']);
});

test('what the lineage of the next turn is made from is the dialect’s to say', async () => {
  await post(COUNTED);
  const content = [
    { type: 'text', text: 'a' },
    { type: 'text', text: 'b' },
  ];
  expect(orders[0]?.asReturned({ ...ANSWER, content }).content).toEqual([{ type: 'text', text: 'ab' }]);
});

const isMessages = { type: 'error', request_id: expect.any(String) };
const isCounted = { error: { code: expect.any(String) } };

test.each<[string, string, RequestInit, number, object]>([
  ['another method', MESSAGES, {}, 405, isMessages],
  ['another method', COUNTED, {}, 405, isCounted],
  ['a path below', `${MESSAGES}/none`, {}, 404, isMessages],
  ['a path below', `${COUNTED}/none`, {}, 404, isCounted],
  ['a path beside', `${COUNTED}s`, {}, 404, isMessages],
  ['a path of nobody', '/health/none', {}, 404, isMessages],
  ['a path below that of an agent', `/agents/docs${COUNTED}/none`, {}, 404, isCounted],
  ['another method below an agent', `/agents/docs${COUNTED}`, {}, 405, isCounted],
  ['a model that is not there', '/v1/models/nobody', {}, 404, isMessages],
  ['another origin', MESSAGES, { method: 'POST', headers: { origin: 'http://evil.example' } }, 403, isMessages],
  ['another origin', COUNTED, { method: 'POST', headers: { origin: 'http://evil.example' } }, 403, isCounted],
  ['no JSON', COUNTED, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' }, 415, isCounted],
])('an error is told by its path: %s, %s', async (_what, path, init, status, envelope) => {
  const response = await fetch(`${url}${path}`, init);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject(envelope);
  if (status === 405) expect(response.headers.get('allow')).toBe('POST');
});

test('a body that is too large is told by its path', async () => {
  const response = await post(COUNTED, 'x'.repeat(33 * 1024 * 1024));
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject(isCounted);
});

test('every answer keeps web pages from reading, running and framing it', async () => {
  const shield = {
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-frame-options': 'DENY',
  };
  const answers = [
    await post(MESSAGES),
    await post(MESSAGES, { ...BODY, stream: true }),
    await post(MESSAGES, {}),
    await post(`${MESSAGES}/count_tokens`, {}),
    await fetch(`${url}/health`),
    await fetch(`${url}/`, { method: 'HEAD' }),
    await fetch(`${url}/none`),
    await fetch(`${url}/health`, { headers: { 'sec-fetch-site': 'cross-site' } }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 400, 400, 200, 200, 404, 403]);
  for (const { headers } of answers) expect(Object.fromEntries(headers)).toMatchObject(shield);
  for (const request of [
    'BREW /v1/chat/completions',
    'GET / HTTP/1.1\r\nhost: a b',
    'GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nexpect: nothing',
  ]) {
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`${request}\r\nconnection: close\r\n\r\n`);
    const head = await text(socket);
    expect(head).toMatch(/^HTTP\/1\.1 4/);
    for (const [name, value] of Object.entries(shield)) expect(head).toContain(`${name}: ${value}\r\n`);
  }
});

test('a request of its own that comes back is refused on any path, one through others is not', async () => {
  const through = (...ids: string[]) => ({ 'isthmus-via': ids.join(', ') });
  const own = through('0123456789abcdef', 'fedcba9876543210');
  for (const path of [MESSAGES, COUNTED, `${MESSAGES}/count_tokens`, '/health', '/none']) {
    const response = await post(path, BODY, own);
    expect([response.status, response.headers.get('isthmus-error')]).toEqual([400, 'request_loop']);
  }
  expect(orders).toEqual([]);
  expect((await post(MESSAGES, BODY, through('fedcba9876543210'))).status).toBe(200);
  expect(orders[0]?.request.via).toEqual(['fedcba9876543210']);
});

test('what is no request is told by the first dialect', async () => {
  const socket = connect(server.port, '127.0.0.1');
  socket.write('BREW /v1/chat/completions\r\n\r\n');
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  expect(head).toMatch(/^isthmus-error: bad_request$/m);
  expect(head).toMatch(new RegExp(`^content-length: ${Buffer.byteLength(body)}$`, 'm'));
  expect(JSON.parse(body)).toMatchObject(isMessages);
});

test('an agent is named in each dialect, and its absence told in the dialect’s envelope', async () => {
  const answers = [
    await post(`/agents/docs${COUNTED}`),
    await post(COUNTED, BODY, { 'isthmus-agent': 'docs' }),
    await post(COUNTED, { ...BODY, model: 'docs' }),
  ];
  for (const answer of answers) {
    expect(answer.headers.get('isthmus-agent')).toBe('docs');
    expect(await answer.json()).toEqual({ text: 'grüße' });
  }
  expect(orders.map(({ request: { agent, model } }) => [agent, model])).toEqual([
    [{ name: 'docs' }, 'm'],
    [{ name: 'docs' }, 'm'],
    [{ name: 'docs' }, 'claude-opus-5-5'],
  ]);
  await expect.poll(() => records.map(({ what }) => what?.agent)).toEqual(['docs', 'docs', 'docs']);
  const refused = await post(`/agents/none${COUNTED}`);
  expect([refused.status, await refused.json()]).toMatchObject([404, { error: { code: 'agent_not_found' } }]);
  await expect.poll(() => records.at(-1)).toMatchObject({ what: { model: 'm' }, came: { outcome: 'agent_not_found' } });
});

test('a model has its path, a list of models too, and tokens are counted', async () => {
  expect(await (await fetch(`${url}/v1/models`)).json()).toMatchObject({
    object: 'list',
    first_id: 'claude-opus-5-5',
    data: [
      { object: 'model', owned_by: 'anthropic', created: 0, max_input_tokens: 1_000_000, max_tokens: 128_000 },
      { object: 'model', owned_by: 'isthmus', id: 'docs', max_input_tokens: 1_000_000 },
    ],
  });
  expect(await (await fetch(`${url}/v1/models/opus`)).json()).toMatchObject({ id: 'claude-opus-5-5' });
  expect((await fetch(`${url}/v1/models`, { method: 'HEAD' })).status).toBe(200);
  const { max_tokens: _, ...body } = BODY;
  const counted = await post(`${MESSAGES}/count_tokens`, body);
  expect(counted.headers.get('isthmus-token-count')).toBe('sdk');
  expect(await counted.json()).toEqual({ input_tokens: 7 });
});

test('the list of models is there with and without /v1', async () => {
  const [long, short] = await Promise.all(
    ['/v1/models', '/models'].map(async (path) => (await fetch(`${url}${path}`)).json()),
  );
  expect(short).toEqual(long);
});

test('where clients of every dialect come, an error is one for each of them', async () => {
  for (const path of ['/v1/embeddings', '/v1/files/one', '/v1/models/nobody', '/agents/docs/v1/batches']) {
    const refused = await fetch(`${url}${path}`);
    expect([path, refused.status, await refused.json()]).toMatchObject([
      path,
      404,
      {
        type: 'error',
        error: { type: 'not_found_error', code: expect.stringMatching(/^(not_found|model_not_known)$/) },
      },
    ]);
  }
  const below = await fetch(`${url}/v1/chat/completions/one`);
  expect([below.status, await below.json()]).toEqual([
    404,
    { error: { message: expect.any(String), code: 'not_found' } },
  ]);
});

test.each([
  ['is in the kept table', 'claude-sonnet-4-5', 200, []],
  ['the API counts for', 'claude-opus-6', 200, ['claude-opus-6']],
  ['the API does not count for', 'claude-nobody-6', 404, ['claude-nobody-6']],
  ['is lately known not to be there', 'claude-nobody-6', 404, []],
  ['only a deployment has', 'arn:aws:bedrock:us-east-1:1:profile/a1', 200, ['arn:aws:bedrock:us-east-1:1:profile/a1']],
  ['no request may name', 'two%20words', 404, []],
])('a model that %s: %s', async (_which, id, status, counts) => {
  const response = await fetch(`${url}/v1/models/${id}`);
  expect(response.status).toBe(status);
  if (status === 200) expect(await response.json()).toMatchObject({ id, object: 'model' });
  else expect(await response.json()).toMatchObject({ error: { type: 'not_found_error' } });
  expect(asked).toEqual(counts);
});

test('a prefix that a turn takes off a model’s name does not hide the model', async () => {
  for (const [id, found] of [
    ['anthropic/opus', 'claude-opus-5-5'],
    ['anthropic%2Fclaude-opus-6', 'claude-opus-6'],
  ]) {
    expect(await (await fetch(`${url}/v1/models/${id}`)).json()).toMatchObject({ id: found });
  }
  expect(asked).toEqual(['claude-opus-6']);
});

test('the capabilities are those of the first dialect, with the others by name, and all failures', async () => {
  const response = await fetch(`${url}/v1/capabilities`);
  expect(await response.json()).toEqual({
    ...anthropicMessages.contract,
    dialects: { counted: counted.contract },
    errors: FAILURE_FACTS,
  });
});

test('observers hear of each turn once, and one that throws harms nobody', async () => {
  const headers = { 'user-agent': 'opencode/1.2 (linux) ai-sdk/6', 'x-session-id': 'ses_1', 'x-api-key': 'k' };
  await (await post(COUNTED, { ...BODY, temperature: 1, metadata: { user_id: 'somebody' } }, headers)).text();
  await (await post(MESSAGES, 'what is typed')).text();
  await expect.poll(() => records.length).toBe(2);
  expect(records[0]).toMatchObject({
    who: { client: 'opencode/1.2', session: 'ses_1', user: 'somebody', caller: orders[0]?.caller.name },
    what: {
      dialect: 'counted',
      model: 'm',
      stream: false,
      messages: 1,
      tools: 0,
      parameters: ['max_tokens', 'temperature'],
    },
    how: { path: 'start' },
    came: { outcome: 'complete', stopReason: 'end_turn', usage: ANSWER.usage },
  });
  expect(records[0]?.how.times.own).toBeGreaterThan(0);
  expect(records[1]?.came).toMatchObject({ outcome: 'bad_request', failure: { status: 400 } });
  expect(JSON.stringify(records[1])).not.toContain('typed');
  expect(logged.filter((event) => event !== 'request')).toEqual(['error', 'error']);
});

test('the way of events to the socket is the gateway’s own time, a batch of them once', async () => {
  play = async function* ({ marks }) {
    marks.eventAt = performance.now() - 1_000_000;
    yield START;
    marks.eventAt += 1;
    yield STOP;
  };
  await (await post(MESSAGES, { ...BODY, stream: true })).text();
  await expect.poll(() => records.length).toBe(1);
  const own = records[0]?.how.times.own;
  expect(own).toBeGreaterThan(1_000_000);
  expect(own).toBeLessThan(1_900_000);
});

test('a turn that the gateway does not open is answered and recorded', async () => {
  play = () => {
    throw failed('shutting_down');
  };
  const response = await post(COUNTED);
  expect([response.status, response.headers.get('isthmus-error')]).toEqual([503, 'shutting_down']);
  await expect.poll(() => records.map(({ came }) => came.outcome)).toEqual(['shutting_down']);
});

const FAILING: GatewayStatus['failing'] = { inARow: 3, end: { code: 1, signal: null, at: '' }, retrySeconds: 4 };

test.each<[string, Partial<typeof state>, string | undefined, [health: number, word: string]]>([
  ['takes turns', {}, undefined, [200, 'ok']],
  ['is being stopped', { isDraining: true }, 'serving', [503, 'draining']],
  ['has lost its binary', { isBinaryThere: false }, 'binary', [200, 'ok']],
  ['has lost its login', { signIn: 'missing' }, 'credential', [503, 'not_signed_in']],
  ['has a credential that is refused', { signIn: 'refused' }, 'credential', [503, 'not_signed_in']],
  ['has a binary that fails', { failing: FAILING }, 'processes', [200, 'claude_failing']],
])('a gateway that %s lives, and its readiness names what is wrong', async (_how, changes, wrong, health) => {
  Object.assign(state, changes);
  const live = await fetch(`${url}/livez`);
  expect([live.status, await live.json()]).toEqual([200, { status: 'alive' }]);
  const ready = await fetch(`${url}/readyz`);
  const { status, checks } = (await ready.json()) as { status: string; checks: Record<string, string> };
  expect([ready.status, status]).toEqual(wrong === undefined ? [200, 'ready'] : [503, 'not_ready']);
  const failing = Object.keys(checks).filter((name) => checks[name] !== 'ok');
  expect([Object.keys(checks), failing]).toEqual([
    ['serving', 'binary', 'credential', 'processes'],
    wrong === undefined ? [] : [wrong],
  ]);
  const whole = await fetch(`${url}/health`);
  expect([whole.status, ((await whole.json()) as { status: string }).status]).toEqual(health);
});

test('a gateway that is being stopped keeps no connection', async () => {
  expect((await fetch(`${url}/livez`)).headers.get('connection')).toBe('keep-alive');
  state.isDraining = true;
  const answers = [await fetch(`${url}/livez`), await post(MESSAGES), await post(MESSAGES, { ...BODY, stream: true })];
  expect(answers.map(({ headers }) => headers.get('connection'))).toEqual(['close', 'close', 'close']);
});

test('the log can have the shape of a request', async () => {
  await post(MESSAGES, BODY, { 'x-request-id': 'mine' });
  expect(shapes.at(-1)).toEqual({ request: 'mine', system: 0, tools: 0, before: undefined, messages: 'user text:2' });
});

test('the turns under way are listed without a word of theirs', async () => {
  const inflight = async () => (await fetch(`${url}/inflight`)).json();
  let goOn = () => {};
  play = async function* ({ marks }) {
    marks.eventAt = performance.now();
    yield START;
    await new Promise<void>((resolve) => {
      goOn = resolve;
    });
    yield STOP;
  };
  const answer = await post(MESSAGES, { ...BODY, stream: true }, { 'x-request-id': 'mine', 'user-agent': 'pi/1 x' });
  expect(await inflight()).toEqual({
    turns: 1,
    states: { answering: 1 },
    list: [
      {
        id: 'mine',
        caller: 'no-key',
        client: 'pi/1',
        model: 'm',
        state: 'answering',
        path: 'start',
        process: 'new',
        ageMs: expect.any(Number),
        bytes: JSON.stringify({ ...BODY, stream: true }).length,
      },
    ],
    unlisted: 0,
  });
  goOn();
  await answer.text();
  await expect.poll(inflight).toEqual({ turns: 0, states: {}, list: [], unlisted: 0 });
});
