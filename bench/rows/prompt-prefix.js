// @ts-check
import { CALL_A_TOOL } from '../observed-model.js';
import { promptOf } from '../prompt.js';
import { resultOfCall, text } from '../workload.js';

/** @typedef {import('../bench.js').Bench} Bench */
/** @typedef {import('../gateway-conversation.js').GatewayConversation} GatewayConversation */
/** @typedef {import('../prompt.js').Prompt} Prompt */
/** @typedef {import('../workload.js').ContentBlock} ContentBlock */

/**
 * @typedef {object} PrefixReport
 * @property {number} requests that continued an earlier one
 * @property {number} kept of those, how many began byte for byte as that one
 * @property {string[]} breaks where the others first differ
 */

/**
 * The model's prompt cache needs tools, system prompt and earlier messages to stay byte for byte where they were. Takes one
 * conversation over all paths and compares what the model got.
 *
 * @param {string} model
 * @returns {(bench: Bench) => Promise<import('../results.js').Figures[]>}
 */
export function promptPrefixRow(model) {
  return (bench) => measure(bench, model);
}

/**
 * @param {Bench} bench
 * @param {string} model
 * @returns {Promise<import('../results.js').Figures[]>}
 */
async function measure(bench, model) {
  const first = await bench.gateway();
  const second = await bench.gateway({ spares: 0 });
  await first.ready();
  const conversation = bench.gatewayConversation(first.client, [], model);
  const log = new PromptLog();

  await log.turn(conversation, [text(`Look into the project. ${CALL_A_TOOL}`)], 'start');
  for (let index = 0; index < 3; index += 1) await log.toolTurn(conversation, CALL_A_TOOL, 'continue');
  await log.toolTurn(conversation, '', 'continue');
  await log.turn(conversation, [text('What else?')], 'continue');

  undo(conversation, 2);
  await log.turn(conversation, [text(`Something else, then. ${CALL_A_TOOL}`)], 'rewind');
  await log.toolTurn(conversation, CALL_A_TOOL, 'continue');
  undo(conversation, 2);
  await log.toolTurn(conversation, CALL_A_TOOL, 'rewind');

  // Another gateway knows nothing of it, like this one after a restart.
  conversation.moveTo(second.client);
  await log.toolTurn(conversation, CALL_A_TOOL, 'replay');
  await log.toolTurn(conversation, '', 'continue');
  await log.turn(conversation, [text('Thank you.')], 'continue');

  await first.stop();
  await second.stop();
  const { requests, kept, breaks } = log.report;
  const share = { label: `of ${requests}`, value: kept, unit: 'requests', atLeast: requests };
  const name = bench.named(`prompt prefix kept byte for byte, ${model}`);
  return [{ kind: 'figures', name, figures: [share], notes: breaks, isProof: true }];
}

/**
 * Takes back the last messages, as a client's undo does.
 *
 * @param {GatewayConversation} conversation
 * @param {number} count
 */
function undo({ messages }, count) {
  messages.splice(messages.length - count, count);
}

/** What the client sent and what the model got of it, turn for turn. */
class PromptLog {
  /** @type {Array<{ sent: string[]; prompt: Prompt }>} */
  #turns = [];
  /** @type {PrefixReport} */
  report = { requests: 0, kept: 0, breaks: [] };

  /**
   * @param {GatewayConversation} conversation
   * @param {ContentBlock[]} content
   * @param {string} path that the gateway must take
   */
  async turn(conversation, content, path) {
    const { request, path: taken } = await conversation.turn(content);
    if (taken !== path) throw new Error(`the gateway's path was ${taken}, not ${path}`);
    const sent = conversation.messages.slice(0, -1).map((message) => JSON.stringify(message));
    const prompt = promptOf(request.body);
    const earlier = this.#turns
      .map((turn) => ({ turn, common: commonLength(turn.sent, sent) }))
      .reduce((best, next) => (next.common >= (best?.common ?? 1) ? next : best), /** @type {any} */ (undefined));
    this.#turns.push({ sent, prompt });
    if (!earlier) return;
    this.report.requests += 1;
    const difference =
      prompt.messages.length === sent.length
        ? firstDifference(earlier.turn.prompt, prompt, earlier.common)
        : `the model got ${prompt.messages.length} messages of ${sent.length}`;
    if (difference === undefined) this.report.kept += 1;
    else this.report.breaks.push(`turn ${this.#turns.length} (${path}): ${difference}`);
  }

  /**
   * Answers the call that the conversation ends with.
   *
   * @param {GatewayConversation} conversation
   * @param {string} wish for the model's next answer
   * @param {string} path
   */
  toolTurn(conversation, wish, path) {
    return this.turn(conversation, resultOfCall(conversation.messages.at(-1)?.content ?? [], 300, wish), path);
  }
}

/**
 * @param {readonly string[]} a
 * @param {readonly string[]} b
 */
function commonLength(a, b) {
  const at = a.findIndex((item, index) => item !== b[index]);
  return at < 0 ? a.length : at;
}

/**
 * @param {Prompt} earlier
 * @param {Prompt} later
 * @param {number} messages that the client sent both times
 * @returns {string | undefined}
 */
function firstDifference(earlier, later, messages) {
  if (earlier.tools !== later.tools) return 'the tools differ';
  if (earlier.system !== later.system) return "the client's system prompt differs";
  const kept = commonLength(earlier.messages.slice(0, messages), later.messages);
  return kept < messages ? `message ${kept} differs: ${later.messages[kept]?.slice(0, 200)}` : undefined;
}
