// @ts-check

import { WORDS } from '../stand-in/answers.js';
import { bodyMaker, Load, nonces } from '../stand-in/load.js';
import { startStandInGateway } from '../stand-in/stand-in-gateway.js';
import { median } from '../statistics.js';
import { foreignHistory, MODEL, prose, TOOLS } from '../workload.js';

/** @typedef {import('../bench.js').Bench} Bench */
/** @typedef {import('../results.js').Figures} Figures */

const MESSAGES = 20;
const BYTES = 40_000;
const PER_SECOND = 100;
const BATCH = 100;
const CONNECTIONS = 16;

/**
 * The gateway's own time in a turn by dialect: the same conversations, by turns, over an engine that answers at once. Each
 * request has a coding agent's tools, which an answer of responses repeats three times.
 *
 * @param {Bench} bench
 * @returns {Promise<Figures[]>}
 */
export async function dialectTimeRow(bench) {
  const standIn = await startStandInGateway(bench);
  /** @type {Record<string, { load: Load; opening: (nonce: string) => Buffer; next: (nonce: string) => Buffer; times: number[] }>} */
  const dialects = Object.fromEntries(
    Object.entries(DIALECTS).map(([name, { path, request }]) => [
      name,
      {
        load: new Load(standIn.gatewayUrl, CONNECTIONS, path),
        opening: bodyMaker((nonce) => request(nonce, QUESTION)),
        next: bodyMaker((nonce) => request(nonce, NEXT)),
        times: [],
      },
    ]),
  );
  const rounds = Math.max(3, Math.ceil((bench.options.seconds * PER_SECOND) / BATCH));
  for (let round = 0; round < rounds; round += 1) {
    for (const { load, opening, next, times } of Object.values(dialects)) {
      const batch = nonces(BATCH);
      await load.pressed(batch.map(opening), CONNECTIONS);
      await bench.settle();
      await standIn.usage();
      const answers = await load.paced(batch.map(next), PER_SECOND);
      const strayed = answers.find(({ path }) => path !== 'continue');
      if (strayed) throw new Error(`the path was ${strayed.path}, not continue`);
      // The first round warms the code up.
      if (round > 0) times.push(...(await standIn.usage()).times.gateway);
    }
  }
  for (const { load } of Object.values(dialects)) load.close();
  await standIn.stop();
  const own = median(dialects.messages?.times ?? []);
  return [
    {
      kind: 'figures',
      name: `own time of a turn by dialect, ${MESSAGES} messages, ${BYTES / 1000} KB and ${TOOLS.length} tools, ${PER_SECOND}/s`,
      figures: Object.entries(DIALECTS).flatMap(([name, { atMost }]) => {
        const p50 = median(dialects[name]?.times ?? []);
        const figure = { label: `${name}: p50`, value: p50, unit: 'ms' };
        return atMost === undefined
          ? [figure]
          : [figure, { label: `${name}: beside messages`, value: p50 / own, unit: 'x', atMost }];
      }),
    },
  ];
}

const HISTORY = foreignHistory(MESSAGES - 2, BYTES - 2_000);
const QUESTION = [{ role: 'user', words: 'What is this project?' }];
const NEXT = [
  ...QUESTION,
  { role: 'assistant', words: WORDS },
  { role: 'user', words: `And what else? ${prose(1_500).trim()}` },
];

const FUNCTIONS = TOOLS.map(({ input_schema, ...tool }) => ({ ...tool, parameters: input_schema }));

/** @typedef {Array<{ role: string; words: string }>} Spoken */

const system = (/** @type {string} */ nonce) => `This is conversation ${nonce}.`;

/**
 * The same requests in each dialect; the bound is a multiple of the own time of the Messages API's.
 *
 * @type {Record<string, { path: string; atMost?: number; request: (nonce: string, later: Spoken) => object }>}
 */
const DIALECTS = {
  messages: {
    path: '/v1/messages',
    request: (nonce, later) => ({
      model: MODEL,
      max_tokens: 8_000,
      system: system(nonce),
      messages: [...HISTORY, ...later.map(({ role, words }) => ({ role, content: [{ type: 'text', text: words }] }))],
      tools: TOOLS,
      stream: true,
    }),
  },
  chat: {
    path: '/v1/chat/completions',
    atMost: 1.2,
    request: (nonce, later) => ({
      model: MODEL,
      max_completion_tokens: 8_000,
      messages: [
        { role: 'system', content: system(nonce) },
        ...HISTORY.flatMap(chatMessages),
        ...later.map(({ role, words }) => ({ role, content: words })),
      ],
      tools: FUNCTIONS.map((called) => ({ type: 'function', function: called })),
      stream: true,
    }),
  },
  responses: {
    path: '/v1/responses',
    // Its answers repeat what they were asked.
    atMost: 1.3,
    request: (nonce, later) => ({
      model: MODEL,
      max_output_tokens: 8_000,
      instructions: system(nonce),
      input: [...HISTORY.flatMap(responseItems), ...later.map(({ role, words }) => ({ role, content: words }))],
      tools: FUNCTIONS.map((called) => ({ type: 'function', ...called })),
      store: false,
      stream: true,
    }),
  },
};

/** @param {import('../workload.js').Message} message */
function responseItems({ role, content }) {
  return content.map((block) => {
    if (block.type === 'tool_use') {
      const { id, name, input } = block;
      return { type: 'function_call', call_id: id, name, arguments: JSON.stringify(input) };
    }
    if (block.type === 'tool_result') {
      return { type: 'function_call_output', call_id: block.tool_use_id, output: /** @type {any} */ (block.content) };
    }
    return { role, content: String(block.text) };
  });
}

/** @param {import('../workload.js').Message} message */
function chatMessages({ role, content }) {
  const words = content.flatMap(({ type, text }) => (type === 'text' ? [String(text)] : [])).join('\n');
  const calls = content.flatMap(({ type, id, name, input }) =>
    type === 'tool_use' ? [{ id, type: 'function', function: { name, arguments: JSON.stringify(input) } }] : [],
  );
  const results = content.flatMap((block) =>
    block.type === 'tool_result'
      ? [{ role: 'tool', tool_call_id: block.tool_use_id, content: /** @type {any} */ (block.content) }]
      : [],
  );
  const isSaid = words !== '' || calls.length > 0;
  return [...results, ...(isSaid ? [{ role, content: words, ...(calls.length > 0 && { tool_calls: calls }) }] : [])];
}
