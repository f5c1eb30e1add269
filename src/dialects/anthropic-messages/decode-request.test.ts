import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FailureError } from '../../spec/failure.ts';
import { decodeRequest } from './decode-request.ts';

const base = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] };
const use = (id: string, rest: object = {}) => ({ type: 'tool_use', id, name: 'read', input: {}, ...rest });
const result = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: 'r' });

function messageOf(body: unknown): string {
  try {
    decodeRequest(body);
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    expect(error.failure).toMatchObject({ code: 'bad_request', status: 400, type: 'invalid_request_error' });
    return error.failure.message;
  }
  return 'accepted';
}

describe('a bad request is told by its field', () => {
  test.each<[string, unknown]>([
    ['Invalid input: expected object, received null', null],
    ['Invalid input: expected object, received array', []],
    ['model: ', { ...base, model: 5 }],
    ['model: the model must not be empty', { ...base, model: '' }],
    ['max_tokens: ', { ...base, max_tokens: 0 }],
    ['max_tokens: ', { ...base, max_tokens: undefined }],
    ['max_tokens: ', { ...base, max_tokens: '10' }],
    ['messages: ', { ...base, messages: undefined }],
    ['messages: ', { ...base, messages: 'hi' }],
    ['messages: at least one message is required', { ...base, messages: [] }],
    ['messages.0.role: must be `user` or `assistant`', { ...base, messages: [{ role: 'tool', content: 'x' }] }],
    ['messages.0.content: must be a string or a list of content blocks', { ...base, messages: [{ role: 'user' }] }],
    ['messages.0.content: must be a string or a list', { ...base, messages: [{ role: 'user', content: 5 }] }],
    [
      'messages.0.content: must have at least one content block',
      { ...base, messages: [{ role: 'user', content: '' }] },
    ],
    [
      'messages.0.content: must have at least one content block',
      { ...base, messages: [{ role: 'user', content: [] }] },
    ],
    ['messages.0.content.0.type: ', { ...base, messages: [{ role: 'user', content: [{ type: 'video' }] }] }],
    ['messages.0.content.0.text: ', { ...base, messages: [{ role: 'user', content: [{ type: 'text' }] }] }],
    [
      'messages.0.content.0.text: text content blocks must be non-empty',
      { ...base, messages: [{ role: 'user', content: [{ type: 'text', text: '' }] }] },
    ],
    [
      'messages.0.content.0.text: text content blocks must contain non-whitespace',
      { ...base, messages: [{ role: 'user', content: ' \n' }] },
    ],
    [
      'messages.0.content.0.text: has half a surrogate pair',
      { ...base, messages: [{ role: 'user', content: [{ type: 'text', text: 'a\ud83d' }] }] },
    ],
    ['system: must be a string or a list of text blocks', { ...base, system: 5 }],
    ['system.0.type: ', { ...base, system: [{ type: 'image' }] }],
    ['tools.0.name: ', { ...base, tools: [{ input_schema: { type: 'object' } }] }],
    [
      'tools.0.name: a tool name must be 1 to 128 printable',
      { ...base, tools: [{ name: '', input_schema: { type: 'object' } }] },
    ],
    ['tools.0.input_schema: ', { ...base, tools: [{ name: 'a' }] }],
    [
      'tools.0.input_schema: the root of an input_schema must have `type: "object"`',
      { ...base, tools: [{ name: 'a', input_schema: {} }] },
    ],
    [
      'tools.1.name: tool names must be unique',
      { ...base, tools: [1, 2].map(() => ({ name: 'a', input_schema: { type: 'object' } })) },
    ],
    ['thinking.budget_tokens: ', { ...base, thinking: { type: 'enabled' } }],
    ['stream: ', { ...base, stream: 'yes' }],
  ])('%s', (message, body) => {
    expect(messageOf(body)).toContain(message);
  });

  test.each<[string, unknown[]]>([
    ['messages.0.content.0.tool_use_id: no tool_use `a` waits', [{ role: 'user', content: [result('a')] }]],
    [
      'messages.1.content.0: tool_use `a` has no tool_result',
      [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: [use('a')] },
        { role: 'user', content: 'y' },
      ],
    ],
    [
      'messages.1.content.1: tool_use `b` has no tool_result',
      [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: [use('a'), use('b')] },
        { role: 'user', content: [result('a')] },
        { role: 'assistant', content: 'z' },
        { role: 'user', content: 'y' },
      ],
    ],
    [
      'messages.2.content.1.tool_use_id: no tool_use `a` waits',
      [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: [use('a')] },
        { role: 'user', content: [result('a'), result('a')] },
      ],
    ],
    [
      'messages.1.content.1.id: tool_use ids must be unique',
      [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: [use('a'), use('a')] },
        { role: 'user', content: [result('a')] },
      ],
    ],
    ['messages.0.content.0: tool_use blocks belong in assistant messages', [{ role: 'user', content: [use('a')] }]],
    [
      'messages.1.content.0: tool_result blocks belong in user messages',
      [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: [result('a')] },
      ],
    ],
    [
      'messages.1.content.1: nothing but tool_use blocks can follow',
      [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: [use('a'), { type: 'text', text: 't' }] },
        { role: 'user', content: [result('a')] },
      ],
    ],
    [
      'tool_result blocks must come before all other content',
      [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: [use('a')] },
        { role: 'user', content: [{ type: 'text', text: 't' }, result('a')] },
      ],
    ],
    [
      'messages.1.content.0.input: ',
      [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: [use('a', { input: 'x' })] },
      ],
    ],
    [
      'messages.1.content: must have at least one content block',
      [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: [] },
        { role: 'user', content: 'y' },
      ],
    ],
    [
      'messages.1.content: a final assistant message may hold text only',
      [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: [{ type: 'thinking', thinking: 't', signature: 's' }] },
      ],
    ],
  ])('%s', (message, messages) => {
    expect(messageOf({ ...base, messages })).toContain(message);
  });
});

test.each<[string, unknown]>([
  [
    'tools.0.name: a tool name must be 1 to 128 printable',
    { ...base, tools: [{ name: 'a…b', input_schema: { type: 'object' } }] },
  ],
  [
    'system: is nothing but a marker of Claude Code’s own',
    { ...base, system: "You are Claude Code, Anthropic's official CLI for Claude." },
  ],
  [
    'messages.2.content.0: nothing but tool_use blocks can follow',
    {
      ...base,
      messages: [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: [use('a')] },
        { role: 'assistant', content: 'mid' },
        { role: 'user', content: [result('a')] },
      ],
    },
  ],
  [
    'messages.2.content.0.content.1: an error result cannot hold an image',
    {
      ...base,
      messages: [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: [use('a')] },
        {
          role: 'user',
          content: [
            {
              ...result('a'),
              is_error: true,
              content: [
                { type: 'text', text: 't' },
                { type: 'image', source: {} },
              ],
            },
          ],
        },
      ],
    },
  ],
])('what the SDK would alter is refused: %s', (message, body) => {
  expect(messageOf(body)).toContain(message);
});

test('consecutive assistant messages with calls are one, and a key such as __proto__ is kept', () => {
  const input = JSON.parse('{"__proto__": {"a": 1}, "b": 2}');
  const { messages } = decodeRequest({
    ...base,
    messages: [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: [use('a', { input })] },
      { role: 'assistant', content: [use('b')] },
      { role: 'user', content: [result('a'), result('b')] },
    ],
  });
  expect(messages.map(({ role, content }) => [role, content.length])).toEqual([
    ['user', 1],
    ['assistant', 2],
    ['user', 2],
  ]);
  expect(JSON.stringify(messages[1]?.content[0]?.input)).toBe('{"__proto__":{"a":1},"b":2}');
});

test('the billing header of Claude Code as a client is left out, and said', () => {
  const system = ['x-anthropic-billing-header: cc_version=1', 'You are Claude Code.'].map((text) => ({
    type: 'text',
    text,
  }));
  expect(decodeRequest({ ...base, system })).toMatchObject({ system: 'You are Claude Code.', ignored: ['system.0'] });
});

test('decodes what it was given and says what it does not act on', () => {
  const request = decodeRequest({
    ...base,
    system: [
      { type: 'text', text: 'one', cache_control: { type: 'ephemeral' } },
      { type: 'text', text: 'two' },
    ],
    messages: [
      { role: 'user', content: 'a' },
      { role: 'user', content: [{ type: 'text', text: 'b' }] },
      { role: 'assistant', content: [{ type: 'thinking', thinking: 't', signature: 's' }] },
      { role: 'user', content: 'c' },
      { role: 'assistant', content: '(no content)' },
      { role: 'user', content: 'd' },
    ],
    tools: [
      {
        name: 'read',
        description: 'd',
        input_schema: { type: 'object', $defs: { x: {} } },
        strict: true,
        defer_loading: true,
      },
      { type: 'web_search_20250305', name: 'web_search' },
    ],
    temperature: 0.5,
    metadata: { user_id: 'u' },
    stream: true,
  });
  expect(request).toEqual({
    model: 'm',
    system: 'one\n\ntwo',
    messages: [{ role: 'user', content: ['a', 'b', 'c', 'd'].map((text) => ({ type: 'text', text })) }],
    tools: [{ name: 'read', description: 'd', input_schema: { type: 'object', $defs: { x: {} } }, strict: true }],
    parameters: { max_tokens: 10, temperature: 0.5, thinking: { type: 'disabled' } },
    stream: true,
    ignored: ['tools.0.defer_loading', 'tools.1', 'metadata', 'messages.2', 'messages.4'],
  });
});

test('whatever comes in, it is decoded or refused, never an exception', () => {
  const value = fc.anything({ maxDepth: 4, withNullPrototype: true });
  const almost = fc.record(
    {
      model: fc.oneof(fc.constant('m'), value),
      max_tokens: fc.oneof(fc.constant(1), value),
      system: value,
      tools: fc.oneof(fc.array(value), value),
      messages: fc.array(
        fc.record({
          role: fc.oneof(fc.constantFrom('user', 'assistant'), value),
          content: fc.oneof(
            fc.string(),
            fc.array(
              fc.record({
                type: fc.constantFrom('text', 'tool_use', 'tool_result', 'image', 'thinking', 'x'),
                text: value,
                id: fc.constantFrom('a', 'b'),
                tool_use_id: fc.constantFrom('a', 'b'),
                name: value,
                input: value,
                content: value,
                source: value,
                thinking: value,
                signature: value,
              }),
            ),
            value,
          ),
        }),
      ),
    },
    { requiredKeys: ['messages'] },
  );
  fc.assert(
    fc.property(fc.oneof(value, almost), (body) => void messageOf(body)),
    { numRuns: 5_000 },
  );
});
