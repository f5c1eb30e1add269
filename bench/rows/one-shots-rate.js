// @ts-check
import { deepStrictEqual } from 'node:assert';
import { availableParallelism } from 'node:os';
import { SpawnGate } from '../../dist/src/processes/spawn-gate.js';
import { byTurns } from '../comparison.js';
import { LONGEST_SPAWN_MS, rate, together } from '../crowd.js';
import { MODEL_MS, markerSentence, THINK_FIRST } from '../observed-model.js';
import { wholeBody } from '../prompt.js';
import { prose, text } from '../workload.js';

/** @typedef {import('../bench.js').Bench} Bench */
/** @typedef {import('../observed-model.js').ModelRequest} ModelRequest */

const AT_A_TIME = 12;
const COUNT = 60;
const QUICK_COUNT = 14;
const SYSTEM = prose(8_000).trim();

/**
 * Questions with one system prompt and no tools, as evaluations and requests for titles send them, so many at a time. The bare side
 * spawns a process for each. What the model gets of each is compared whole with what a new process sends.
 *
 * @param {Bench} bench
 * @returns {Promise<import('../comparison.js').Comparison[]>}
 */
export async function oneShotsRateRow(bench) {
  const width = availableParallelism();
  const count = bench.options.isQuick ? QUICK_COUNT : COUNT;
  const flags = ['--spawns-at-a-time', String(width), '--max-processes', String(AT_A_TIME)];
  const { client, stop } = await bench.gateway({ spares: 0, flags });
  const fresh = await bench.gateway({ spares: 0, flags: ['--reuse', 'off'] });
  const expected = await ask(fresh.client);
  await fresh.stop();

  const gate = new SpawnGate(width, LONGEST_SPAWN_MS);
  const round = (/** @type {() => Promise<unknown>} */ take) => async () => {
    await bench.settle();
    return rate(count, () => inTurn(count, take));
  };
  const askGateway = async () => {
    deepStrictEqual(await ask(client), expected, 'the model got something else than a new process sends');
  };
  const askBare = async () => {
    const { conversation, end } = bench.bareConversation([]);
    await conversation.turn([text(`What is this? ${THINK_FIRST}`)], gate);
    await end();
  };
  // Users come to a gateway that has its processes.
  await together(AT_A_TIME, askGateway);
  const rates = await byTurns(bench.options.rounds, round(askGateway), round(askBare));
  await stop();
  return [
    {
      kind: 'comparison',
      name: bench.named(`one-shots/s, ${count}, ${AT_A_TIME} at a time, ${MODEL_MS} ms model`),
      ...rates,
      target: { text: '>= 25 on 2 quiet cores', times: 0, plusMs: 25, isLeast: true },
    },
  ];

  /**
   * @param {import('../messages-client.js').MessagesClient} client
   * @returns {Promise<object>} what the model got
   */
  async function ask(client) {
    const conversation = bench.gatewayConversation(client);
    conversation.system = SYSTEM;
    conversation.tools = [];
    const { request } = await conversation.turn([
      text(`${markerSentence(conversation.marker)} What is this? ${THINK_FIRST}`),
    ]);
    return JSON.parse(JSON.stringify(wholeBody(request.body)).replaceAll(conversation.marker, 'the marker'));
  }
}

/**
 * @param {number} count
 * @param {() => Promise<unknown>} take
 */
async function inTurn(count, take) {
  let begun = 0;
  await together(AT_A_TIME, async () => {
    while (begun < count) {
      begun += 1;
      await take();
    }
  });
}
