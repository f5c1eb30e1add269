// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { atMostTimes, byTurns } from '../comparison.js';
import { LEAVE_NO_PROCESS } from '../observed-model.js';
import { FOLLOW_UP, TOOL_RESULT, Walk } from '../walk.js';

/** @typedef {import('../bench.js').Bench} Bench */
/** @typedef {import('../comparison.js').Comparison} Comparison */
/** @typedef {import('../walk.js').Kind} Kind */

/** @param {Bench} bench */
export function toolResultRow(bench) {
  return warmRow(bench, { name: 'tool result -> model called', kind: TOOL_RESULT, bytes: 2_000 });
}

/**
 * The same in the middle of an agent's day: the client sends 120 messages, 300 KB, with each turn.
 *
 * @param {Bench} bench
 */
export function lateToolResultRow(bench) {
  const lead = { turns: 60, bytes: 5_000 };
  return warmRow(bench, { name: 'tool result after 300 KB -> model called', kind: TOOL_RESULT, bytes: 2_000, lead });
}

/** @param {Bench} bench */
export function followUpRow(bench) {
  return warmRow(bench, { name: 'follow-up turn -> model called', kind: FOLLOW_UP, bytes: 500 });
}

/**
 * @param {Bench} bench
 * @param {object} row
 * @param {string} row.name
 * @param {Kind} row.kind
 * @param {number} row.bytes of each turn
 * @param {{ turns: number; bytes: number }} [row.lead] turns before the first sample, one after another
 * @returns {Promise<Comparison[]>}
 */
async function warmRow(bench, { name, kind, bytes, lead = { turns: 3, bytes } }) {
  const { client, ready, stop } = await bench.gateway();
  const newGateway = async () => {
    await ready();
    const conversation = bench.gatewayConversation(client);
    return Walk.begin((content) => conversation.turn(content), kind);
  };
  const newBare = async () => {
    const { conversation, end } = bench.bareConversation();
    return { walk: await Walk.begin((content) => conversation.turn(content), kind), end };
  };

  const practice = { gateway: await newGateway(), bare: await newBare() };
  await practice.gateway.steps(bench.options.practice, bytes);
  await practice.gateway.step(bytes, LEAVE_NO_PROCESS);
  await practice.bare.walk.steps(bench.options.practice, bytes);
  await practice.bare.end();

  const gateway = await newGateway();
  const bare = await newBare();
  await gateway.steps(lead.turns, lead.bytes);
  await bare.walk.steps(lead.turns, lead.bytes);
  // The gateway spawns a spare again for the one that the first turn took; that is no part of this step.
  await ready();
  await bench.settle();
  const afterPause = (/** @type {Walk} */ walk) => async () => {
    await sleep(bench.options.pauseMs);
    return (await walk.step(bytes)).ms;
  };
  const times = await byTurns(bench.options.warm, afterPause(gateway), afterPause(bare.walk));
  await bare.end();
  await stop();
  return [{ kind: 'comparison', name: bench.named(name), ...times, target: atMostTimes(1.25) }];
}
