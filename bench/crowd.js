// @ts-check
import { SpawnGate } from '../dist/src/processes/spawn-gate.js';
import { ANSWER_LATE } from './observed-model.js';
import { TOOL_RESULT, Walk } from './walk.js';

/** @typedef {import('./bench.js').Bench} Bench */
/** @typedef {import('./gateway-conversation.js').MeasuredTurn} MeasuredTurn */
/** @typedef {import('./workload.js').ContentBlock} ContentBlock */

/** The bytes of each tool result. */
const BYTES = 2_000;

/**
 * A conversation of a crowd, which ends without leaving a process behind.
 *
 * @typedef {object} Member
 * @property {Walk} walk
 * @property {() => Promise<unknown>} end hangs up in its last turn
 */

/** Conversations that go on beside each other, on either side. @typedef {() => Promise<Member>} BeginMember */

/**
 * @param {Bench} bench
 * @param {import('./messages-client.js').MessagesClient} client
 * @param {readonly string[]} [paths] that a later turn may take
 * @returns {BeginMember}
 */
export function gatewayMembers(bench, client, paths) {
  return async () => {
    const conversation = bench.gatewayConversation(client);
    const walk = await Walk.begin((content) => conversation.turn(content), TOOL_RESULT, paths);
    return { walk, end: () => conversation.leave(walk.next(BYTES, ANSWER_LATE), 0) };
  };
}

/** As the gateway has it: after so long a start keeps no other from starting, in milliseconds. */
const LONGEST_SPAWN_MS = 10_000;

/**
 * A program that drives the SDK itself would know, too, that processes start faster one after another.
 *
 * @param {Bench} bench
 * @param {number} width starts at a time
 * @returns {BeginMember}
 */
export function bareMembers(bench, width) {
  const gate = new SpawnGate(width, LONGEST_SPAWN_MS);
  return async () => {
    const { conversation, end } = bench.bareConversation();
    let isBegun = false;
    const turn = (/** @type {ContentBlock[]} */ content) => {
      const passed = isBegun ? undefined : gate;
      isBegun = true;
      return conversation.turn(content, passed);
    };
    const walk = await Walk.begin(turn, TOOL_RESULT);
    return { walk, end };
  };
}

/**
 * @template Value
 * @param {number} count
 * @param {() => Promise<Value>} begin
 */
export function together(count, begin) {
  return Promise.all(Array.from({ length: count }, begin));
}

/**
 * @param {Member} member
 * @param {number} count
 */
export function toolTurns({ walk }, count) {
  return walk.steps(count, BYTES);
}

/**
 * @param {Member[]} members
 * @returns {Promise<unknown>}
 */
export function endAll(members) {
  return Promise.all(members.map((member) => member.end()));
}

/**
 * @param {number} turns
 * @param {() => Promise<unknown>} take takes them all
 * @returns {Promise<number>} how many that is in a second
 */
export async function rate(turns, take) {
  const startedAt = performance.now();
  await take();
  return (turns * 1000) / (performance.now() - startedAt);
}
