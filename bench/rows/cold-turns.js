// @ts-check
import { deepStrictEqual } from 'node:assert';
import { atMostOver, atMostTimes, byTurns } from '../comparison.js';
import { LEAVE_NO_PROCESS, markerSentence } from '../observed-model.js';
import { foreignHistory, prose, TOOLS, text } from '../workload.js';

/** @typedef {import('../bench.js').Bench} Bench */
/** @typedef {import('../comparison.js').Comparison} Comparison */
/** @typedef {import('../comparison.js').Target} Target */
/** @typedef {import('../gateway-conversation.js').MeasuredTurn} MeasuredTurn */

/**
 * The newest turn of every sample. After its answer the gateway keeps no process, so that all samples begin alike. Each has a system
 * prompt of its own, so that no process that was used before takes it.
 */
const TURN = [text(`What is this project? ${LEAVE_NO_PROCESS}`)];

/** Of samples that are alike, which tell themselves apart in their first message. */
const SHARED_PROMPT = prose(8_000).trim();

/**
 * A first turn that finds a spare, against a `query()` that must spawn a process.
 *
 * @param {Bench} bench
 */
export function firstTurnWithSpareRow(bench) {
  return coldRow(bench, {
    name: 'first turn, spare -> model called',
    spares: 2,
    path: 'start',
    served: 'spare',
    target: { ...atMostTimes(0.5), text: '<= 0.5 x cold bare' },
  });
}

/**
 * A first turn when the gateway must spawn a process too.
 *
 * @param {Bench} bench
 */
export function firstTurnWithoutSpareRow(bench) {
  return coldRow(bench, {
    name: 'first turn, no spare -> model called',
    spares: 0,
    path: 'start',
    served: 'new',
    target: { ...atMostOver(20), text: '<= cold bare + 20 ms' },
  });
}

/**
 * A first turn in full mode that finds a spare, which a first request of the same kind has called for. All samples share a system
 * prompt.
 *
 * @param {Bench} bench
 */
export function firstTurnWithFullModeSpareRow(bench) {
  return coldRow(bench, {
    name: 'first turn, spare -> model called',
    spares: 2,
    path: 'start',
    served: 'spare',
    sharesPrompt: true,
    target: { ...atMostTimes(0.5), text: '<= 0.5 x cold bare' },
  });
}

/**
 * A first turn in full mode when the gateway must spawn a process: there a spare serves one system prompt, and each sample has its own.
 *
 * @param {Bench} bench
 */
export function firstTurnInFullModeRow(bench) {
  return coldRow(bench, {
    name: 'first turn -> model called',
    spares: 0,
    path: 'start',
    served: 'new',
    target: { ...atMostOver(50), text: '<= cold bare + 50 ms' },
  });
}

/**
 * A history that goes to a new process, against a `query()` with its newest turn alone. The gateway uses no process again: a spare
 * would take a short history.
 *
 * @param {string} size as the row's name has it
 * @param {number} messages
 * @param {number} bytes
 * @param {number} allowedMs over a cold `query()`
 * @returns {(bench: Bench) => Promise<Comparison[]>}
 */
export function replayRow(size, messages, bytes, allowedMs) {
  return (bench) =>
    coldRow(bench, {
      name: `replay, ${size}, new process -> model called`,
      flags: ['--reuse', 'off'],
      path: 'replay',
      served: 'new',
      history: { messages, bytes },
      target: { ...atMostOver(allowedMs), text: `<= cold bare + ${allowedMs} ms` },
    });
}

/**
 * @param {Bench} bench
 * @param {object} row
 * @param {string} row.name
 * @param {number} [row.spares] all ready before each sample
 * @param {string[]} [row.flags] of the gateway
 * @param {string} row.path
 * @param {string} row.served by which process
 * @param {boolean} [row.sharesPrompt] whether the samples are alike, so that a spare for one serves the next; the first then calls
 *   for spares
 * @param {{ messages: number; bytes: number }} [row.history]
 * @param {Target} row.target
 * @returns {Promise<Comparison[]>}
 */
async function coldRow(bench, { name, spares, flags = [], path, served, sharesPrompt = false, history, target }) {
  const { client, ready, turns, stop } = await bench.gateway({ ...(spares !== undefined && { spares }), flags });
  const ask = () => {
    const messages = history ? foreignHistory(history.messages, history.bytes) : [];
    const conversation = bench.gatewayConversation(client, messages);
    if (!sharesPrompt) return conversation.turn(TURN);
    conversation.system = SHARED_PROMPT;
    return conversation.turn([text(markerSentence(conversation.marker)), ...TURN]);
  };
  const gatewayStep = async () => {
    await ready();
    await bench.settle();
    const turn = await ask();
    if (turn.path !== path) throw new Error(`the gateway's path was ${turn.path}, not ${path}`);
    checkWhole(turn, history ? history.messages + 1 : 1);
    return turn.ms;
  };
  const bareStep = async () => {
    await ready();
    await bench.settle();
    const { conversation, end } = bench.bareConversation();
    const turn = await conversation.turn(TURN);
    await end();
    checkWhole(turn, 1);
    return turn.ms;
  };
  if (sharesPrompt) await ask();
  await gatewayStep();
  await bareStep();
  const times = await byTurns(bench.options.cold, gatewayStep, bareStep);
  await ready();
  const others = turns().filter(({ process }, index) => process !== served && !(sharesPrompt && index === 0));
  if (others.length > 0) throw new Error(`turns were not served by a ${served} process: ${JSON.stringify(others)}`);
  await stop();
  return [{ kind: 'comparison', name: bench.named(name), ...times, target }];
}

/**
 * A call that lacks its tools or its messages is fast for the wrong reason.
 *
 * @param {MeasuredTurn} turn
 * @param {number} messages
 */
function checkWhole({ request: { body } }, messages) {
  if (body.messages.length !== messages) throw new Error(`the model saw ${body.messages.length} messages`);
  /** @type {any[]} */
  const tools = body.tools ?? [];
  const seen = tools.map(({ name, description, input_schema }) => ({ name, description, input_schema }));
  deepStrictEqual(seen, TOOLS, 'the model saw other tools than the client has');
}
