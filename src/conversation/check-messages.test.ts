import { expect, test } from 'vitest';
import { FailureError } from '../spec/failures.ts';
import type { ContentBlock } from '../spec/messages.ts';
import { checkMessages, type DecodedMessage } from './check-messages.ts';

/** Paths of a protocol whose client has other lists and other names. */
function message(at: number, role: DecodedMessage['role'], ...content: ContentBlock[]): DecodedMessage {
  return {
    role,
    content,
    paths: {
      message: `input.${at}`,
      content: `input.${at}.parts`,
      block: (block, ...inner) => [`input.${at}.parts.${block}`, ...inner].join('/'),
    },
  };
}

const text = (words: string): ContentBlock => ({ type: 'text', text: words });
const use = (id: string): ContentBlock => ({ type: 'tool_use', id, name: 'read', input: {} });
const result = (id: string, rest: object = {}): ContentBlock => ({ type: 'tool_result', tool_use_id: id, ...rest });
const image: ContentBlock = { type: 'image', source: {} };
const ask = message(0, 'user', text('x'));

const check = (...messages: DecodedMessage[]) => checkMessages(messages, 'input', 'm');

test.each<[string, DecodedMessage[]]>([
  ['input: at least one message is required', []],
  ['input: at least one message with content', [message(0, 'assistant', { type: 'thinking' }), message(1, 'system')]],
  ['input.0.parts: must have at least one', [message(0, 'user')]],
  ['input.0.parts.1/text: text content blocks must be non-empty', [message(0, 'user', text('x'), text(''))]],
  ['input.0.parts.0/text: text content blocks must contain', [message(0, 'system', text(' '))]],
  ['input.0.parts.0: tool_use blocks belong', [message(0, 'user', use('a'))]],
  ['input.1.parts.0: tool_result blocks belong', [ask, message(1, 'assistant', result('a'))]],
  ['input.3.parts.0: tool_use `a` has no tool_result', [ask, message(3, 'assistant', use('a'))]],
  ['input.3.parts.1/id: tool_use ids must be unique', [ask, message(3, 'assistant', use('a'), use('a'))]],
  ['input.4.parts.0/tool_use_id: no tool_use `a` waits', [message(4, 'user', result('a'))]],
  ['input.3.parts: a final assistant message', [ask, message(3, 'assistant', text('x'), { type: 'thinking' })]],
  [
    'input.4.parts.0/content/1: an error result cannot hold an image',
    [
      ask,
      message(3, 'assistant', use('a')),
      message(4, 'user', result('a', { is_error: true, content: [text('x'), image] })),
    ],
  ],
  ['input.0.parts.100: Claude Code carries 100 images', [message(0, 'user', ...Array(101).fill(image))]],
])('%s', (words, messages) => {
  const check = () => checkMessages(messages, 'input', 'm');
  expect(check).toThrow(FailureError);
  expect(check).toThrow(words);
});

test('a result behind other content is named in the message that has it, also when that joins the one before', () => {
  const calls = message(1, 'assistant', use('a'), use('b'));
  const results = [message(2, 'user', result('a')), message(3, 'user', text('x')), message(4, 'user', result('b'))];
  expect(() => check(ask, calls, ...results)).toThrow('input.4.parts: tool_result blocks must come before');
  const between = message(3, 'system', text('x'));
  expect(check(ask, calls, message(2, 'user', result('a')), between, message(4, 'user', result('b')))).toMatchObject({
    converted: ['input.3'],
    messages: [{}, {}, { content: [{ tool_use_id: 'a' }, { tool_use_id: 'b' }] }],
  });
});

test('what is left out or put otherwise is named in the client’s body', () => {
  const found = check(
    ask,
    message(2, 'assistant', { ...text('x'), citations: [{}] }, use('a')),
    message(3, 'user', result('a', { content: [{ type: 'tool_reference', tool_name: 'read' }] })),
    message(4, 'assistant', { type: 'thinking' }),
    message(5, 'user', text('y')),
  );
  expect(found.ignored).toEqual(['input.2.parts.0/citations', 'input.4']);
  expect(found.converted).toEqual(['input.3.parts.0']);
  expect(found.messages[1]?.content[0]).toEqual(text('x'));
  expect(found.messages[2]?.content[0]?.content).toEqual([text('The tool read is loaded.')]);
});

test('an assistant’s words in several messages are one message, and each part is named where it stood', () => {
  const server = { type: 'server_tool_use', id: 's', name: 'x', input: {} };
  const found = check(
    ask,
    message(2, 'assistant', server, { ...use('a'), caller: { type: 'direct' } }),
    message(3, 'assistant', { type: 'x_tool_result', tool_use_id: 's' }, text(' '), text('y')),
    message(4, 'user', result('a')),
  );
  expect(found.messages[1]?.content.map(({ type }) => type)).toEqual([
    'server_tool_use',
    'x_tool_result',
    'text',
    'tool_use',
  ]);
  expect(found.ignored).toEqual(['input.2.parts.1/caller', 'input.3.parts.1']);
  expect(found.converted).toEqual(['input.3']);
});

test('an assistant message of which nothing is left is named as a whole', () => {
  const found = check(
    ask,
    message(1, 'assistant', { type: 'thinking' }, { type: 'server_tool_use', id: 's', name: 'x', input: {} }),
    message(2, 'user', text('y')),
  );
  expect(found).toMatchObject({ ignored: ['input.1'], messages: [{ role: 'user' }] });
});

test('an assistant message of nothing is left out, and so is one of blank text; the last one may not be blank', () => {
  const found = check(
    ask,
    message(1, 'assistant'),
    message(2, 'user', text('y')),
    message(3, 'assistant', text('\n')),
    ask,
  );
  expect(found).toMatchObject({ ignored: ['input.1', 'input.3'], messages: [{ role: 'user' }] });
  expect(() => check(ask, message(1, 'assistant', text(' ')))).toThrow(
    'input.1.parts.0/text: text content blocks must',
  );
});
