// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { ANSWER_LATE, ANSWER_SLOWLY } from '../observed-model.js';
import { CAN_LIST } from '../process-list.js';
import { text } from '../workload.js';

/** @typedef {import('../bench.js').Bench} Bench */

const AT_A_TIME = 4;
/** How many processes may live: fewer than are opened, so that most are evicted. */
const PROCESSES = 6;
/** After the end of the gateway, in milliseconds: a process that is going to notice it by itself has not yet. */
const AFTER_MS = 200;
const CALL_DEADLINE_MS = 60_000;

/** Clients that stay, that leave before the answer, and that leave in its midst. */
const WISHES = ['', ANSWER_LATE, ANSWER_SLOWLY];

/**
 * Opens conversations, a third for each way in which a gateway can end, ends it while an answer is under way, and counts
 * the processes and files that are left. Where the system does not list its processes there is nothing to count.
 *
 * @param {Bench} bench
 * @returns {Promise<import('../results.js').Figures[]>}
 */
export async function leftBehindRow(bench) {
  if (!CAN_LIST) return [];
  const each = Math.ceil(bench.options.opens / 3);
  const figures = [];
  for (const how of /** @type {const} */ (['SIGTERM', 'SIGKILL', 'crash'])) {
    const { beforeEnd, processes, files } = await openAndEnd(bench, each, how);
    figures.push({ label: `processes before ${how}`, value: beforeEnd, unit: '', atMost: PROCESSES });
    figures.push({ label: 'processes after', value: processes, unit: '', atMost: 0 });
    // A killed gateway cannot; the next one does.
    if (how !== 'SIGKILL') figures.push({ label: 'files after', value: files, unit: '', atMost: 0 });
  }
  return [{ kind: 'figures', name: `left behind by 3 gateways, ${each} opens each`, figures, isProof: true }];
}

/**
 * @param {Bench} bench
 * @param {number} opens
 * @param {'SIGTERM' | 'SIGKILL' | 'crash'} how
 */
async function openAndEnd(bench, opens, how) {
  const flags = ['--max-processes', String(PROCESSES)];
  const { client, processes, leftFiles, end, stop } = await bench.gateway({ spares: 1, flags, isProbed: true });
  let begun = 0;
  const goOn = async () => {
    while (begun < opens) {
      const wish = WISHES[begun % WISHES.length] ?? '';
      begun += 1;
      const conversation = bench.gatewayConversation(client);
      const content = [text(`What is this project? ${wish}`)];
      if (wish === '') await conversation.turn(content);
      else await conversation.leave(content, 20);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, goOn));
  await sleep(AFTER_MS);
  const beforeEnd = processes().length;
  const underWay = bench.gatewayConversation(client);
  const calls = bench.model.calls('gateway');
  // It ends with the gateway, and long before the model would have answered.
  void underWay.turn([text(`What else? ${ANSWER_LATE}`)]).catch(() => undefined);
  const until = performance.now() + CALL_DEADLINE_MS;
  while (bench.model.calls('gateway') === calls) {
    if (performance.now() > until) throw new Error('the last turn did not reach the model');
    await sleep(10);
  }
  // It is a turn that reached the model, though nobody lives to answer it.
  client.turns += 1;
  await end(how);
  await sleep(AFTER_MS);
  const left = { beforeEnd, processes: processes().length, files: leftFiles().length };
  await stop();
  return left;
}
