import type { Anthropic } from '@anthropic-ai/sdk';
import { afterEach, expect, test } from 'vitest';
import type { EngineReply } from '../../test-engine/reply.ts';
import { goOn, InProcessGateway, resultsFor } from '../support/gateway-in-process.ts';

/** A model with a budget of thinking refuses results of calls that it made without thinking, as far as it is told. */

let house: InProcessGateway;
afterEach(() => house?.stop());

const THOUGHT = { type: 'thinking' as const, thinking: 'hm', signature: 'c2ln' };
const DONE: EngineReply = { content: [{ type: 'text', text: 'Done.' }] };
const CALL: EngineReply = { content: [{ type: 'tool_use', name: 'read', input: {} }] };
const THOUGHTFUL: EngineReply = { content: [THOUGHT, { type: 'tool_use', name: 'read', input: {} }] };
const HI: Anthropic.MessageParam[] = [{ role: 'user', content: 'hi' }];
const ELSEWHERE: Anthropic.MessageParam[] = [
  ...HI,
  { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_elsewhere', name: 'read', input: {} }] },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_elsewhere', content: 'x' }] },
];
const READ: Anthropic.Tool = { name: 'read', input_schema: { type: 'object' } };

/** The way of a turn, what its client was told, and whether the model was to think. */
async function asked(messages: Anthropic.MessageParam[], tools = [READ]) {
  const thinking = { type: 'enabled' as const, budget_tokens: 2_048 };
  const { data, response } = await house.ask(messages, {
    model: 'claude-haiku-4-5',
    thinking,
    max_tokens: 4_096,
    tools,
  });
  const asks = house.calls.at(-1)?.parameters.thinking as { type: string };
  const { headers } = response;
  return { content: data.content, way: [headers.get('isthmus-path'), headers.get('isthmus-ignored'), asks.type] };
}

const withoutThinking = (content: Anthropic.ContentBlock[]) => content.filter(({ type }) => type !== 'thinking');

test('a loop from elsewhere goes on without thinking up to its end, in strict mode too', async () => {
  house = await InProcessGateway.start([{ replies: [CALL, DONE] }], { strict: true });
  const first = await asked(ELSEWHERE);
  expect(first.way).toEqual(['replay', 'thinking', 'disabled']);
  const second = goOn(ELSEWHERE, first.content, resultsFor(first.content));
  const last = await asked(second);
  expect(last.way).toEqual(['continue', 'thinking', 'disabled']);
  expect((await asked(goOn(second, last.content))).way).toEqual(['continue', null, 'enabled']);
});

test('a live process has the thinking that its client drops; what is loaded into it has none', async () => {
  house = await InProcessGateway.start([{ replies: [THOUGHTFUL, THOUGHTFUL, DONE] }]);
  const first = await asked(HI);
  expect(first.way).toEqual(['start', null, 'enabled']);
  const second = goOn(HI, withoutThinking(first.content), resultsFor(first.content));
  const next = await asked(second);
  expect(next.way).toEqual(['continue', null, 'enabled']);
  const third = goOn(second, withoutThinking(next.content), resultsFor(next.content));
  const others = [READ, { ...READ, name: 'write' }];
  expect((await asked(third, others)).way).toEqual(['rewind', 'thinking', 'disabled']);
});

test('where the client sends the thinking back, the model thinks as asked', async () => {
  house = await InProcessGateway.start([{ replies: [DONE] }]);
  const [question, calls, results] = ELSEWHERE as [
    Anthropic.MessageParam,
    Anthropic.MessageParam,
    Anthropic.MessageParam,
  ];
  const thoughtful = [THOUGHT, ...(calls.content as Anthropic.ContentBlockParam[])];
  const whole: Anthropic.MessageParam[] = [question, { role: 'assistant', content: thoughtful }, results];
  expect((await asked(whole)).way).toEqual(['replay', null, 'enabled']);
});
