// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { ANSWER_LATE, ANSWER_SLOWLY } from '../observed-model.js';
import { CAN_LIST } from '../process-list.js';
import { text } from '../workload.js';

/** @typedef {import('../bench.js').Bench} Bench */

const AT_A_TIME = 4;
/** How many processes may live: fewer than are opened, so that most are evicted. */
const PROCESSES = 6;
/** How soon after the gateway's end to look, in milliseconds: before a process would notice that end by itself. */
const AFTER_MS = 200;
const CALL_DEADLINE_MS = 60_000;

/** Clients that stay, that leave before the answer, and that leave in its midst. */
const WISHES = ['', ANSWER_LATE, ANSWER_SLOWLY];

/**
 * Opens conversations through one gateway, and fewer through two more. Ends each gateway in another way while an answer is under
 * way, and counts the processes and files that are left. Needs a system that lists its processes.
 *
 * @param {Bench} bench
 * @returns {Promise<import('../results.js').Figures[]>}
 */
export async function leftBehindRow(bench) {
  if (!CAN_LIST) return [];
  const { opens } = bench.options;
  const few = Math.ceil(opens / 10);
  const figures = [
    ...(await openAndEnd(bench, opens, 'SIGTERM')),
    ...(await openAndEnd(bench, few, 'SIGKILL')),
    ...(await openAndEnd(bench, few, 'crash')),
  ];
  return [{ kind: 'figures', name: 'left behind by gateways', figures, isProof: true }];
}

/**
 * @param {Bench} bench
 * @param {number} opens
 * @param {'SIGTERM' | 'SIGKILL' | 'crash'} how
 */
async function openAndEnd(bench, opens, how) {
  const flags = ['--max-processes', String(PROCESSES)];
  const gateway = await bench.gateway({ spares: 1, flags, isProbed: true });
  const { client, processes, leftFiles, end } = gateway;
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
  const before = processes().length;
  const underWay = bench.gatewayConversation(client);
  const calls = bench.model.calls('gateway');
  // The turn ends with the gateway, long before the model would have answered.
  void underWay.turn([text(`What else? ${ANSWER_LATE}`)]).catch(() => undefined);
  const until = performance.now() + CALL_DEADLINE_MS;
  while (bench.model.calls('gateway') === calls) {
    if (performance.now() > until) throw new Error('the last turn did not reach the model');
    await sleep(10);
  }
  // It counts as a turn: it reached the model, though its gateway is gone.
  client.turns += 1;
  await end(how);
  await sleep(AFTER_MS);
  const after = processes().length;
  const files = how === 'SIGKILL' ? await filesAfterSuccessor(bench, gateway) : leftFiles().length;
  await gateway.stop();
  return [
    { label: `processes after ${opens} opens`, value: before, unit: '', atMost: PROCESSES },
    { label: `processes after ${how}`, value: after, unit: '', atMost: 0 },
    { label: how === 'SIGKILL' ? 'files after its successor' : 'files', value: files, unit: '', atMost: 0 },
  ];
}

/**
 * A killed gateway cannot remove its files; the next one does, and leaves none of its own.
 *
 * @param {Bench} bench
 * @param {import('../gateway-process.js').GatewayProcess} killed
 */
async function filesAfterSuccessor(bench, { surroundings, leftFiles }) {
  if (leftFiles().length === 0) throw new Error('the killed gateway has left nothing that could be removed');
  const successor = await bench.gateway({ spares: 0, surroundings });
  await successor.end('SIGTERM');
  // The next process that writes there takes over what a killed one leaves in Claude Code's configuration.
  const { length } = leftFiles().filter((name) => !name.startsWith('claude'));
  await successor.stop();
  return length;
}
