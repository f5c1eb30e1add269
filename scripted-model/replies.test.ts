import { expect, test } from 'vitest';
import { completeMessage } from './message-stream.ts';
import { answer, apiError, text, thinking, toolUse } from './replies.ts';

const IDENTITY = { id: 'msg_1', model: 'claude-x', usage: { input_tokens: 1 }, toolUseId: () => 'toolu_made' };

test('an answer has its blocks in their order, and stops as they say', () => {
  const blocks = [
    thinking('Hm.'),
    text('Let me look.'),
    toolUse('read', { path: 'a' }),
    toolUse('read', {}, 'toolu_own'),
  ];
  expect(completeMessage(answer(...blocks), IDENTITY)).toMatchObject({
    content: [
      { type: 'thinking', thinking: 'Hm.', signature: 'sig-3' },
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_use', id: 'toolu_made', name: 'read', input: { path: 'a' } },
      { type: 'tool_use', id: 'toolu_own', name: 'read', input: {} },
    ],
    stop_reason: 'tool_use',
  });
  expect(completeMessage(answer('a', thinking('b', 'signed')), IDENTITY)).toMatchObject({
    content: [
      { type: 'text', text: 'a' },
      { type: 'thinking', thinking: 'b', signature: 'signed' },
    ],
    stop_reason: 'end_turn',
  });
});

test.each([
  [400, 'invalid_request_error'],
  [422, 'invalid_request_error'],
  [429, 'rate_limit_error'],
  [500, 'api_error'],
  [503, 'api_error'],
  [529, 'overloaded_error'],
])('an error of the status %i has the type that the API has for it: %s', (status, type) => {
  expect(apiError(status, 'So it is.')).toEqual({ error: { status, type, message: 'So it is.' } });
});

test('an error may have headers', () => {
  expect(apiError(429, 'Later.', { 'retry-after': '5' }).error?.headers).toEqual({ 'retry-after': '5' });
});
