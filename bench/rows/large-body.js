// @ts-check
import { request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { LEAVE_NOTHING } from '../stand-in/answers.js';
import { bodyMaker, Load, nonces } from '../stand-in/load.js';
import { startStandInGateway } from '../stand-in/stand-in-gateway.js';
import { median } from '../statistics.js';
import { foreignHistory, MODEL, prose, TOOLS, text } from '../workload.js';

/** A neighbour's request goes out so often, in milliseconds. */
const EVERY_MS = 3;
/** The most that a neighbour may wait, in milliseconds. */
const MOST_MS = 50;
const MEGABYTE = 1_000_000;
/** What may stay of ninety such bodies, in megabytes: what a heap wanders by, and less than two of the largest hold. */
const MOST_STAYS_MB = 50;
/** The sizes of the requests that hold nothing but images, in megabytes. */
const IMAGES = [20, 32];

/**
 * What one large body costs the others: how long they wait, and how much memory stays.
 *
 * @param {import('../bench.js').Bench} bench
 * @returns {Promise<import('../results.js').Figures[]>}
 */
export async function largeBodyRow(bench) {
  return [await waits(bench), await memoryThatStays(bench)];
}

/**
 * How long the requests of others wait while one large body comes: refused ones, honest ones, and as many images as a request can
 * hold. The engine answers at once, so that the wait is the gateway's own.
 *
 * @param {import('../bench.js').Bench} bench
 * @returns {Promise<import('../results.js').Figures>}
 */
async function waits(bench) {
  const standIn = await startStandInGateway(bench);
  const neighbours = new Load(standIn.gatewayUrl, 16);
  await longestWait(neighbours, () => sleep(1_000));
  const samples = bench.options.isQuick ? 1 : 10;
  /** @param {{ body: Buffer; status: number }} large */
  const longest = async (large) => {
    // The first meets code that has not been compiled for it.
    await sendLarge(standIn.gatewayUrl, large);
    const times = [];
    for (let index = 0; index < samples; index += 1) {
      await bench.settle();
      times.push(await longestWait(neighbours, () => sendLarge(standIn.gatewayUrl, large)));
    }
    return median(times);
  };
  /** @type {import('../results.js').Figure[]} */
  const figures = [{ label: 'no large body', value: await longestWait(neighbours, () => sleep(2_000)), unit: 'ms' }];
  for (const [label, large] of Object.entries(bounded())) {
    figures.push({ label, value: await longest(large), unit: 'ms', atMost: MOST_MS });
  }
  for (const megabytes of IMAGES) {
    figures.push({ label: `${megabytes} MB of images`, value: await longest(images(megabytes)), unit: 'ms' });
  }
  neighbours.close();
  await standIn.stop();
  return { kind: 'figures', name: 'longest wait of neighbours of a large body', figures };
}

/**
 * The gateway's resident memory before many large bodies and after them. Each has come once before: code that is compiled and
 * a heap that has grown to its use stay for good.
 *
 * @param {import('../bench.js').Bench} bench
 * @returns {Promise<import('../results.js').Figures>}
 */
async function memoryThatStays(bench) {
  const standIn = await startStandInGateway(bench);
  const bodies = [...Object.values(bounded()), ...IMAGES.map(images)];
  const rounds = async (/** @type {number} */ count) => {
    for (let round = 0; round < count; round += 1) {
      for (const large of bodies) await sendLarge(standIn.gatewayUrl, large);
    }
    const { rssBytes } = await standIn.memory();
    return rssBytes / 1024 / 1024;
  };
  const count = bench.options.isQuick ? 1 : 10;
  const before = await rounds(1);
  const after = await rounds(count);
  /** @type {import('../results.js').Figure[]} */
  const figures = [
    { label: 'before', value: before, unit: 'MB' },
    {
      label: `after ${count * bodies.length} large bodies`,
      value: after,
      unit: 'MB',
      atMost: Math.round(before) + MOST_STAYS_MB,
    },
  ];
  await standIn.stop();
  return { kind: 'figures', name: 'resident memory of the gateway, garbage collected', figures };
}

/** The bodies that must let the others through. */
function bounded() {
  const word = { role: 'user', content: 'x' };
  const many = (/** @type {number} */ count, /** @type {string} */ item) => Array(count).fill(item).join(',');
  const list = (/** @type {string} */ items) => `[${items}]`;
  const refused = (/** @type {string} */ messages, more = '') => ({
    body: Buffer.from(`{"model": "${MODEL}", "max_tokens": 10, ${more} "messages": ${messages}}`),
    status: 400,
  });
  return {
    '12 MB of empty messages': refused(list(many(4_000_000, '{}'))),
    '2.4 MB of messages of a word': refused(list(many(70_000, JSON.stringify(word)))),
    '150,000 bad blocks': refused(list(`{"role": "user", "content": ${list(many(150_000, '{"type": "q"}'))}}`)),
    '31 MB of empty lists in an unknown field': refused(
      list(JSON.stringify(word)),
      `"unknown": ${list(many(10_300_000, '[]'))},`,
    ),
    'a session of 0.5 MB': honest(foreignHistory(400, MEGABYTE / 2)),
    'a session of 2 MB': honest(foreignHistory(1_600, 2 * MEGABYTE)),
    'a text of 2 MB': honest([{ role: 'user', content: [text(prose(2 * MEGABYTE).trim())] }]),
  };
}

/** @param {number} megabytes */
function images(megabytes) {
  const data = Buffer.alloc((megabytes * MEGABYTE * 3) / 4 / 16, 'an image').toString('base64');
  const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data } };
  return honest([{ role: 'user', content: [...Array(16).fill(image), text('What do you see?')] }]);
}

/** @param {import('../workload.js').Message[]} messages */
function honest(messages) {
  const last = messages.at(-1)?.role === 'assistant' ? [{ role: 'user', content: 'Go on.' }] : [];
  const all = [...messages, ...last];
  const body = { model: MODEL, max_tokens: 8_000, system: LEAVE_NOTHING, tools: TOOLS, messages: all, stream: true };
  return { body: Buffer.from(JSON.stringify(body)), status: 200 };
}

/**
 * @param {Load} neighbours
 * @param {() => Promise<unknown>} work
 * @returns {Promise<number>} the longest time of a neighbour's turn while the work goes on, in milliseconds
 */
async function longestWait(neighbours, work) {
  let isOver = false;
  const working = work().finally(() => {
    isOver = true;
  });
  /** @type {Array<Promise<{ ms: number }>>} */
  const turns = [];
  while (!isOver) {
    turns.push(neighbours.send(small(nonces(1)[0] ?? '')));
    await sleep(EVERY_MS);
  }
  await working;
  return Math.max(...(await Promise.all(turns)).map(({ ms }) => ms));
}

const small = bodyMaker((nonce) => ({
  model: MODEL,
  max_tokens: 8_000,
  system: `This is conversation ${nonce}.`,
  messages: [{ role: 'user', content: [text('What is this project?')] }],
  stream: true,
}));

/**
 * @param {string} url
 * @param {{ body: Buffer; status: number }} large
 * @returns {Promise<void>}
 */
function sendLarge(url, { body, status }) {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length, 'x-api-key': 'any' };
    const request = httpRequest(new URL('/v1/messages', url), { method: 'POST', headers });
    request.once('error', reject);
    request.once('response', (response) => {
      if (response.statusCode !== status) reject(new Error(`the answer was ${response.statusCode}, not ${status}`));
      response.once('error', reject).once('end', resolve).resume();
    });
    request.end(body);
  });
}
