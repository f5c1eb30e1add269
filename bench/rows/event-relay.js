// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { sharedClock, stampsIn, streamWish } from '../stand-in/answers.js';
import { Load } from '../stand-in/load.js';
import { startStandInGateway } from '../stand-in/stand-in-gateway.js';
import { median, quantile } from '../statistics.js';
import { MODEL, text } from '../workload.js';

const STREAMS = 100;
const EVERY_MS = 20;
/** The time until all streams run, in milliseconds. */
const LEAD_MS = 1_000;

/**
 * The time from an event's leaving the engine until the system has it to send, with many streams at a time. A plain server that
 * writes the same events shows the machine's part of it. As the client sees it, an event also waits until the client has read
 * those of the other streams.
 *
 * @param {import('../bench.js').Bench} bench
 * @returns {Promise<import('../results.js').Figures[]>}
 */
export async function eventRelayRow(bench) {
  const standIn = await startStandInGateway(bench);
  const { seconds } = bench.options;
  await bench.settle();
  const gateway = await lags(standIn, 'gateway', seconds);
  await bench.settle();
  const plain = await lags(standIn, 'plain', seconds);
  await standIn.stop();
  return [
    {
      kind: 'figures',
      name: `event, engine -> socket, ${STREAMS} x ${1000 / EVERY_MS}/s`,
      figures: [
        { label: 'p50', value: median(gateway.relays), unit: 'ms', atMost: 0.2 },
        { label: 'p99', value: quantile(gateway.relays, 0.99), unit: 'ms', atMost: 2 },
        { label: 'p50 of a plain server', value: median(plain.relays), unit: 'ms' },
        { label: 'p99 of it', value: quantile(plain.relays, 0.99), unit: 'ms' },
        { label: 'p50 as the client sees it', value: median(gateway.seen), unit: 'ms' },
        { label: 'p50 of the plain server so', value: median(plain.seen), unit: 'ms' },
      ],
    },
  ];
}

/**
 * @param {import('../stand-in/stand-in-gateway.js').StandInGateway} standIn
 * @param {'gateway' | 'plain'} which of its servers
 * @param {number} seconds
 */
async function lags(standIn, which, seconds) {
  const load = new Load(which === 'gateway' ? standIn.gatewayUrl : standIn.plainUrl, STREAMS);
  const events = Math.ceil((seconds * 1000 + LEAD_MS) / EVERY_MS);
  const body = Buffer.from(
    JSON.stringify({
      model: MODEL,
      max_tokens: 8_000,
      system: streamWish({ events, everyMs: EVERY_MS }),
      messages: [{ role: 'user', content: [text('What is this project?')] }],
      stream: true,
    }),
  );
  const measureFrom = sharedClock() + LEAD_MS;
  /** @type {number[]} */
  const seen = [];
  const onChunk = (/** @type {Buffer} */ chunk) => {
    const now = sharedClock();
    for (const stamp of stampsIn(chunk.toString('latin1'))) if (stamp >= measureFrom) seen.push(now - stamp);
  };
  const streams = [];
  for (let index = 0; index < STREAMS; index += 1) {
    streams.push(load.send(body, onChunk));
    // Spread over the pace, as models' events are.
    if (index % (STREAMS / EVERY_MS) === 0) await sleep(1);
  }
  await sleep(measureFrom - sharedClock());
  await standIn.usage();
  await Promise.all(streams);
  load.close();
  return { seen, relays: (await standIn.usage()).relays[which] };
}
