import { expect, test } from 'vitest';
import { request, tool, user } from '../../test/support/engine.ts';
import type { ContentBlock, MessagesRequest } from '../spec/messages.ts';
import { countedParts } from './counted-parts.ts';
import { estimateTokens } from './estimate-tokens.ts';

const document = (source: object): ContentBlock => ({ type: 'document', source });

test.each<[string, MessagesRequest, number, number]>([
  ['one word', request([user('hi')], { system: '' }), 20, 42],
  ['English', request([user('word '.repeat(400))], { system: '' }), 400, 650],
  ['a system prompt', request([user('hi')], { system: 'word '.repeat(400) }), 400, 650],
  ['a tool', request([user('hi')], { system: '', tools: [tool('read')] }), 380, 450],
  ['Chinese', request([user('你好世界'.repeat(100))], { system: '' }), 400, 600],
  ['Russian', request([user('привет '.repeat(100))], { system: '' }), 300, 650],
  ['emoji', request([user('🙂'.repeat(100))], { system: '' }), 200, 350],
  ['an image', request([user({ type: 'image', source: { type: 'base64', data: 'x'.repeat(1e6) } })]), 1_500, 2_100],
  ['a text as document', request([user(document({ type: 'text', data: 'word '.repeat(9_000) }))]), 9_000, 14_000],
  ['a long document', request([user(document({ type: 'base64', data: 'x'.repeat(3e6) }))]), 50_000, 150_000],
  ['a long text', request([user('word '.repeat(1e6))], { system: '' }), 1e6, 1.5e6],
  [
    'a result',
    request([user({ type: 'tool_result', tool_use_id: 'a', content: 'word '.repeat(400) })], { system: '' }),
    400,
    650,
  ],
])('the guess for %s is not far off', (_what, given, least, most) => {
  const guess = countedParts(given).reduce((sum, part) => sum + estimateTokens(part), 0);
  expect(guess).toBeGreaterThanOrEqual(least);
  expect(guess).toBeLessThanOrEqual(most);
});
