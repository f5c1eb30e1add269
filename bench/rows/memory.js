// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { together } from '../crowd.js';
import { CAN_LIST, memoryMb } from '../process-list.js';
import { text } from '../workload.js';

/** @typedef {import('../bench.js').Bench} Bench */
/** @typedef {import('../results.js').Result} Result */

const BUDGET_MB = 3_000;
/** The numbers of conversations begun at which the memory is read; the budget carries some twenty. */
const COUNTS = [1, 2, 5, 10, 15, 20, 30, 50, 100, 300, 1000];
const QUICK_COUNTS = [1, 2];
/** Conversations of the bare SDK, which has no budget. */
const MOST_BARE = 20;
/** Conversations that begin at a time, so that a thousand of them take minutes. */
const AT_A_TIME = 2;
/** How often the memory is read while conversations begin, in milliseconds. */
const EVERY_MS = 250;
/** The gateway looks at the memory of its processes about as often. */
const SWEEP_MS = 6_000;
const TARGET_KB = 50;

/**
 * What conversations cost in memory: with a process, as long as the budget has room, and after its eviction. Each has a history
 * of one turn, and the system prompt and tools of a coding agent.
 *
 * @param {Bench} bench
 * @returns {Promise<Result[]>}
 */
export async function memoryRow(bench) {
  if (!CAN_LIST) return [];
  const counts = bench.options.isQuick ? QUICK_COUNTS : COUNTS;
  const flags = ['--max-memory-mb', String(BUDGET_MB), '--max-processes', '1000'];
  const { client, pid, processes, memory, stop } = await bench.gateway({ spares: 0, flags, isProbed: true });
  let most = 0;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      most = Math.max(most, await memoryMb(processes()));
      await sleep(EVERY_MS);
    }
  })();
  const points = [];
  let begun = 0;
  for (const count of counts) {
    await together(AT_A_TIME, async () => {
      while (begun < count) {
        begun += 1;
        await bench.gatewayConversation(client).turn([text('What is this project?')]);
      }
    });
    await sleep(bench.options.isQuick ? 0 : SWEEP_MS);
    const { heapBytes } = await memory();
    const all = await memoryMb([...processes(), pid]);
    points.push({ count, all, live: processes().length, heapMb: heapBytes / 1024 / 1024 });
  }
  isOver = true;
  await watching;
  await stop();
  const bare = await bareMemory(
    bench,
    counts.filter((count) => count <= MOST_BARE),
  );

  /** @type {Result[]} */
  const results = [
    {
      kind: 'curve',
      name: `memory against conversations begun, budget ${BUDGET_MB} MB`,
      file: 'memory',
      x: { label: 'conversations begun', isLogarithmic: true },
      y: { label: 'MB' },
      series: [
        { name: 'the gateway and its processes', points: points.map(({ count, all }) => [count, all]) },
        { name: 'the heap of the gateway alone', points: points.map(({ count, heapMb }) => [count, heapMb]) },
        { name: 'the processes of the bare SDK', points: bare },
      ],
    },
    {
      kind: 'figures',
      name: `memory of processes, budget ${BUDGET_MB} MB`,
      figures: [{ label: 'at most', value: most, unit: 'MB', atMost: BUDGET_MB }],
      notes: [`live processes: ${points.map(({ count, live }) => `${live} of ${count}`).join(', ')}`],
    },
  ];
  const [first, last] = [points.find(({ count, live }) => live < count), points.at(-1)];
  if (first && last && last.count > first.count) {
    const evicted = last.count - last.live - (first.count - first.live);
    const value = ((last.heapMb - first.heapMb) * 1024) / evicted;
    const figure = { label: `(${evicted} more of them)`, value, unit: 'kB', atMost: TARGET_KB };
    results.push({ kind: 'figures', name: 'heap for each evicted conversation', figures: [figure] });
  }
  return results;
}

/**
 * What the processes of as many conversations hold together when a program drives the SDK itself.
 *
 * @param {Bench} bench
 * @param {readonly number[]} counts ascending
 * @returns {Promise<Array<[conversations: number, mb: number]>>}
 */
async function bareMemory(bench, counts) {
  /** @type {Array<[number, number]>} */
  const points = [];
  const ends = [];
  for (const count of counts) {
    while (ends.length < count) {
      const { conversation, end } = bench.bareConversation();
      ends.push(end);
      await conversation.turn([text('What is this project?')]);
    }
    await sleep(bench.options.isQuick ? 0 : SWEEP_MS);
    points.push([count, await memoryMb(bench.sdk.processes())]);
  }
  await Promise.all(ends.map((end) => end()));
  return points;
}
