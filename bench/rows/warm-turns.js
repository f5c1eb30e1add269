// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { atMostTimes, byTurns } from '../comparison.js';
import { CALL_A_TOOL, LEAVE_NO_PROCESS } from '../observed-model.js';
import { prose, text, toolResult } from '../workload.js';

/** @typedef {import('../bench.js').Bench} Bench */
/** @typedef {import('../comparison.js').Comparison} Comparison */
/** @typedef {import('../gateway-conversation.js').MeasuredTurn} MeasuredTurn */
/** @typedef {import('../workload.js').ContentBlock} ContentBlock */
/** @typedef {(content: ContentBlock[]) => Promise<MeasuredTurn>} TakeTurn */

/**
 * @typedef {object} Kind
 * @property {string} opening
 * @property {(previous: MeasuredTurn, bytes: number, wish?: string) => ContentBlock[]} next the content of the next turn
 */

/** Turns of a conversation that comes before: a gateway runs for days, its first moments are not what is measured. */
const PRACTICE = 40;

/** A tool's result, while the process holds the call. @type {Kind} */
const TOOL_RESULT = {
  opening: `Look into the project. ${CALL_A_TOOL}`,
  next({ answer }, bytes, wish = CALL_A_TOOL) {
    const call = answer.content.find((block) => block.type === 'tool_use');
    if (!call) throw new Error('the model was to call a tool');
    return [toolResult(String(call.id), `${prose(bytes)}${wish}`)];
  },
};

/** A user's next message, on a process whose last answer is complete. @type {Kind} */
const FOLLOW_UP = {
  opening: 'What is this project?',
  next: (_previous, bytes, wish = '') => [text(`And what else? ${prose(bytes)}${wish}`.trim())],
};

/** @param {Bench} bench */
export function toolResultRow(bench) {
  return warmRow(bench, { name: 'tool result -> model called', kind: TOOL_RESULT, bytes: 2_000 });
}

/**
 * The same in the middle of an agent's day: the client sends 120 messages, 300 KB, with each turn.
 *
 * @param {Bench} bench
 */
export function lateToolResultRow(bench) {
  const lead = { turns: 60, bytes: 5_000 };
  return warmRow(bench, { name: 'tool result after 300 KB -> model called', kind: TOOL_RESULT, bytes: 2_000, lead });
}

/** @param {Bench} bench */
export function followUpRow(bench) {
  return warmRow(bench, { name: 'follow-up turn -> model called', kind: FOLLOW_UP, bytes: 500 });
}

/**
 * @param {Bench} bench
 * @param {object} row
 * @param {string} row.name
 * @param {Kind} row.kind
 * @param {number} row.bytes of each turn
 * @param {{ turns: number; bytes: number }} [row.lead] turns before the first sample, one after another
 * @returns {Promise<Comparison>}
 */
async function warmRow(bench, { name, kind, bytes, lead = { turns: 3, bytes } }) {
  const { client, ready, stop } = await bench.gateway();
  const newGateway = async () => {
    await ready();
    const conversation = bench.gatewayConversation(client);
    return Walk.begin((content) => conversation.turn(content), kind, 'continue');
  };
  const newBare = async () => {
    const { conversation, end } = bench.bareConversation();
    return { walk: await Walk.begin((content) => conversation.turn(content), kind, undefined), end };
  };

  const practice = { gateway: await newGateway(), bare: await newBare() };
  await practice.gateway.steps(PRACTICE, bytes);
  await practice.gateway.step(bytes, LEAVE_NO_PROCESS);
  await practice.bare.walk.steps(PRACTICE, bytes);
  await practice.bare.end();

  const gateway = await newGateway();
  const bare = await newBare();
  await gateway.steps(lead.turns, lead.bytes);
  await bare.walk.steps(lead.turns, lead.bytes);
  // The spare that the first turn took is started anew, which is no part of this step.
  await ready();
  await bench.settle();
  const afterPause = (/** @type {Walk} */ walk) => async () => {
    await sleep(bench.options.pauseMs);
    return walk.step(bytes);
  };
  const times = await byTurns(bench.options.warm, afterPause(gateway), afterPause(bare.walk));
  await bare.end();
  await stop();
  return { name, ...times, target: atMostTimes(1.25) };
}

/** One conversation, led on turn by turn on the same live process. */
class Walk {
  #takeTurn;
  #kind;
  #path;
  #previous;
  #messages;

  /**
   * @param {TakeTurn} takeTurn
   * @param {Kind} kind
   * @param {string | undefined} path that every turn must take
   * @param {MeasuredTurn} first
   */
  constructor(takeTurn, kind, path, first) {
    this.#takeTurn = takeTurn;
    this.#kind = kind;
    this.#path = path;
    this.#previous = first;
    this.#messages = first.request.body.messages.length;
  }

  /**
   * @param {TakeTurn} takeTurn
   * @param {Kind} kind
   * @param {string | undefined} path
   */
  static async begin(takeTurn, kind, path) {
    return new Walk(takeTurn, kind, path, await takeTurn([text(kind.opening)]));
  }

  /**
   * @param {number} bytes
   * @param {string} [wish] for the model's answer
   * @returns {Promise<number>} the turn's milliseconds
   */
  async step(bytes, wish) {
    const turn = await this.#takeTurn(this.#kind.next(this.#previous, bytes, wish));
    if (turn.path !== this.#path) throw new Error(`the gateway's path was ${turn.path}, not ${this.#path}`);
    this.#messages += 2;
    if (turn.request.body.messages.length !== this.#messages) throw new Error('the model saw another conversation');
    this.#previous = turn;
    return turn.ms;
  }

  /**
   * @param {number} count
   * @param {number} bytes
   */
  async steps(count, bytes) {
    for (let index = 0; index < count; index += 1) await this.step(bytes);
  }
}
