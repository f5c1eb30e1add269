// @ts-check
import { deepStrictEqual } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import { byTurns } from '../comparison.js';
import { together } from '../crowd.js';
import { CALL_A_TOOL, markerSentence } from '../observed-model.js';
import { CAN_LIST, memoryMb, processorMs } from '../process-list.js';
import { wholeBody } from '../prompt.js';
import { precise } from '../report.js';
import { median } from '../statistics.js';
import { TOOL_RESULT, Walk } from '../walk.js';
import { prose } from '../workload.js';

/** @typedef {import('../bench.js').Bench} Bench */
/** @typedef {Awaited<ReturnType<Bench['gateway']>>} Gateway */

/**
 * What one side of a round cost.
 *
 * @typedef {object} Cost
 * @property {number} processorMs of the gateway and all its processes
 * @property {number} mostMb
 * @property {number} seconds
 */

const COUNT = 12;
const QUICK_COUNT = 2;
const AT_A_TIME = 3;
/** How many processes there may be: a day has more subagents than that, and then there is no room for spares. */
const PROCESSES = 6;
const QUICK_PROCESSES = 2;
/** Turns that bring a tool's result. */
const TOOL_TURNS = 2;
const RESULT_BYTES = 2_000;
/** Each kind of subagent has a system prompt of its own. */
const KINDS = ['explorer', 'reviewer'].map((kind) => `You are the ${kind}. ${prose(8_000).trim()}`);
/** How often the memory is read, in milliseconds. */
const EVERY_MS = 250;

/**
 * Short conversations with tools, as a coding agent gives them to its subagents: what they cost a gateway that uses processes again,
 * beside one that does not. What the model gets is compared whole. Needs a system that lists its processes.
 *
 * @param {Bench} bench
 * @returns {Promise<import('../results.js').Figures[]>}
 */
export async function subagentsRow(bench) {
  if (!CAN_LIST) return [];
  const count = bench.options.isQuick ? QUICK_COUNT : COUNT;
  const flags = ['--max-processes', String(bench.options.isQuick ? QUICK_PROCESSES : PROCESSES)];
  const used = await bench.gateway({ spares: 0, flags: [...flags, '--reuse', 'on'] });
  const fresh = await bench.gateway({ spares: 0, flags: [...flags, '--reuse', 'off'] });
  const expected = await Promise.all(KINDS.map((system) => subagent(fresh, system)));

  // Users come to a gateway that has its processes.
  await subagents(used);
  await subagents(fresh);
  const before = used.turns().length;
  const costs = await byTurns(bench.options.rounds, round(used), round(fresh));
  const ways = waysOf(used.turns().slice(before));
  await used.stop();
  await fresh.stop();

  const name = bench.named(`${count} subagents, ${AT_A_TIME} at a time`);
  return [
    {
      kind: 'figures',
      name: `${name}, with reuse beside without`,
      figures: [
        { ...ratio('processorMs'), label: 'of the processor time', atMost: 1 },
        { ...ratio('mostMb'), label: 'of the largest memory' },
        { ...ratio('seconds'), label: 'of the time' },
      ],
      notes: [
        `each with and without reuse: processor ${both('processorMs')} ms, memory ${both('mostMb')} MB, time ${both('seconds')} s`,
      ],
    },
    {
      kind: 'figures',
      name: `${name}, their turns`,
      figures: [...ways].map(([label, value]) => ({ label, value, unit: 'turns' })),
    },
  ];

  /** @param {Gateway} gateway */
  async function subagents(gateway) {
    let begun = 0;
    await together(AT_A_TIME, async () => {
      while (begun < count) {
        const kind = begun % KINDS.length;
        begun += 1;
        const sent = await subagent(gateway, KINDS[kind] ?? '');
        deepStrictEqual(sent, expected[kind], 'the model got something else than a new process sends');
      }
    });
  }

  /**
   * @param {Gateway} gateway
   * @param {string} system
   * @returns {Promise<object[]>} what the model got in each turn
   */
  async function subagent({ client }, system) {
    const conversation = bench.gatewayConversation(client);
    conversation.system = system;
    /** @type {object[]} */
    const sent = [];
    const walk = await Walk.begin(
      async (content) => {
        const turn = await conversation.turn(content);
        sent.push(wholeBody(turn.request.body));
        return turn;
      },
      { ...TOOL_RESULT, opening: `${markerSentence(conversation.marker)} ${TOOL_RESULT.opening}` },
    );
    for (let left = TOOL_TURNS; left > 0; left -= 1) await walk.step(RESULT_BYTES, left > 1 ? CALL_A_TOOL : '');
    return JSON.parse(
      JSON.stringify(sent)
        .replaceAll(conversation.marker, 'the marker')
        .replaceAll(/toolu_\w+/g, 'a call'),
    );
  }

  /** @param {Gateway} gateway */
  function round(gateway) {
    return async () => {
      await gateway.ready();
      await bench.settle();
      const pids = () => [gateway.pid, ...gateway.processes()];
      let mostMb = 0;
      let isOver = false;
      const watching = (async () => {
        while (!isOver) {
          mostMb = Math.max(mostMb, await memoryMb(pids()));
          await sleep(EVERY_MS);
        }
      })();
      const spent = processorMs(pids());
      const startedAt = performance.now();
      await subagents(gateway);
      const seconds = (performance.now() - startedAt) / 1_000;
      isOver = true;
      await watching;
      // What is on its way out is paid for, too.
      await gateway.ready();
      return { processorMs: processorMs(pids()) - spent, mostMb, seconds };
    };
  }

  /** @param {keyof Cost} key */
  function ratio(key) {
    const value = median(costs.gateway.map((cost) => cost[key])) / median(costs.bare.map((cost) => cost[key]));
    return { value, unit: 'x' };
  }

  /** @param {keyof Cost} key */
  function both(key) {
    return [costs.gateway, costs.bare].map((side) => precise(median(side.map((cost) => cost[key])))).join(' and ');
  }
}

/**
 * How many turns took each way.
 *
 * @param {import('../gateway-process.js').LoggedTurn[]} turns
 * @returns {Map<string, number>}
 */
function waysOf(turns) {
  /** @type {Map<string, number>} */
  const ways = new Map();
  for (const { path, process } of turns) {
    const way = path === 'start' || path === 'replay' ? `${path}, ${process} process` : path;
    ways.set(way, (ways.get(way) ?? 0) + 1);
  }
  return new Map([...ways].sort());
}
