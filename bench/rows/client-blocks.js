// @ts-check
import { isDeepStrictEqual } from 'node:util';
import { toolResultContent } from '../../dist/src/conversation/canonical.js';
import { CALL_A_TOOL } from '../observed-model.js';
import { foreignHistory, prose, resultOfCall, TOOLS, text, toolResult } from '../workload.js';

/** @typedef {import('../bench.js').Bench} Bench */
/** @typedef {import('../gateway-conversation.js').GatewayConversation} GatewayConversation */
/** @typedef {import('../gateway-conversation.js').Message} Message */
/** @typedef {import('../workload.js').ContentBlock} ContentBlock */

/** Conversations that a process takes after a request for a title. @type {Array<[opening: string, history: () => Message[]]>} */
const OTHERS = [
  ['Look into the documentation.', () => []],
  ['Go on.', () => foreignHistory(6, 3_000)],
];

/** Claude Code's system prompt begins with its billing line and with who it is. */
const LEADING_BLOCKS = 2;

/** One pixel. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/**
 * How many of the client's blocks reach the model unchanged and in place, and what was added: in the calls of a tool loop, and
 * in the first calls after whatever makes other bridges lose a conversation.
 *
 * @param {string} model
 * @returns {(bench: Bench) => Promise<import('../results.js').Figures[]>}
 */
export function clientBlocksRow(model) {
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
  const foreign = bench.gatewayConversation(first.client, historyOfAllKinds(), model);

  const counts = [
    await count('tool loop', async (look) => {
      await look(conversation, [text(`Look into the project. ${CALL_A_TOOL}`)]);
      for (let index = 0; index < 3; index += 1) await look(conversation, resultFor(conversation, CALL_A_TOOL));
      await look(conversation, resultFor(conversation));
    }),
    await count('undo', async (look) => {
      conversation.messages.splice(-2);
      await look(conversation, resultFor(conversation));
      await look(conversation, [text('What else?')]);
    }),
    await count('edit', async (look) => {
      conversation.messages[0] = { role: 'user', content: [text('Look into the project, but only into its tests.')] };
      await look(conversation, [text('And the other way?')]);
      await look(conversation, [text('Which is better?')]);
    }),
    await count('compaction', async (look) => {
      conversation.messages = [
        { role: 'user', content: [text(`We have come to this: ${prose(2_000)}`), text('Go on from there.')] },
        { role: 'assistant', content: [text('I will.')] },
      ];
      await look(conversation, [text(`What is left? ${CALL_A_TOOL}`)]);
      await look(conversation, resultFor(conversation));
    }),
    await count('use of a process again', async (look) => {
      for (const [opening, history] of OTHERS) {
        conversation.tools = [];
        conversation.messages = [];
        await look(conversation, [text('Give this a title.')]);
        conversation.tools = TOOLS;
        conversation.messages = history();
        await look(conversation, [text(`${opening} ${CALL_A_TOOL}`)]);
        await look(conversation, resultFor(conversation));
      }
    }),
    await count('foreign history', async (look) => {
      await look(foreign, [text(`And what do you see here? ${CALL_A_TOOL}`), image()]);
      await look(foreign, resultFor(foreign));
    }),
    await count('restart', async (look) => {
      for (const one of [conversation, foreign]) one.moveTo(second.client);
      await look(foreign, [text('What was it that you saw?')]);
      await look(conversation, [text(`Once more. ${CALL_A_TOOL}`)]);
      await look(conversation, resultFor(conversation));
    }),
  ];
  await first.stop();
  await second.stop();
  const figures = counts.map(({ label, sent, kept }) => ({
    label: `after ${label}, of ${sent}`,
    value: (100 * kept) / sent,
    unit: '%',
    atLeast: 100,
  }));
  const added = counts.reduce((sum, one) => sum + one.added, 0);
  return [
    {
      kind: 'figures',
      name: bench.named(`client blocks that reach the model as the same block, ${model}`),
      figures: [...figures, { label: 'blocks added', value: added, unit: '', atMost: 0 }],
      isProof: true,
    },
  ];
}

/** @typedef {(conversation: GatewayConversation, content: ContentBlock[]) => Promise<void>} Look */

/**
 * @param {string} label
 * @param {(look: Look) => Promise<void>} lead takes turns, each of which is looked at
 */
async function count(label, lead) {
  const result = { label, sent: 0, kept: 0, added: 0 };
  await lead(async (conversation, content) => {
    const { request } = await conversation.turn(content);
    // The last one is the answer.
    const sent = [{ role: 'system', content: [text(conversation.system)] }, ...conversation.messages.slice(0, -1)];
    const seen = [{ role: 'system', content: clientSystem(request.body) }, ...request.body.messages].map(inBlocks);
    const kept = sent.flatMap(({ role, content }, at) =>
      content.filter((block, index) => seen[at]?.role === role && isSame(block, seen[at]?.content[index])),
    );
    result.sent += blocksOf(sent);
    result.kept += kept.length;
    result.added += Math.max(0, blocksOf(seen) - blocksOf(sent));
  });
  return result;
}

/** The system prompt without the blocks that Claude Code leads with. @param {import('../observed-model.js').ModelRequest} body */
function clientSystem({ system }) {
  return inBlocks({ role: 'system', content: system ?? [] }).content.slice(LEADING_BLOCKS);
}

/** To the API a string is one text block. @param {{ role: string; content: string | ContentBlock[] }} message */
function inBlocks({ role, content }) {
  return { role, content: typeof content === 'string' ? [text(content)] : content };
}

/** @param {Array<{ content: ContentBlock[] }>} messages */
function blocksOf(messages) {
  return messages.reduce((sum, { content }) => sum + content.length, 0);
}

/**
 * @param {ContentBlock} sent
 * @param {ContentBlock | undefined} seen
 */
function isSame(sent, seen) {
  return seen !== undefined && isDeepStrictEqual(plain(sent), plain(seen));
}

/** Without the cache marks, which are Claude Code's; to the API a string is one text block. @param {ContentBlock} block */
function plain({ cache_control: _, ...block }) {
  return block.type === 'tool_result' ? { ...block, content: toolResultContent(block) } : block;
}

/**
 * @param {GatewayConversation} conversation that ends with a tool call
 * @param {string} [wish] for the model's next answer
 */
function resultFor({ messages }, wish = '') {
  return resultOfCall(messages.at(-1)?.content ?? [], 300, wish);
}

function image() {
  return { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } };
}

/** What another program and another model may have left. @returns {Message[]} */
function historyOfAllKinds() {
  const call = (/** @type {string} */ id) => ({ type: 'tool_use', id, name: 'of_another_program', input: { id } });
  return [
    { role: 'user', content: [text('What is this?'), image()] },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'I had better look.', signature: 'c2lnbmF0dXJlIG9mIGFub3RoZXI=' },
        { type: 'redacted_thinking', data: 'bm90IHRvIGJlIHJlYWQ=' },
        text('I look at both.'),
        call('toolu_of_another_1'),
        call('toolu_of_another_2'),
      ],
    },
    {
      role: 'user',
      content: [
        { ...toolResult('toolu_of_another_1', 'there is none'), is_error: true },
        { type: 'tool_result', tool_use_id: 'toolu_of_another_2', content: [text('a picture'), image()] },
        text('Both, please.'),
        { type: 'document', source: { type: 'text', media_type: 'text/plain', data: prose(500) }, title: 'notes' },
      ],
    },
    { role: 'assistant', content: [text('One is missing, the other is a picture.')] },
    ...foreignHistory(20, 20_000),
  ];
}
