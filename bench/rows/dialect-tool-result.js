// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { CHAT, OpenAiConversation, RESPONSES } from '../openai-conversation.js';
import { median } from '../statistics.js';
import { TOOL_RESULT, Walk } from '../walk.js';

const BYTES = 2_000;
/** What one run differs from the next by, with the same dialect on both sides. */
const AT_MOST = 1.1;

/**
 * From the result of a tool to the model's call in each dialect, by turns: a held call is completed alike in all of them, so that
 * OpenAI's are no slower.
 *
 * @param {import('../bench.js').Bench} bench
 * @returns {Promise<import('../results.js').Figures[]>}
 */
export async function dialectToolResultRow(bench) {
  const { client, url, ready, stop } = await bench.gateway();
  const openAi = [CHAT, RESPONSES].map((speech) => new OpenAiConversation(bench.model, url, speech));
  const [chat, responses] = /** @type {[OpenAiConversation, OpenAiConversation]} */ (openAi);
  const walks = [];
  for (const conversation of [bench.gatewayConversation(client), chat, responses]) {
    await ready();
    const walk = await Walk.begin((content) => conversation.turn(content), TOOL_RESULT);
    await walk.steps(bench.options.practice, BYTES);
    walks.push({ walk, times: /** @type {number[]} */ ([]) });
  }
  await ready();
  await bench.settle();
  for (let sample = 0; sample < bench.options.warm; sample += 1) {
    // Each goes first as often as the others.
    for (let place = 0; place < walks.length; place += 1) {
      const { walk, times } = /** @type {(typeof walks)[number]} */ (walks[(sample + place) % walks.length]);
      await sleep(bench.options.pauseMs);
      times.push((await walk.step(BYTES)).ms);
    }
  }
  for (const conversation of openAi) {
    client.turns += conversation.turns;
    conversation.close();
  }
  await stop();
  const [own = Number.NaN, ...others] = walks.map(({ times }) => median(times));
  return [
    {
      kind: 'figures',
      name: 'tool result -> model called, by dialect',
      figures: [
        { label: 'messages: p50', value: own, unit: 'ms' },
        ...others.flatMap((p50, index) => {
          const name = ['chat', 'responses'][index];
          return [
            { label: `${name}: p50`, value: p50, unit: 'ms' },
            { label: `${name}: beside messages`, value: p50 / own, unit: 'x', atMost: AT_MOST },
          ];
        }),
      ],
    },
  ];
}
