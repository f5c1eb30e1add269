// @ts-check
import { SpawnGate } from '../dist/src/processes/spawn-gate.js';
import { ANSWER_LATE } from './observed-model.js';
import { TOOL_RESULT, Walk } from './walk.js';

/** @typedef {import('./bench.js').Bench} Bench */
/** @typedef {import('./gateway-conversation.js').MeasuredTurn} MeasuredTurn */
/** @typedef {import('./walk.js').Kind} Kind */
/** @typedef {import('./workload.js').ContentBlock} ContentBlock */

/** The bytes of each tool result. */
const BYTES = 2_000;

/**
 * One conversation of a crowd. It leaves no process behind.
 *
 * @typedef {object} Member
 * @property {Walk} walk
 * @property {() => Promise<unknown>} end hangs up in its last turn
 */

/** A crowd's gateway uses no process again, so that each conversation spawns one and its end frees the room. */
export const CROWD_FLAGS = ['--reuse', 'off'];

/** Begins one conversation of a crowd, on either side. @typedef {() => Promise<Member>} BeginMember */

/**
 * @param {Bench} bench
 * @param {import('./messages-client.js').MessagesClient} client
 * @param {Kind} [kind]
 * @param {readonly string[]} [paths] that later turns may take
 * @returns {BeginMember}
 */
export function gatewayMembers(bench, client, kind = TOOL_RESULT, paths) {
  return async () => {
    const conversation = bench.gatewayConversation(client);
    const walk = await Walk.begin((content) => conversation.turn(content), kind, paths);
    return { walk, end: () => conversation.leave(walk.next(BYTES, ANSWER_LATE), 0) };
  };
}

/** How long one spawn may keep others waiting, in milliseconds; as in the gateway. */
export const LONGEST_SPAWN_MS = 10_000;

/**
 * Begins conversations on the bare SDK, behind a spawn gate: a program that drives the SDK itself would have one too.
 *
 * @param {Bench} bench
 * @param {number} width spawns at a time
 * @param {Kind} [kind]
 * @returns {BeginMember}
 */
export function bareMembers(bench, width, kind = TOOL_RESULT) {
  const gate = new SpawnGate(width, LONGEST_SPAWN_MS);
  return async () => {
    const { conversation, end } = bench.bareConversation();
    let isBegun = false;
    const turn = (/** @type {ContentBlock[]} */ content) => {
      const passed = isBegun ? undefined : gate;
      isBegun = true;
      return conversation.turn(content, passed);
    };
    const walk = await Walk.begin(turn, kind);
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
 * @returns {Promise<number>} turns a second
 */
export async function rate(turns, take) {
  const startedAt = performance.now();
  await take();
  return (turns * 1000) / (performance.now() - startedAt);
}
