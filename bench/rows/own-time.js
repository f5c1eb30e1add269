// @ts-check

import { WORDS } from '../stand-in/answers.js';
import { bodyMaker, Load, nonces } from '../stand-in/load.js';
import { startStandInGateway } from '../stand-in/stand-in-gateway.js';
import { median, quantile } from '../statistics.js';
import { foreignHistory, MODEL, prose, text } from '../workload.js';

/** @typedef {import('../bench.js').Bench} Bench */
/** @typedef {import('../results.js').Figures} Figures */

const MESSAGES = 20;
const BYTES = 40_000;
const PER_SECOND = 100;
/** Conversations that are opened before they are continued; so many live at a time. */
const BATCH = 250;
const CONNECTIONS = 16;

/**
 * The gateway's own time in a turn: the next turn of a live conversation, over an engine that answers at once. A plain server
 * with the same requests shows the machine's and the client's part.
 *
 * @param {Bench} bench
 * @returns {Promise<Figures[]>}
 */
export async function ownTimeRow(bench) {
  const standIn = await startStandInGateway(bench);
  const gateway = new Load(standIn.gatewayUrl, CONNECTIONS);
  const plain = new Load(standIn.plainUrl, CONNECTIONS);
  const { opening, next } = bodies();
  const openAll = async () => {
    const batch = nonces(BATCH);
    await gateway.pressed(batch.map(opening), CONNECTIONS);
    return batch.map(next);
  };
  const { seconds } = bench.options;

  for (let index = 0; index < 4; index += 1) await gateway.pressed(await openAll(), CONNECTIONS);
  await plain.pressed(nonces(BATCH).map(next), CONNECTIONS);

  const own = { gateway: list(), plain: list() };
  const seen = { gateway: list(), plain: list() };
  const rates = { gateway: list(), plain: list() };
  const cpu = list();
  for (let sent = 0; sent < seconds * PER_SECOND; sent += BATCH) {
    const batch = await openAll();
    await bench.settle();
    await standIn.usage();
    seen.gateway.push(...times(await gateway.paced(batch, PER_SECOND)));
    own.gateway.push(...(await standIn.usage()).times.gateway);
    seen.plain.push(...times(await plain.paced(batch, PER_SECOND), 'plain'));
    own.plain.push(...(await standIn.usage()).times.plain);
  }
  for (let round = 0; round < 2 * seconds; round += 1) {
    const batch = await openAll();
    const { cpuMs } = await standIn.usage();
    rates.gateway.push(await rateOf(() => gateway.pressed(batch, CONNECTIONS)));
    cpu.push(((await standIn.usage()).cpuMs - cpuMs) / batch.length);
    rates.plain.push(await rateOf(() => plain.pressed(batch, CONNECTIONS)));
  }
  for (const load of [gateway, plain]) load.close();
  await standIn.stop();

  const size = `${MESSAGES} messages, ${BYTES / 1000} KB`;
  return [
    {
      kind: 'figures',
      name: `own time of a turn, ${size}, ${PER_SECOND}/s`,
      figures: [
        { label: 'p50', value: median(own.gateway), unit: 'ms', atMost: 1 },
        { label: 'p99', value: quantile(own.gateway, 0.99), unit: 'ms', atMost: 3 },
        { label: 'p50 of a plain server', value: median(own.plain), unit: 'ms' },
        { label: 'p99 of it', value: quantile(own.plain, 0.99), unit: 'ms' },
        { label: 'p50 as the client sees it', value: median(seen.gateway), unit: 'ms' },
        { label: 'p50 of the plain server so', value: median(seen.plain), unit: 'ms' },
      ],
    },
    {
      kind: 'figures',
      name: `most turns, ${size}`,
      figures: [
        { label: 'of the gateway', value: median(rates.gateway), unit: 'turns/s', atLeast: 1_500 },
        { label: 'of a plain server', value: median(rates.plain), unit: 'turns/s' },
        { label: "of the gateway's processor time a turn", value: median(cpu), unit: 'ms' },
      ],
    },
  ];
}

/** @returns {number[]} */
function list() {
  return [];
}

/** The turn that opens a conversation, and the one that continues it. */
function bodies() {
  const history = foreignHistory(MESSAGES - 2, BYTES - 2_000);
  const request = (/** @type {string} */ nonce, /** @type {import('../workload.js').Message[]} */ later) => ({
    model: MODEL,
    max_tokens: 8_000,
    system: `This is conversation ${nonce}.`,
    messages: [...history, ...later],
    stream: true,
  });
  const first = { role: /** @type {const} */ ('user'), content: [text('What is this project?')] };
  const answer = { role: /** @type {const} */ ('assistant'), content: [text(WORDS)] };
  const second = { role: /** @type {const} */ ('user'), content: [text(`And what else? ${prose(1_500).trim()}`)] };
  return {
    opening: bodyMaker((nonce) => request(nonce, [first])),
    next: bodyMaker((nonce) => request(nonce, [first, answer, second])),
  };
}

/**
 * @param {Array<{ ms: number; path: string }>} answers
 * @param {string} [path] that all must have taken
 */
function times(answers, path = 'continue') {
  const strayed = answers.find((answer) => answer.path !== path);
  if (strayed) throw new Error(`the path was ${strayed.path}, not ${path}`);
  return answers.map(({ ms }) => ms);
}

/** @param {() => Promise<unknown[]>} press resolves to the answers */
async function rateOf(press) {
  const startedAt = performance.now();
  const { length } = await press();
  return (length * 1000) / (performance.now() - startedAt);
}
