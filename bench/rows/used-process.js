// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { atMostTimes, byTurns } from '../comparison.js';
import { Twins } from '../twins.js';
import { FOLLOW_UP, Walk } from '../walk.js';
import { foreignHistory, TOOLS, text } from '../workload.js';

/** @typedef {import('../bench.js').Bench} Bench */
/** @typedef {import('../gateway-conversation.js').GatewayConversation} GatewayConversation */
/** @typedef {import('../results.js').Result} Result */
/** @typedef {import('../workload.js').Message} Message */

/** Of the history that is replayed. */
const MESSAGES = 20;
const BYTES = 20_000;
/** Bytes of each turn of the bare SDK's that an undo is compared with. */
const TURN_BYTES = 500;
/** An undo says another of them than the one before: else the process would hold it. */
const OTHER_WORDS = ['Something else, then.', 'The other one, then.'];

/**
 * What a process takes that had another conversation, or more of the same: a first turn and a replay, against a `query()` that must
 * spawn a process; an undo and an edit, against the next turn of a live process. The one process of its gateway takes them all.
 *
 * @param {Bench} bench
 * @returns {Promise<Result[]>}
 */
export async function usedProcessRow(bench) {
  const used = await bench.gateway({ spares: 0, flags: ['--max-processes', '1'] });
  const fresh = await bench.gateway({ spares: 0, flags: ['--reuse', 'off'] });
  const conversation = bench.gatewayConversation(used.client);
  const twins = new Twins(conversation, used, fresh);
  const { cold, warm } = bench.options;

  const history = foreignHistory(MESSAGES, BYTES);
  const first = await byTurns(cold, onUsedProcess([]), spawnBare);
  const replay = await byTurns(cold, onUsedProcess(history), spawnBare);

  const { conversation: warmBare, end } = bench.bareConversation();
  const walk = await Walk.begin((content) => warmBare.turn(content), FOLLOW_UP);
  const nextOfBare = async () => {
    await sleep(bench.options.pauseMs);
    return (await walk.step(TURN_BYTES)).ms;
  };
  conversation.messages = [];
  for (let turn = 0; turn < 3; turn += 1) await conversation.turn([text('And what else?')]);
  const undo = await byTurns(warm, takeBack(1), nextOfBare);
  const edit = await byTurns(warm, takeBack(2), nextOfBare);

  await end();
  await used.stop();
  await fresh.stop();
  const ofCold = (/** @type {number} */ factor) => ({ ...atMostTimes(factor), text: `<= ${factor} x cold bare` });
  const ofWarm = { ...atMostTimes(1.5), text: '<= 1.5 x warm bare' };
  const called = (/** @type {string} */ what) => bench.named(`${what} -> model called`);
  return [
    { kind: 'comparison', name: called('first turn, used process'), ...first, target: ofCold(0.1) },
    { kind: 'comparison', name: called(`replay, ${MESSAGES} messages, used process`), ...replay, target: ofCold(0.4) },
    { kind: 'comparison', name: called('undo'), ...undo, target: ofWarm },
    { kind: 'comparison', name: called('edit, two turns back'), ...edit, target: ofWarm },
    {
      kind: 'figures',
      name: bench.named('these turns, taken by a used process'),
      figures: [{ label: `of ${twins.asked}`, value: twins.taken, unit: 'turns', atLeast: twins.asked }],
    },
  ];

  /** @param {Message[]} history */
  function onUsedProcess(history) {
    return async () => {
      // What leaves a process to other conversations: a question without tools.
      conversation.tools = [];
      conversation.messages = [];
      await conversation.turn([text('Give this a title.')]);
      conversation.tools = TOOLS;
      conversation.messages = [...history];
      await used.ready();
      await bench.settle();
      return (await twins.turn([text('What is this project?')])).ms;
    };
  }

  async function spawnBare() {
    await bench.settle();
    const bare = bench.bareConversation();
    const { ms } = await bare.conversation.turn([text('What is this project?')]);
    await bare.end();
    return ms;
  }

  /** @param {number} turns from which on the conversation goes another way */
  function takeBack(turns) {
    return async () => {
      await sleep(bench.options.pauseMs);
      conversation.messages.splice(-2 * turns);
      const words = OTHER_WORDS[twins.asked % OTHER_WORDS.length] ?? '';
      const { ms } = await twins.turn([text(words)]);
      for (let missing = 1; missing < turns; missing += 1) await conversation.turn([text('And what else?')]);
      return ms;
    };
  }
}
