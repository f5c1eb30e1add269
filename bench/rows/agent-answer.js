// @ts-check
import { deepStrictEqual } from 'node:assert';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askBareAgent } from '../bare-agent.js';
import { atMostTimes, byTurns } from '../comparison.js';
import { MessagesClient } from '../messages-client.js';
import { newMarker, READ_THE_FILE } from '../observed-model.js';
import { promptOf, wholeBody } from '../prompt.js';
import { MODEL, PARAMETERS, prose, systemPrompt, text } from '../workload.js';

/** @typedef {import('../bare-agent.js').AgentAnswer} AgentAnswer */
/** @typedef {import('../bench.js').Bench} Bench */
/** @typedef {import('../results.js').Result} Result */

/** Of the model in one answer: it reads a file, then it answers. */
const CALLS = 2;

/**
 * The first answer of an agent that reads one file, from the question to the end of the answer. The bare side is an agent that a
 * developer would write with the SDK alone. Both spawn a process; the gateway also keeps what the agent did.
 *
 * @param {Bench} bench
 * @returns {Promise<Result[]>}
 */
export async function agentAnswerRow(bench) {
  const workspace = makeWorkspace();
  const removeWorkspace = bench.cleanup.add(() => rmSync(workspace, { recursive: true, force: true }));
  const question = `What is this project? ${READ_THE_FILE}${join(workspace, 'README.md')})`;
  // A process that waits for its conversation would be at work beside the next sample.
  const flags = ['--agent-level', 'read', '--workspace', workspace, '--idle-minutes', '0.001'];
  const { url, empty, stop } = await bench.gateway({ spares: 0, flags });
  const client = new MessagesClient(`${url}/agents/agent`);

  const gatewayStep = async () => {
    await empty();
    await bench.settle();
    return observed(bench, 'agent-gateway', (marker) => askGateway(client, question, marker));
  };
  const bareStep = async () => {
    await empty();
    await bench.settle();
    return observed(bench, 'agent-bare', (marker) => askBareAgent(bench, workspace, question, marker));
  };
  const practice = { gateway: await gatewayStep(), bare: await bareStep() };
  deepStrictEqual(practice.gateway.sent, practice.bare.sent, 'the model got something else of the gateway');
  const { gateway, bare } = await byTurns(bench.options.cold, gatewayStep, bareStep);
  client.close();
  await stop();
  await removeWorkspace();

  const target = atMostTimes(1.15);
  /** @param {(answer: AgentAnswer) => number} time */
  const times = (time) => ({ gateway: gateway.map(time), bare: bare.map(time), target });
  return [
    { kind: 'comparison', name: bench.named('agent, first answer -> its end'), ...times(({ ms }) => ms) },
    {
      kind: 'comparison',
      name: bench.named('agent, first answer -> first event'),
      ...times(({ firstEventMs }) => firstEventMs),
    },
    modelCalls(bench, 1 + gateway.length),
  ];
}

/**
 * Asks a question, and reads what the model gets of it.
 *
 * @param {Bench} bench
 * @param {'agent-gateway' | 'agent-bare'} side
 * @param {(marker: string) => Promise<AgentAnswer>} ask
 * @returns {Promise<AgentAnswer & { sent: object[] }>} `sent`: the requests to the model, without what tells conversations apart
 */
async function observed({ model }, side, ask) {
  const marker = newMarker(side);
  const calls = async () => {
    const requests = [];
    while (requests.length < CALLS) requests.push(await model.next(marker));
    return requests;
  };
  const [requests, answer] = await Promise.all([calls(), ask(marker)]);
  if (!answer.text.includes('will go on')) throw new Error(`the agent answered ${JSON.stringify(answer.text)}`);
  return { ...answer, sent: requests.map(({ body }) => sentIn(body, marker)) };
}

/**
 * A request without what tells conversations apart, and without how Claude Code introduces itself in front of a system prompt: the
 * gateway adds its own to one that is empty, a developer replaces it.
 *
 * @param {import('../observed-model.js').ModelRequest} body
 * @param {string} marker
 * @returns {object}
 */
function sentIn(body, marker) {
  const sent = { ...wholeBody(body), system: promptOf(body).system };
  return JSON.parse(JSON.stringify(sent).replaceAll(marker, 'marker'));
}

/**
 * @param {MessagesClient} client
 * @param {string} question
 * @param {string} marker
 * @returns {Promise<AgentAnswer>}
 */
async function askGateway(client, question, marker) {
  const body = Buffer.from(
    JSON.stringify({
      model: MODEL,
      max_tokens: PARAMETERS.max_tokens,
      system: systemPrompt(marker),
      messages: [{ role: 'user', content: [text(question)] }],
      stream: true,
    }),
  );
  const sentAt = performance.now();
  const { answer, firstEventAt } = await client.send(body);
  const ms = performance.now() - sentAt;
  const words = answer.content.map((block) => block.text ?? '').join('');
  return { ms, firstEventMs: firstEventAt - sentAt, text: words };
}

/** A project of a few files. */
function makeWorkspace() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'isthmus-bench-workspace-')));
  mkdirSync(join(folder, 'src'));
  for (const name of ['README.md', 'package.json', 'src/index.ts']) writeFileSync(join(folder, name), prose(2_000));
  return folder;
}

/**
 * How often each side called the model for an answer.
 *
 * @param {Bench} bench
 * @param {number} answers of each side
 * @returns {import('../results.js').Figures}
 */
function modelCalls({ model }, answers) {
  const figure = (/** @type {string} */ whose, /** @type {string} */ markers) => {
    const calls = model.calls(markers);
    const label = `${whose} (${calls} calls, ${answers} answers)`;
    return { label, value: calls / answers, unit: '', atLeast: CALLS, atMost: CALLS };
  };
  const figures = [figure('of the gateway', 'agent-gateway'), figure('of the bare SDK', 'agent-bare')];
  return { kind: 'figures', name: 'model calls per answer of an agent', figures, isProof: true };
}
