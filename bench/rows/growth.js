// @ts-check
import { availableParallelism } from 'node:os';
import { bareMembers, CROWD_FLAGS, gatewayMembers } from '../crowd.js';
import { LEAVE_NO_PROCESS } from '../observed-model.js';
import { median } from '../statistics.js';
import { FOLLOW_UP, TOOL_RESULT, Walk } from '../walk.js';
import { foreignHistory, text } from '../workload.js';
import { withLiveProcesses } from './tool-throughput.js';

/** @typedef {import('../bench.js').Bench} Bench */
/** @typedef {import('../results.js').Curve} Curve */
/** @typedef {Array<[x: number, y: number]>} Points */

/** Processes that may live. */
const BUDGET = 16;
const CONVERSATIONS = [1, 2, 4, 8, 12, 16, 20, 24];
const QUICK_CONVERSATIONS = [1, 2];
const TURNS = 6;
/** Samples for each point, which is their median. */
const SAMPLES = 3;

/**
 * Tool turns per second against the number of conversations beside each other: up to the budget, and past it, where each turn
 * begins with a replay. The bare SDK has no budget and is measured as far as the budget goes.
 *
 * @param {Bench} bench
 * @returns {Promise<Curve[]>}
 */
export async function crowdGrowth(bench) {
  const { isQuick } = bench.options;
  const width = availableParallelism();
  const room = ['--max-processes', String(BUDGET), '--max-memory-mb', '100000'];
  const flags = [...CROWD_FLAGS, '--spawns-at-a-time', String(width), ...room];
  const { client, stop } = await bench.gateway({ spares: 0, flags });
  const gateway = gatewayMembers(bench, client, TOOL_RESULT, ['continue', 'replay']);
  const bare = bareMembers(bench, width);
  /** @type {{ gateway: Points; bare: Points }} */
  const points = { gateway: [], bare: [] };
  for (const count of isQuick ? QUICK_CONVERSATIONS : CONVERSATIONS) {
    const rates = { gateway: [0].slice(1), bare: [0].slice(1) };
    for (let sample = 0; sample < (isQuick ? 1 : SAMPLES); sample += 1) {
      await bench.settle();
      rates.gateway.push(await withLiveProcesses(gateway, count, TURNS));
      if (count > BUDGET) continue;
      await bench.settle();
      rates.bare.push(await withLiveProcesses(bare, count, TURNS));
    }
    points.gateway.push([count, median(rates.gateway)]);
    if (count <= BUDGET) points.bare.push([count, median(rates.bare)]);
  }
  await stop();
  return [
    {
      kind: 'curve',
      name: `tool turns per second against conversations beside each other, budget ${BUDGET} processes`,
      file: 'conversations',
      x: { label: 'conversations beside each other' },
      y: { label: 'tool turns per second' },
      series: [
        { name: 'gateway', points: points.gateway },
        { name: 'bare SDK', points: points.bare },
      ],
    },
  ];
}

/** Messages of the request that is measured, its newest included. */
const LENGTHS = [1, 3, 11, 31, 101, 301, 1001, 2001];
const QUICK_LENGTHS = [1, 11];
/** Bytes of each message, so that the longest history has half a megabyte. */
const BYTES = 250;
/** Turns that are measured for a length: the last ones before it is reached. */
const WINDOW = 5;

/**
 * From "the client sends" to "the model is called" against the number of messages: the next turn of one long conversation
 * on both sides, and a new process for as many messages beside that of the bare SDK for one turn alone.
 *
 * @param {Bench} bench
 * @returns {Promise<Curve[]>}
 */
export async function historyGrowth(bench) {
  const lengths = bench.options.isQuick ? QUICK_LENGTHS : LENGTHS;
  const { client, ready, stop } = await bench.gateway({ spares: 0, flags: ['--reuse', 'off'] });
  const warm = await warmTurns(bench, client, lengths);
  /** @type {Points} */
  const replay = [];
  /** @type {Points} */
  const cold = [];
  const samples = bench.options.isQuick ? 1 : 5;
  for (const length of lengths) {
    const times = { replay: [0].slice(1), cold: [0].slice(1) };
    for (let index = 0; index < samples; index += 1) {
      await ready();
      await bench.settle();
      const conversation = bench.gatewayConversation(client, foreignHistory(length - 1, length * BYTES));
      times.replay.push((await conversation.turn([text(`Go on. ${LEAVE_NO_PROCESS}`)])).ms);
      await ready();
      await bench.settle();
      const bare = bench.bareConversation();
      times.cold.push((await bare.conversation.turn([text('Go on.')])).ms);
      await bare.end();
    }
    replay.push([length, median(times.replay)]);
    cold.push([length, median(times.cold)]);
  }
  await stop();
  return [
    {
      kind: 'curve',
      name: 'milliseconds until the model is called, against the messages of the request',
      file: 'history',
      x: { label: 'messages of the request', isLogarithmic: true },
      y: { label: 'ms until the model is called' },
      series: [
        { name: 'gateway, live process', points: warm.gateway },
        { name: 'bare SDK, live process', points: warm.bare },
        { name: 'gateway, new process, all messages', points: replay },
        { name: 'bare SDK, new process, newest message alone', points: cold },
      ],
    },
  ];
}

/**
 * @param {Bench} bench
 * @param {import('../messages-client.js').MessagesClient} client
 * @param {readonly number[]} lengths ascending
 */
async function warmTurns(bench, client, lengths) {
  const conversation = bench.gatewayConversation(client);
  const bare = bench.bareConversation();
  const gatewaySide = await Side.begin((content) => conversation.turn(content));
  const bareSide = await Side.begin((content) => bare.conversation.turn(content));
  for (let messages = 3; messages <= (lengths.at(-1) ?? 0); messages += 2) {
    for (const side of [gatewaySide, bareSide]) await side.step(messages, lengths.includes(messages));
  }
  await bare.end();
  return { gateway: gatewaySide.points, bare: bareSide.points };
}

/** One side's long conversation, and what its turns took. */
class Side {
  #walk;
  /** @type {number[]} */
  #recent = [];
  /** @type {Points} */
  points = [];

  /** @param {Walk} walk */
  constructor(walk) {
    this.#walk = walk;
  }

  /** @param {import('../walk.js').TakeTurn} takeTurn */
  static async begin(takeTurn) {
    return new Side(await Walk.begin(takeTurn, FOLLOW_UP));
  }

  /**
   * @param {number} messages of this turn's request
   * @param {boolean} isPoint
   */
  async step(messages, isPoint) {
    this.#recent = [...this.#recent, (await this.#walk.step(BYTES)).ms].slice(-WINDOW);
    if (isPoint) this.points.push([messages, median(this.#recent)]);
  }
}
