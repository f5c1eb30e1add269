import { describe, expect, test } from 'vitest';
import type { ContentBlock, Message } from '../spec/messages.ts';
import { obstacleToHeld, obstacleToIdle, obstacleToLoad } from './carriage.ts';

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

describe('what a load takes', () => {
  const assistant = (...content: ContentBlock[]): Message => ({ role: 'assistant', content });
  const call = assistant({ type: 'tool_use', id: 'toolu_1', name: 'read', input: {} });
  const document: ContentBlock = { type: 'document', source: {} };
  const newest = user(text('more'));

  test.each<[string, Message[], number]>([
    ['a first message', [newest], 0],
    ['a history of calls and results', [user(text('a')), call, user(result('r')), assistant(text('so')), newest], 4],
    ['an image in a result', [user(text('a')), call, user(result([image])), assistant(text('so')), newest], 4],
    ['a document', [user(text('a'), document), assistant(text('so')), newest], 2],
    ['results of calls that are loaded too', [user(text('a')), call, user(result('r'), text('and'))], 2],
    ['an image that the process holds', [user(image), assistant(text('so')), newest], 0],
    [
      'a hundred images',
      [user(text('a')), call, user(result(Array(100).fill(image))), assistant(text('so')), newest],
      4,
    ],
    ['the part behind it', [user(image), assistant(text('so')), user(text('b')), assistant(text('so')), newest], 2],
  ])('%s', (_name, messages, toLoad) => {
    expect(obstacleToLoad(messages, toLoad)).toBeUndefined();
  });

  test.each<[string, Message[]]>([
    ['the newest message is not from the user', [user(text('a')), assistant(text('I say'))]],
    ['an image in a user message', [user(image)]],
    ['an image in a user message', [user(image), assistant(text('so')), newest]],
    ['text with other fields', [user({ ...text('a'), citations: [] }), assistant(text('so')), newest]],
    ['long tool result', [user(text('a')), call, user(result('r'.repeat(400_001)))]],
  ])('not: %s', (obstacle, messages) => {
    expect(obstacleToLoad(messages, messages.length - 1)).toBe(obstacle);
  });

  test.each([0, 2, 4])('not: more media than were seen, wherever they stand, with %i messages to load', (toLoad) => {
    const many = result(Array(100).fill(image));
    const messages = [user(text('a'), document), call, user(many), assistant(text('so')), newest];
    expect(obstacleToLoad(messages, toLoad)).toBe('more than 100 images and documents');
  });
});
