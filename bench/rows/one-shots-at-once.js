// @ts-check
import { availableParallelism } from 'node:os';
import { atMostTimes, byTurns } from '../comparison.js';
import { bareMembers, endAll, gatewayMembers, together } from '../crowd.js';
import { FOLLOW_UP } from '../walk.js';

/** @typedef {import('../bench.js').Bench} Bench */
/** @typedef {import('../crowd.js').BeginMember} BeginMember */

/**
 * Many conversations at once that end with their first answer: more than there may be processes. Each has a system prompt of its
 * own, so that none finds a process that was used before. A request that is refused fails the row. The bare side ends each process
 * with its answer.
 *
 * @param {Bench} bench
 * @returns {Promise<import('../comparison.js').Comparison[]>}
 */
export async function oneShotsAtOnceRow(bench) {
  const width = availableParallelism();
  const count = bench.options.isQuick ? 4 : 40;
  const flags = ['--spawns-at-a-time', String(width), '--max-processes', bench.options.isQuick ? '3' : '24'];
  const { client, stop } = await bench.gateway({ spares: 0, flags });
  const step = (/** @type {BeginMember} */ begin, /** @type {boolean} */ endsThem) => async () => {
    await bench.settle();
    return together(count, async () => {
      const member = await begin();
      if (endsThem) await endAll([member]);
      return member.walk.latest.firstEventMs;
    });
  };
  const rounds = await byTurns(
    bench.options.rounds,
    step(gatewayMembers(bench, client, FOLLOW_UP), false),
    step(bareMembers(bench, width, FOLLOW_UP), true),
  );
  await stop();
  return [
    {
      kind: 'comparison',
      name: `${count} one-shots at once, each its own prompt -> first event`,
      gateway: rounds.gateway.flat(),
      bare: rounds.bare.flat(),
      target: { ...atMostTimes(1.15), text: '<= 1.15 x gated bare' },
    },
  ];
}
