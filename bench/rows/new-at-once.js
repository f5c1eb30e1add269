// @ts-check
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, atMostTimes, byTurns } from '../comparison.js';
import { bareMembers, CROWD_FLAGS, endAll, gatewayMembers, together, toolTurns } from '../crowd.js';

/** @typedef {import('../bench.js').Bench} Bench */
/** @typedef {import('../crowd.js').BeginMember} BeginMember */
/** @typedef {import('../crowd.js').Member} Member */

const WARM = 4;
/** How long their clients' tools take, in milliseconds: they add load without filling the machine. */
const TOOL_MS = 500;

/**
 * Many new conversations at once, none of which finds a process, while others go on; the times are those to the first
 * event of the answer.
 *
 * @param {Bench} bench
 * @returns {Promise<import('../comparison.js').Comparison[]>}
 */
export async function newAtOnceRow(bench) {
  const width = availableParallelism();
  const count = bench.options.isQuick ? 4 : 20;
  const flags = [...CROWD_FLAGS, '--spawns-at-a-time', String(width), '--max-processes', String(count + WARM)];
  const { client, stop } = await bench.gateway({ spares: 0, flags });
  const gateway = gatewayMembers(bench, client);
  const bare = bareMembers(bench, width);
  const beside = { gateway: await together(WARM, gateway), bare: await together(WARM, bare) };
  const step = (/** @type {BeginMember} */ begin, /** @type {Member[]} */ warm) => async () => {
    await bench.settle();
    return burst(begin, count, warm);
  };
  const rounds = await byTurns(bench.options.rounds, step(gateway, beside.gateway), step(bare, beside.bare));
  await endAll([...beside.gateway, ...beside.bare]);
  await stop();
  const all = (/** @type {'fresh' | 'warm'} */ which) => ({
    gateway: rounds.gateway.flatMap((round) => round[which]),
    bare: rounds.bare.flatMap((round) => round[which]),
  });
  return [
    {
      kind: 'comparison',
      name: `${count} new conversations at once -> first event`,
      ...all('fresh'),
      target: { ...atMostTimes(1.15), text: '<= 1.15 x gated bare' },
    },
    { kind: 'comparison', name: 'tool result beside them -> first event', ...all('warm'), target: atMost(150) },
  ];
}

/**
 * @param {BeginMember} begin
 * @param {number} count
 * @param {Member[]} warm
 */
async function burst(begin, count, warm) {
  let isOver = false;
  /** @type {number[]} */
  const warmTimes = [];
  const goOn = Promise.all(
    warm.map(async (member) => {
      while (!isOver) {
        await toolTurns(member, 1);
        warmTimes.push(member.walk.latest.firstEventMs);
        await sleep(TOOL_MS);
      }
    }),
  );
  const members = await together(count, begin).finally(() => {
    isOver = true;
  });
  await goOn;
  const fresh = members.map(({ walk }) => walk.latest.firstEventMs);
  await endAll(members);
  return { fresh, warm: warmTimes };
}
