import { afterAll, beforeAll, expect, test } from 'vitest';
import { InProcessGateway } from '../support/gateway-in-process.ts';
import { RawConnection } from '../support/raw-connection.ts';

/** One request cannot stop the others: too much in a body, bodies without an end, clients that do not read. */

let house: InProcessGateway;
beforeAll(async () => {
  house = await InProcessGateway.start();
});
afterAll(() => house?.stop());

const body = (messages: string, more = '') => `{"model": "m", "max_tokens": 10, ${more} "messages": [${messages}]}`;
const times = (count: number, item: string) => Array(count).fill(item).join();
const WORD = '{"role": "user", "content": "x"}';
const SMALL = body(WORD);

const TOO_MUCH: Array<[string, string, RegExp]> = [
  ['empty objects as messages', body(times(4_000_000, '{}')), /250,000/],
  ['messages of a word', body(times(40_000, WORD)), /^messages: .*20,000/],
  ['lists in an unknown field', body(WORD, `"unknown": [${times(2_000_000, '[]')}],`), /250,000/],
  ['levels', body(WORD, `"unknown": ${'['.repeat(600)}${']'.repeat(600)},`), /500 levels/],
  ['levels, and no end of them', '['.repeat(3_000_000), /500 levels/],
  ['bad blocks', body(`{"role": "user", "content": [${times(19_000, '{"type": ""}')}]}`), /^messages\.0\.content\.0/],
  [
    'blocks',
    body(`{"role": "user", "content": [${times(100_000, '{"type": "q"}')}]}`),
    /^messages\.0\.content: .*20,000/,
  ],
  ['bad messages', body(times(19_000, '5')), /^messages\.0/],
  ['bad tools', body(WORD, `"tools": [${times(200_000, '5')}],`), /^tools\.0/],
  [
    'unknown fields',
    body(WORD, Array.from({ length: 2_000 }, (_, index) => `"f${index}": 1,`).join('')),
    /1,000 fields/,
  ],
];

test.each(TOO_MUCH)(
  'too many %s: a 400 that names the limit, and the connection goes on',
  async (_what, text, words) => {
    const connection = await RawConnection.open(house.url);
    connection.post('/v1/messages', text);
    connection.post('/v1/messages', SMALL);
    const refused = await connection.answer();
    expect(refused?.status).toBe(400);
    expect(JSON.parse(refused?.body ?? '').error.message).toMatch(words);
    expect((await connection.answer())?.status).toBe(200);
    connection.socket.destroy();
  },
);

test('many messages of one role are one turn, whatever their number', async () => {
  const connection = await RawConnection.open(house.url);
  connection.post('/v1/messages', body(times(19_000, WORD)));
  expect((await connection.answer())?.status).toBe(200);
  connection.socket.destroy();
});

test.each<[string, string, string, number]>([
  ['a body that a path does not take', 'GET', '/health', 200],
  ['a body at a path that is not there', 'POST', '/none', 404],
  ['a body of another type', 'POST', '/v1/messages', 415],
])('%s is dropped behind the answer, and cut when it does not end', async (_what, method, path, status) => {
  const connection = await RawConnection.open(house.url);
  connection.begin(method, path, { 'content-length': 5 });
  expect((await connection.answer())?.status).toBe(status);
  connection.socket.write('12345');
  connection.begin(method, path, { 'content-length': 10 ** 12 });
  expect((await connection.answer())?.status).toBe(status);
  await connection.sendForEver(Buffer.alloc(1024 * 1024));
});

test('a refused body that goes on for ever is cut', async () => {
  const connection = await RawConnection.open(house.url);
  connection.begin('POST', '/v1/messages', { 'content-type': 'application/json', 'content-length': 10 ** 12 });
  const sending = connection.sendForEver(Buffer.alloc(1024 * 1024, '['));
  expect((await connection.answer())?.status).toBe(400);
  await sending;
});

test('a client that does not read is cut, and its turn ends at the model', async () => {
  const text = 'x'.repeat(64 * 1024);
  house.use([
    { replies: [{ content: [{ type: 'text', text: text.repeat(400) }], delta_length: text.length, gap_ms: 1 }] },
  ]);
  const connection = await RawConnection.open(house.url);
  connection.socket.pause();
  connection.post('/v1/messages', SMALL.replace('{', '{"stream": true,'));
  const streaming = () => house.gateway.status.processes.streaming;
  await expect.poll(streaming, { timeout: 10_000 }).toBe(1);
  await expect.poll(streaming, { timeout: 10_000 }).toBe(0);
  await expect.poll(() => house.log.at(-1)).toContain('client_not_reading');
  connection.socket.resume();
  await connection.closed();
  house.use([]);
});

test('a client that reads gets an answer of any length', async () => {
  const text = 'x'.repeat(64 * 1024);
  house.use([
    { replies: [{ content: [{ type: 'text', text: text.repeat(200) }], delta_length: text.length, gap_ms: 1 }] },
  ]);
  const response = await house.stream('hi');
  const answer = await response.text();
  expect(answer.length).toBeGreaterThan(200 * text.length);
  expect(answer).toContain('event: message_stop');
  house.use([]);
});
