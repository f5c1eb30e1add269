import { expect, test } from 'vitest';
import type { ContentBlock, JsonObject, MessagesRequest } from '../spec/messages.ts';
import { missesThinking, withoutThinking } from './missing-thinking.ts';

const CALL = { type: 'tool_use', id: 'a', name: 'read', input: {} };
const RESULT = { type: 'tool_result', tool_use_id: 'a', content: 'x' };
const THOUGHT = { type: 'thinking', thinking: 't', signature: 's' };
const BUDGET = { type: 'enabled', budget_tokens: 2_048 };

function request(
  answer: ContentBlock[],
  newest: ContentBlock[] = [RESULT],
  { model = 'claude-sonnet-4-5', thinking = BUDGET as JsonObject | undefined } = {},
): MessagesRequest {
  return {
    model,
    system: '',
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'go' }] },
      { role: 'assistant', content: answer },
      { role: 'user', content: newest },
    ],
    tools: [],
    parameters: { max_tokens: 4_096, ...(thinking && { thinking }) },
    betas: [],
    stream: false,
    ignored: [],
    converted: [],
    unknown: [],
  };
}

test.each<[string, boolean, MessagesRequest]>([
  ['calls without thinking', true, request([CALL])],
  ['text and calls without thinking', true, request([{ type: 'text', text: 'a' }, CALL])],
  ['calls with thinking', false, request([THOUGHT, CALL])],
  ['calls with hidden thinking', false, request([{ type: 'redacted_thinking', data: 'd' }, CALL])],
  [
    'calls to an alias of such a model',
    true,
    { ...request([CALL], [RESULT], { model: 'haiku' }), modelId: 'claude-haiku-4-5' },
  ],
  ['calls to an alias of a newer one', false, { ...request([CALL]), modelId: 'claude-opus-5-5' }],
  ['a loop that is over', false, request([{ type: 'text', text: 'a' }], [{ type: 'text', text: 'b' }])],
  ['a model that decides by itself', false, request([CALL], [RESULT], { model: 'claude-opus-4-6' })],
  ['no thinking asked for', false, request([CALL], [RESULT], { thinking: { type: 'disabled' } })],
])('%s: %j', (_, misses, given) => {
  expect(missesThinking(given)).toBe(misses);
});

test('thinking at the beginning of a loop is enough for its later calls, and that of an earlier turn is not', () => {
  const next = [
    { role: 'assistant' as const, content: [{ ...CALL, id: 'b' }] },
    { role: 'user' as const, content: [{ ...RESULT, tool_use_id: 'b' }] },
  ];
  const [first, second] = [request([THOUGHT, CALL]), request([CALL])];
  expect(missesThinking({ ...first, messages: [...first.messages, ...next] })).toBe(false);
  expect(missesThinking({ ...second, messages: [...second.messages, ...next] })).toBe(true);
  const later = { role: 'user' as const, content: [{ type: 'text', text: 'more' }] };
  const answer = { role: 'assistant' as const, content: [{ type: 'text', text: 'done' }] };
  expect(missesThinking({ ...first, messages: [...first.messages, answer, later, ...next] })).toBe(true);
});

test('the first message of a conversation misses nothing', () => {
  const { messages, ...rest } = request([CALL]);
  expect(missesThinking({ ...rest, messages: messages.slice(0, 1) })).toBe(false);
});

test('without thinking it is the same but for that', () => {
  const given = request([CALL]);
  expect(withoutThinking(given)).toEqual({
    ...given,
    parameters: { max_tokens: 4_096, thinking: { type: 'disabled' } },
  });
});
