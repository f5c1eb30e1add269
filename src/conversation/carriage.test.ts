import { describe, expect, test } from 'vitest';
import type { ContentBlock, Message } from '../spec/messages.ts';
import { obstacleToHeld, obstacleToIdle } from './carriage.ts';

const user = (...content: ContentBlock[]): Message => ({ role: 'user', content });
const result = (content: unknown, rest: object = {}, id = 'toolu_1'): ContentBlock => ({
  type: 'tool_result',
  tool_use_id: id,
  content,
  ...rest,
});
const text = (value: string, rest: object = {}): ContentBlock => ({ type: 'text', text: value, ...rest });
const image: ContentBlock = { type: 'image', source: {} };

describe('what a held call takes', () => {
  test.each<[string, ContentBlock]>([
    ['a string', result('a')],
    ['a text block', result([text('a')])],
    ['several text blocks', result([text('a'), text('b', { cache_control: { type: 'ephemeral' } })])],
    ['a breakpoint', result('a', { cache_control: { type: 'ephemeral' }, is_error: null })],
    ['a short error', result('bad', { is_error: true })],
    ['400,000 characters', result('x'.repeat(400_000))],
  ])('%s', (_name, block) => {
    expect(obstacleToHeld(user(block), ['toolu_1'])).toBeUndefined();
  });

  test.each<[string, ContentBlock[]]>([
    ['empty tool result', [result('')]],
    ['empty tool result', [result([])]],
    ['empty tool result', [result(undefined)]],
    ['tool result with something else than text', [result([text('a'), image])]],
    ['tool result with something else than text', [result([text('a', { citations: [{}] })])]],
    ['tool result with other fields', [result('a', { toolset_name: 'browser' })]],
    ['tool result with blank text', [result(' \n')]],
    ['long tool result', [result('x'.repeat(400_001))]],
    ['error result of several blocks', [result([text('a'), text('b')], { is_error: true })]],
    ['error result with white space at its ends', [result('bad\n', { is_error: true })]],
    ['long error result', [result('x'.repeat(9_001), { is_error: true })]],
    ['content beside the tool results', [result('a'), text('beside')]],
    ['tool results in another order than the calls', [result('a', {}, 'toolu_2')]],
    ['tool results in another order than the calls', [result('a'), result('b', {}, 'toolu_2')]],
  ])('not: %s', (obstacle, blocks) => {
    expect(obstacleToHeld(user(...blocks), ['toolu_1'])).toBe(obstacle);
  });
});

describe('what an idle process takes', () => {
  test('text', () => {
    expect(obstacleToIdle(user(text('a'), text('b', { cache_control: {} })))).toBeUndefined();
  });

  test.each([[image], [result('a')], [{ type: 'document', source: {} }], [text('a', { citations: [] })]])(
    'not %j',
    (block) => {
      expect(obstacleToIdle(user(text('a'), block))).toBe('user turn with something else than text');
    },
  );
});
