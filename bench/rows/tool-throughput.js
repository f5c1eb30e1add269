// @ts-check
import { availableParallelism } from 'node:os';
import { atLeastTimes, byTurns } from '../comparison.js';
import { bareMembers, CROWD_FLAGS, endAll, gatewayMembers, rate, together, toolTurns } from '../crowd.js';

/** @typedef {import('../bench.js').Bench} Bench */
/** @typedef {import('../crowd.js').BeginMember} BeginMember */
/** @typedef {import('../comparison.js').Comparison} Comparison */

const CONVERSATIONS = 8;
const QUICK_CONVERSATIONS = 4;
const TOOL_TURNS = 15;
const TARGET = 0.75;

/**
 * Agents beside each other, in a loop of tool turns: cold, which includes spawning their processes, and warm, with live ones.
 *
 * @param {Bench} bench
 * @returns {Promise<Comparison[]>}
 */
export async function toolThroughputRow(bench) {
  const width = availableParallelism();
  const conversations = bench.options.isQuick ? QUICK_CONVERSATIONS : CONVERSATIONS;
  const turns = bench.options.isQuick ? 5 : TOOL_TURNS;
  const flags = [...CROWD_FLAGS, '--spawns-at-a-time', String(width)];
  const { client, stop } = await bench.gateway({ spares: 0, flags });
  const gateway = gatewayMembers(bench, client);
  const bare = bareMembers(bench, width);
  const measured = async (/** @type {(begin: BeginMember) => Promise<number>} */ round) => {
    const step = (/** @type {BeginMember} */ begin) => async () => {
      await bench.settle();
      return round(begin);
    };
    return byTurns(bench.options.rounds, step(gateway), step(bare));
  };
  const cold = await measured((begin) => fromNothing(begin, conversations, turns));
  const warm = await measured((begin) => withLiveProcesses(begin, conversations, turns));
  await stop();
  const name = `${conversations} conversations x ${turns} tool turns`;
  const target = atLeastTimes(TARGET);
  return [
    { kind: 'comparison', name: `turns/s, ${name}, cold`, ...cold, target },
    { kind: 'comparison', name: `turns/s, ${name}, warm`, ...warm, target },
  ];
}

/**
 * @param {BeginMember} begin
 * @param {number} conversations
 * @param {number} turns
 */
async function fromNothing(begin, conversations, turns) {
  /** @type {import('../crowd.js').Member[]} */
  let members = [];
  const result = await rate(conversations * (turns + 1), async () => {
    members = await together(conversations, async () => {
      const member = await begin();
      await toolTurns(member, turns);
      return member;
    });
  });
  await endAll(members);
  return result;
}

/**
 * @param {BeginMember} begin
 * @param {number} conversations
 * @param {number} turns
 * @returns {Promise<number>} turns per second
 */
export async function withLiveProcesses(begin, conversations, turns) {
  const members = await together(conversations, begin);
  const result = await rate(conversations * turns, () =>
    Promise.all(members.map((member) => toolTurns(member, turns))),
  );
  await endAll(members);
  return result;
}
