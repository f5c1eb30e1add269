// @ts-check
import { atMost, byTurns } from '../comparison.js';
import { ANSWER_LATE, ANSWER_SLOWLY } from '../observed-model.js';
import { text } from '../workload.js';

/** When the client hangs up after the model call, in milliseconds: by then an answer has begun, if it ever does. */
const LEAVE_AFTER_MS = 200;

/**
 * A client hangs up, so that nobody pays for the rest of the answer; the bare side kills the process.
 *
 * @param {import('../bench.js').Bench} bench
 * @returns {Promise<import('../comparison.js').Comparison[]>}
 */
export async function clientGoneRow(bench) {
  const { client, ready, stop } = await bench.gateway();
  const measured = (/** @type {string} */ wish) => {
    const content = [text(`What is this project? ${wish}`)];
    const gatewayStep = async () => {
      await ready();
      return bench.gatewayConversation(client).leave(content, LEAVE_AFTER_MS);
    };
    const bareStep = async () => {
      await ready();
      const { conversation, end } = bench.bareConversation();
      const ms = await conversation.leave(content, LEAVE_AFTER_MS);
      await end();
      return ms;
    };
    return byTurns(bench.options.cold, gatewayStep, bareStep);
  };
  const before = await measured(ANSWER_LATE);
  const amidst = await measured(ANSWER_SLOWLY);
  await stop();
  const target = atMost(100);
  return [
    { kind: 'comparison', name: 'gone before the first event -> call aborted', ...before, target },
    { kind: 'comparison', name: 'gone amidst the answer -> call aborted', ...amidst, target },
  ];
}
