import { describe, expect, test } from 'vitest';
import { wireRequest } from '../../../test/support/wire-request.ts';
import { type Failure, FailureError } from '../../spec/failures.ts';
import type { JsonObject } from '../../spec/messages.ts';
import { CHAT_FIELDS } from './chat-contract.ts';
import { decodeChat } from './decode-chat.ts';

const MODEL = 'claude-sonnet-4-5';
const TOOL = (name: string) => ({
  type: 'function',
  function: { name, description: name, parameters: { type: 'object', properties: { path: { type: 'string' } } } },
});
const user = (content: unknown) => ({ role: 'user', content });
const text = (words: string) => ({ type: 'text', text: words });
const call = (id: string, name: string, args: string) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});

function wire(body: JsonObject, strict = false) {
  const aliasOf = (name: string) => (name === 'gpt-5' ? 'claude-sonnet-5' : undefined);
  return wireRequest(body, { strict, aliasOf });
}

const decoded = (body: JsonObject, strict = false) =>
  decodeChat(wire({ model: MODEL, max_tokens: 10, messages: [user('x')], ...body }, strict));
const request = (body: JsonObject, strict = false) => decoded(body, strict).request;

function refusal(body: JsonObject): Failure {
  try {
    request(body);
  } catch (error) {
    if (error instanceof FailureError) return error.failure;
    throw error;
  }
  throw new Error('It was taken.');
}

test('a plain request: the leading instructions are the system prompt, and an answer may be long', () => {
  const messages = [
    { role: 'system', content: 'Be short.' },
    { role: 'developer', content: 'In French.' },
    user('Bonjour'),
  ];
  expect(decodeChat(wire({ model: MODEL, messages })).request).toEqual({
    model: MODEL,
    system: 'Be short.\n\nIn French.',
    messages: [user([text('Bonjour')])],
    tools: [],
    toolPaths: [],
    parameters: { max_tokens: 64_000 },
    parameterPaths: {
      max_tokens: undefined,
      stop_sequences: 'stop',
      'tool_choice.disable_parallel_tool_use': 'parallel_tool_calls',
    },
    betas: [],
    thinkingPath: 'reasoning_effort',
    stream: false,
    ignored: [],
    converted: [],
    unknown: [],
  });
});

test('the second turn of a tool loop: ids are the model’s again, results in the order of the calls', () => {
  const { request: found, includesUsage } = decoded({
    stream: true,
    stream_options: { include_usage: true },
    tools: [TOOL('read'), TOOL('list')],
    tool_choice: 'auto',
    parallel_tool_calls: true,
    messages: [
      user('Look around'),
      {
        role: 'assistant',
        content: null,
        tool_calls: [call('call_toolu_01A', 'read', '{ "path":"a.txt" }'), call('call_toolu_01B', 'list', '')],
      },
      { role: 'tool', tool_call_id: 'call_toolu_01B', content: 'a.txt\nb.txt' },
      { role: 'tool', tool_call_id: 'call_toolu_01A', content: [text('hello')] },
    ],
  });
  expect(includesUsage).toBe(true);
  expect(found).toMatchObject({
    stream: true,
    ignored: [],
    converted: [],
    parameters: { max_tokens: 10, tool_choice: { type: 'auto' } },
    tools: [
      { name: 'read', description: 'read', input_schema: { type: 'object', properties: { path: { type: 'string' } } } },
      { name: 'list' },
    ],
    messages: [
      user([text('Look around')]),
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 'toolu_01A', name: 'read', input: { path: 'a.txt' } },
          { type: 'tool_use', id: 'toolu_01B', name: 'list', input: {} },
        ],
      },
      user([
        { type: 'tool_result', tool_use_id: 'toolu_01A', content: [text('hello')] },
        { type: 'tool_result', tool_use_id: 'toolu_01B', content: [text('a.txt\nb.txt')] },
      ]),
    ],
  });
});

test('a later instruction stays in its place, and is told', () => {
  const messages = [
    { role: 'system', content: 'S' },
    user('one'),
    { role: 'assistant', content: '1' },
    { role: 'developer', content: 'Now be terse' },
    user('two'),
  ];
  expect(request({ messages })).toMatchObject({
    system: 'S',
    messages: [
      user([text('one')]),
      { role: 'assistant', content: [text('1')] },
      user([text('<system-reminder>\nNow be terse\n</system-reminder>'), text('two')]),
    ],
    converted: ['messages.3'],
    ignored: [],
  });
});

test('an instruction holds text only, wherever it stands', () => {
  const image = { type: 'image_url', image_url: { url: 'https://example.test/a.png' } };
  const messages = [user('one'), { role: 'system', content: [text('see'), image] }, user('two')];
  expect(refusal({ messages })).toMatchObject({ path: 'messages.1.content.1' });
  expect(refusal({ messages: messages.slice(1) })).toMatchObject({ path: 'messages.0.content.1' });
});

test('names are ignored, and told; that of a result is the call’s', () => {
  const messages = [
    { role: 'system', content: 'S', name: 'a' },
    { ...user('one'), name: 'b' },
    { role: 'assistant', content: null, tool_calls: [call('call_1', 'read', '{}')], name: 'c' },
    { role: 'tool', tool_call_id: 'call_1', content: 'x', name: 'read' },
  ];
  expect(request({ messages }).ignored).toEqual(['messages.0.name', 'messages.1.name', 'messages.2.name']);
});

test('consecutive messages of the user are one', () => {
  const found = request({ messages: [user('a'), user([text('b'), text('c')]), user(''), user('d')] });
  expect(found.messages).toEqual([user(['a', 'b', 'c', 'd'].map(text))]);
  // One that says nothing is left out.
  expect(found.ignored).toEqual(['messages.2']);
});

test('consecutive messages of the assistant are one, and so are their calls', () => {
  const found = request({
    messages: [
      user('a'),
      { role: 'assistant', content: 'b', tool_calls: [call('call_1', 'read', '{}')] },
      { role: 'assistant', content: 'c', tool_calls: [call('call_2', 'read', '{}')] },
      { role: 'tool', tool_call_id: 'call_2', content: 'two' },
      { role: 'tool', tool_call_id: 'call_1', content: 'one' },
    ],
  });
  const used = (id: string) => ({ type: 'tool_use', id, name: 'read', input: {} });
  const result = (id: string, words: string) => ({ type: 'tool_result', tool_use_id: id, content: [text(words)] });
  expect(found.messages.slice(1)).toEqual([
    { role: 'assistant', content: [text('b'), text('c'), used('call_1'), used('call_2')] },
    user([result('call_1', 'one'), result('call_2', 'two')]),
  ]);
  // A text behind a call comes before it.
  expect(found.converted).toEqual(['messages.2']);
});

test('images and files reach the model as blocks', () => {
  const content = [
    text('see'),
    { type: 'image_url', image_url: { url: 'data:image/jpg;name=x.jpg;base64,QUJD\nREVG', detail: 'high' } },
    { type: 'image_url', image_url: { url: 'https://example.test/a.png', detail: 'auto' } },
    { type: 'file', file: { filename: 'r.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } },
    { type: 'file', file: { filename: 'n.txt', file_data: 'data:text/plain;base64,aMOk' } },
    text(''),
  ];
  expect(request({ messages: [user(content)] })).toMatchObject({
    messages: [
      user([
        text('see'),
        { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: 'QUJDREVG' } },
        { type: 'image', source: { type: 'url', url: 'https://example.test/a.png' } },
        {
          type: 'document',
          source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' },
          title: 'r.pdf',
        },
        { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'hä' }, title: 'n.txt' },
      ]),
    ],
    ignored: ['messages.0.content.1.image_url.detail'],
  });
});

test.each(['data:image/png;charset=utf-8;base64,QUJD', ' DATA:Image/PNG; name=a b; base64 , QU\nJD '])(
  'an image by %j',
  (url) => {
    const found = request({ messages: [user([{ type: 'image_url', image_url: { url } }])] });
    expect(found.messages[0]?.content).toEqual([
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'QUJD' } },
    ]);
  },
);

test('a text file is read in its charset', () => {
  const file = (file_data: string) => ({ messages: [user([{ type: 'file', file: { file_data } }])] });
  expect(request(file('data:text/plain; charset=ISO-8859-1;base64,aOQ=')).messages[0]?.content).toMatchObject([
    { source: { data: 'hä' } },
  ]);
  expect(refusal(file('data:text/plain;charset=none;base64,aOQ='))).toMatchObject({
    path: 'messages.0.content.0.file.file_data',
    message: expect.stringContaining('UTF-8'),
  });
});

const nested = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;

test('arguments as deep as a body may be are taken', () => {
  const args = nested(499);
  const tool_calls = [call('call_1', 'write', args)];
  const found = request({
    messages: [user('w'), { role: 'assistant', tool_calls }, { role: 'tool', tool_call_id: 'call_1', content: 'x' }],
  });
  expect(found.messages[1]?.content[0]?.input).toEqual(JSON.parse(args));
  expect(found.converted).toEqual([]);
});

test.each([
  ['that were cut', '{"path":"a'],
  ['that are a list', '[1]'],
  ['that are a text', '"x"'],
  ['that are null', 'null'],
  ['that are too deep', nested(500)],
  ['deeper than any stack', nested(100_000)],
])('arguments %s do not end the conversation', (_, args) => {
  const found = request({
    tools: [TOOL('write')],
    messages: [
      user('w'),
      { role: 'assistant', content: '', tool_calls: [call('call_x1', 'write', args)] },
      { role: 'tool', tool_call_id: 'call_x1', content: 'invalid arguments' },
    ],
  });
  expect(found.messages[1]?.content).toEqual([
    { type: 'tool_use', id: 'call_x1', name: 'write', input: { arguments: args } },
  ]);
  expect(found.converted).toEqual(['messages.1.tool_calls.0.function.arguments']);
});

test('results lead, and one that was moved is told', () => {
  const found = request({
    tools: [TOOL('read')],
    messages: [
      user('r'),
      { role: 'assistant', content: 'ok', tool_calls: [call('call_1', 'read', '{}'), call('call_2', 'read', '{}')] },
      { role: 'tool', tool_call_id: 'call_1', content: 'one' },
      user('hurry'),
      { role: 'tool', tool_call_id: 'call_2', content: '' },
    ],
  });
  expect(found.messages[2]).toEqual(
    user([
      { type: 'tool_result', tool_use_id: 'call_1', content: [text('one')] },
      { type: 'tool_result', tool_use_id: 'call_2', content: [] },
      text('hurry'),
    ]),
  );
  expect(found.converted).toEqual(['messages.4']);
});

test('keys that clients add are no fault, also in strict mode', () => {
  const cache_control = { type: 'ephemeral' };
  const found = request(
    {
      store: false,
      user: 'u1',
      n: 1,
      tools: [TOOL('read')],
      messages: [
        { role: 'system', content: 'S', cache_control },
        user('r'),
        {
          role: 'assistant',
          content: 'ok',
          refusal: null,
          parsed: null,
          reasoning_content: 'I think.',
          tool_calls: [
            {
              id: 'call_1',
              type: 'function',
              cache_control,
              function: { name: 'read', arguments: '{}', parsed_arguments: {} },
            },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'x', cache_control, name: 'read' },
      ],
    },
    true,
  );
  expect(found).toMatchObject({ system: 'S', userId: 'u1', ignored: [], converted: [] });
  expect(found.messages[1]?.content).toEqual([text('ok'), { type: 'tool_use', id: 'call_1', name: 'read', input: {} }]);
});

test('parameters', () => {
  const found = request({
    max_completion_tokens: 500,
    max_tokens: 99,
    temperature: 1.4,
    stop: 'END',
    seed: 7,
    presence_penalty: 0.5,
    frequency_penalty: 0,
    logit_bias: {},
    invented: 1,
    parallel_tool_calls: false,
    tools: [TOOL('a')],
    tool_choice: { type: 'function', function: { name: 'a' } },
  });
  expect(found.parameters).toEqual({
    max_tokens: 500,
    temperature: 1,
    stop_sequences: ['END'],
    tool_choice: { type: 'tool', name: 'a', disable_parallel_tool_use: true },
  });
  expect(found.ignored).toEqual(['seed', 'presence_penalty', 'invented']);
  expect(found.converted).toEqual(['temperature']);
});

test('null asks for nothing, also in strict mode', () => {
  const nulls = Object.fromEntries(Object.keys(CHAT_FIELDS).map((field) => [field, null]));
  const { model: _, messages: __, ...rest } = nulls;
  expect(request({ ...rest, invented: null }, true).parameters).toEqual({ max_tokens: 64_000 });
});

test('blank stops are ignored, and told', () => {
  expect(request({ stop: ['\n\n', 'END', ''] })).toMatchObject({
    parameters: { stop_sequences: ['END'] },
    ignored: ['stop.0'],
  });
  const found = request({ stop: ' ' });
  expect(found.ignored).toEqual(['stop']);
  expect(found.parameters.stop_sequences).toBeUndefined();
  expect(request({ stop: '' }).ignored).toEqual([]);
});

describe('effort', () => {
  const thinking = (model: string, reasoning_effort: string, more: JsonObject = {}) =>
    request({ model, reasoning_effort, max_tokens: 50_000, ...more });
  const display = 'summarized';
  const block_binding = { prefix_mismatch_behavior: 'drop_block' };

  test.each<[string, string, JsonObject]>([
    ['claude-opus-4-6', 'high', { thinking: { type: 'adaptive', display }, output_config: { effort: 'high' } }],
    ['claude-opus-4-6', 'minimal', { thinking: { type: 'adaptive', display }, output_config: { effort: 'low' } }],
    ['claude-opus-5', 'max', { thinking: { type: 'adaptive', display }, output_config: { effort: 'max' } }],
    ['opus', 'max', { thinking: { type: 'adaptive', display, block_binding }, output_config: { effort: 'max' } }],
    ['claude-sonnet-4-5-20250929', 'low', { thinking: { type: 'enabled', budget_tokens: 2048, display } }],
    ['claude-haiku-4-5', 'xhigh', { thinking: { type: 'enabled', budget_tokens: 31_999, display } }],
    ['claude-sonnet-4-5', 'none', { thinking: { type: 'disabled' } }],
    ['claude-sonnet-5-5', 'none', { thinking: { type: 'between_tools' } }],
    ['claude-opus-5-5', 'none', { thinking: { type: 'adaptive', block_binding }, output_config: { effort: 'low' } }],
  ])('%s: %s', (model, effort, parameters) => {
    const found = thinking(model, effort);
    expect(found.parameters).toEqual({ max_tokens: 50_000, ...parameters });
    expect(found.converted).toEqual(model === 'claude-opus-5-5' ? ['reasoning_effort'] : []);
  });

  test.each([
    ['claude-fable-5-1', ['thinking-binding-controls-2026-08-01'], { type: 'adaptive', block_binding }],
    ['us.anthropic.claude-haiku-5-5', ['thinking-binding-controls-2026-08-01'], { type: 'adaptive', block_binding }],
    ['claude-sonnet-5', [], undefined],
    ['somebody-elses-model', [], undefined],
  ])('thinking of %s that does not fit what is before it is left out, not refused', (model, betas, asked) => {
    expect(request({ model })).toMatchObject({ betas });
    expect(request({ model }).parameters.thinking).toEqual(asked);
    const passesBeta = () => false;
    const { betas: none, parameters } = decodeChat({ ...wire({ model, messages: [user('x')] }), passesBeta }).request;
    expect([none, parameters.thinking]).toEqual([[], undefined]);
  });

  test('an alias has the rules of the model that it stands for', () => {
    const idOf = (name: string) => (name === 'haiku' ? 'claude-haiku-4-5-20251001' : name);
    const asked = { model: 'haiku', messages: [user('x')], reasoning_effort: 'low', temperature: 0.5 };
    const { request: found } = decodeChat({ ...wire(asked), idOf });
    expect(found).toMatchObject({ model: 'haiku', betas: [], ignored: ['temperature'] });
    expect(found.parameters.thinking).toEqual({ type: 'enabled', budget_tokens: 2048, display });
  });

  test('a budget stays below the tokens of the answer, or is left out', () => {
    expect(thinking(MODEL, 'high', { max_tokens: 2000 }).parameters.thinking).toMatchObject({ budget_tokens: 1999 });
    expect(thinking(MODEL, 'high', { max_tokens: 500 })).toMatchObject({
      parameters: { max_tokens: 500 },
      converted: ['reasoning_effort'],
    });
  });

  test('a forced call and a budget exclude each other; newer models refuse forced calls', () => {
    const forced = { tools: [TOOL('a')], tool_choice: 'required' };
    expect(thinking(MODEL, 'high', forced)).toMatchObject({
      parameters: { tool_choice: { type: 'any' } },
      ignored: ['reasoning_effort'],
    });
    expect(thinking(MODEL, 'high', forced).parameters.thinking).toBeUndefined();
    expect(request({ model: 'claude-opus-5-5', ...forced })).toMatchObject({
      parameters: { tool_choice: { type: 'auto' } },
      ignored: ['tool_choice'],
    });
  });

  test.each<[JsonObject, JsonObject, string[]]>([
    [{ temperature: 0.2 }, { temperature: 0.2 }, []],
    [{ temperature: 1, top_p: 1 }, {}, []],
    [{ temperature: 0.2, top_p: 0.5 }, { temperature: 0.2 }, ['top_p']],
    [{ temperature: 0.2, top_p: 0.5, model: 'claude-opus-4-1' }, { temperature: 0.2 }, ['top_p']],
    [{ temperature: 0.2, top_p: 0.5, model: 'claude-opus-4' }, { temperature: 0.2, top_p: 0.5 }, []],
    [{ temperature: 1, top_p: 0.5 }, { top_p: 0.5 }, []],
    [{ temperature: 0.2, model: 'claude-opus-5' }, {}, ['temperature']],
    [{ temperature: 0.2, reasoning_effort: 'low', max_tokens: 5000 }, {}, ['temperature']],
  ])('sampling %j', (body, expected, ignored) => {
    const found = request(body);
    const { temperature, top_p } = found.parameters;
    expect({ ...(temperature !== undefined && { temperature }), ...(top_p !== undefined && { top_p }) }).toEqual(
      expected,
    );
    expect(found.ignored).toEqual(ignored);
  });
});

describe('structured output', () => {
  const format = (schema: unknown) => ({ type: 'json_schema', json_schema: { name: 't', strict: true, schema } });
  const properties = { n: { type: 'integer', minimum: 1, maximum: 9 } };

  test('the schema is in the form that the model’s API holds an answer to', () => {
    const schema = { type: 'object', properties, required: ['n'], additionalProperties: false };
    const found = request({ tools: [TOOL('read')], response_format: format(schema) });
    expect(found.converted).toEqual(['response_format.json_schema.schema']);
    expect(found.parameters.output_config).toEqual({
      format: {
        type: 'json_schema',
        schema: {
          type: 'object',
          properties: { n: { type: 'integer', description: '{minimum: 1, maximum: 9}' } },
          required: ['n'],
          additionalProperties: false,
        },
      },
    });
  });

  test('the draft that a library names in a schema is left out without a word', () => {
    const schema = { type: 'object', properties: {}, additionalProperties: false };
    const $schema = 'http://json-schema.org/draft-07/schema#';
    const found = request({ response_format: format({ $schema, ...schema }) });
    expect(found.converted).toEqual([]);
    expect(found.parameters.output_config).toEqual({ format: { type: 'json_schema', schema } });
  });

  test('definitions of an older draft are the new draft’s', () => {
    const node = { type: 'object', properties: {}, additionalProperties: false };
    const schema = (name: string) => ({
      type: 'object',
      properties: { a: { $ref: `#/${name}/Node` }, definitions: { type: 'string' } },
      additionalProperties: false,
      [name]: { Node: node },
    });
    const found = request({ response_format: format(schema('definitions')) });
    expect(found.converted).toEqual([]);
    expect(found.parameters.output_config).toEqual({ format: { type: 'json_schema', schema: schema('$defs') } });
    expect(refusal({ response_format: format({ type: 'string', definitions: { Node: {} } }) })).toMatchObject({
      path: 'response_format.json_schema.schema.definitions.Node',
    });
  });

  test.each<[unknown, string]>([
    [{}, 'response_format.json_schema.schema'],
    [{ type: 'object', properties: { a: true } }, 'response_format.json_schema.schema.properties.a'],
    [{ type: 'array', items: {} }, 'response_format.json_schema.schema.items'],
    [
      { type: 'object', properties: { m: { type: 'object', additionalProperties: { type: 'string' } } } },
      'response_format.json_schema.schema.properties.m.additionalProperties',
    ],
  ])('%j is refused by its path', (schema, path) => {
    expect(refusal({ response_format: format(schema) })).toMatchObject({ status: 400, path });
  });

  test('json_object is ignored, and told', () => {
    expect(request({ response_format: { type: 'json_object' } }).ignored).toEqual(['response_format']);
    expect(request({ response_format: { type: 'text' } }).ignored).toEqual([]);
  });
});

describe('tools', () => {
  const parameters = { type: 'object', properties: {} };

  test('come in three shapes, and what OpenAI runs itself is left out', () => {
    const found = decoded({
      tools: [
        { type: 'function', name: 'flat', parameters, strict: false },
        { name: 'bare', input_schema: parameters },
        { type: 'function', function: { name: 'plain' } },
        { type: 'web_search' },
        {
          type: 'custom',
          custom: {
            name: 'patch',
            description: 'P',
            format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "x"' } },
          },
        },
      ],
    });
    expect(found.request.tools.map(({ name }) => name)).toEqual(['flat', 'bare', 'plain', 'patch']);
    expect(found.request.toolPaths).toEqual(['tools.0', 'tools.1', 'tools.2', 'tools.4']);
    expect(found.request.ignored).toEqual(['tools.3']);
    expect(found.customTools).toEqual(new Set(['patch']));
    expect(found.request.tools[3]).toMatchObject({
      description: expect.stringMatching(/^P\n\n.*start: "x"$/s),
      input_schema: { required: ['input'] },
    });
  });

  test.each(['custom', 'function', undefined, null])('a tool of the Messages API whose type is %j', (type) => {
    const input_schema = { type: 'object', properties: { path: { type: 'string' } } };
    const found = decoded({ tools: [{ type, name: 'a', description: 'd', input_schema }] });
    expect(found.request.tools).toEqual([{ name: 'a', description: 'd', input_schema }]);
    expect(found.customTools).toEqual(new Set());
  });

  test('a strict function is held to its schema, in the form that the model’s API takes', () => {
    const parameters = {
      type: 'object',
      properties: { n: { type: 'integer', minimum: 1 } },
      additionalProperties: false,
    };
    const found = request({ tools: [{ type: 'function', function: { name: 'a', parameters, strict: true } }] });
    expect(found.tools).toEqual([
      {
        name: 'a',
        strict: true,
        input_schema: { ...parameters, properties: { n: { type: 'integer', description: '{minimum: 1}' } } },
      },
    ]);
    expect(found.converted).toEqual(['tools.0.function.parameters']);
  });

  test.each<[JsonObject, JsonObject | undefined]>([
    [
      { tools: [TOOL('a')], parallel_tool_calls: false },
      { type: 'auto', disable_parallel_tool_use: true },
    ],
    [{ tools: [TOOL('a')], parallel_tool_calls: true }, undefined],
    [{ tools: [TOOL('a')], parallel_tool_calls: false, tool_choice: 'none' }, { type: 'none' }],
    [{ tools: [TOOL('a')], tool_choice: 'required' }, { type: 'any' }],
    [{ tools: [], parallel_tool_calls: false, tool_choice: 'none' }, undefined],
    [{ tools: [{ type: 'web_search' }], tool_choice: 'auto' }, undefined],
  ])('%j: the choice is %j', (body, choice) => {
    expect(request(body).parameters.tool_choice).toEqual(choice);
  });

  test('a list of allowed tools leaves the others out', () => {
    const allowed = { mode: 'auto', tools: [{ type: 'function', function: { name: 'b' } }] };
    const found = request({
      tools: [TOOL('a'), TOOL('b')],
      tool_choice: { type: 'allowed_tools', allowed_tools: allowed },
    });
    expect(found.tools.map(({ name }) => name)).toEqual(['b']);
    expect(found.toolPaths).toEqual(['tools.1']);
    expect(found.ignored).toEqual([]);
    const withServerTool = {
      ...allowed,
      tools: [...allowed.tools, { type: 'web_search' }, { type: 'mcp', name: 'a' }],
    };
    const left = request({
      tools: [TOOL('a'), TOOL('b'), { type: 'web_search' }],
      tool_choice: { type: 'allowed_tools', allowed_tools: withServerTool },
    });
    expect(left.tools.map(({ name }) => name)).toEqual(['b']);
    expect(left.ignored).toEqual(['tools.2', 'tool_choice']);
  });

  test('calls and results of a custom tool', () => {
    const found = request({
      tools: [{ type: 'custom', custom: { name: 'patch' } }],
      messages: [
        user('p'),
        { role: 'assistant', tool_calls: [{ id: 'c:1', type: 'custom', custom: { name: 'patch', input: 'x\n' } }] },
        { role: 'tool', tool_call_id: 'c:1', content: 'ok' },
      ],
    });
    const [used, result] = [found.messages[1]?.content[0], found.messages[2]?.content[0]];
    expect(used).toMatchObject({ name: 'patch', input: { input: 'x\n' } });
    expect(used?.id).toMatch(/^call_[0-9a-f]{32}$/);
    expect(result?.tool_use_id).toBe(used?.id);
  });
});

test.each([
  ['call_toolu_01A', 'toolu_01A'],
  ['call_toolu_01A_0', 'toolu_01A_0'],
  ['call_1', 'call_1'],
  ['call_toolu_01:0', expect.stringMatching(/^call_[0-9a-f]{32}$/)],
  ['functions.read:0', expect.stringMatching(/^call_[0-9a-f]{32}$/)],
])('the id %s is %s for the model, at both ends', (id, expected) => {
  const { messages } = request({
    messages: [
      user('r'),
      { role: 'assistant', tool_calls: [call(id, 'read', '{}')] },
      { role: 'tool', tool_call_id: id, content: 'x' },
    ],
  });
  expect([messages[1]?.content[0]?.id, messages[2]?.content[0]?.tool_use_id]).toEqual([expected, expected]);
  expect(messages[1]?.content[0]?.id).toBe(messages[2]?.content[0]?.tool_use_id);
});

test('thinking comes back by its signed details alone', () => {
  const format = 'anthropic-claude-v1';
  const { messages } = request({
    messages: [
      user('a'),
      {
        role: 'assistant',
        content: 'b',
        reasoning_content: 'words',
        reasoning_details: [
          { type: 'reasoning.text', text: 't', signature: 's', format, index: 0 },
          { type: 'reasoning.text', text: 'unsigned', signature: '', format, index: 1 },
          { type: 'reasoning.text', text: 'foreign', signature: 's', format: 'other', index: 2 },
          { type: 'reasoning.encrypted', data: 'd', format, index: 3 },
        ],
      },
      user('c'),
    ],
  });
  expect(messages[1]?.content).toEqual([
    { type: 'thinking', thinking: 't', signature: 's' },
    { type: 'redacted_thinking', data: 'd' },
    text('b'),
  ]);
});

const image = (url: string) => ({ messages: [user([{ type: 'image_url', image_url: { url } }])] });

/** JSON that JavaScript cannot make a text of. */
const NO_TEXT = { toString: null, valueOf: null };
const allowed = (tools: unknown[]) => ({ type: 'allowed_tools', allowed_tools: { mode: 'auto', tools } });

test.each<[JsonObject, string]>([
  [{ n: 2 }, 'n'],
  [{ functions: [{ name: 'f' }] }, 'functions'],
  [{ modalities: ['text', 'audio'] }, 'modalities'],
  [{ messages: [user([{ type: 'input_audio', input_audio: { data: '', format: 'wav' } }])] }, 'messages.0.content.0'],
  [image('file:///etc/passwd'), 'messages.0.content.0.image_url.url'],
  [{ messages: [user([{ type: 'tool_result' }])] }, 'messages.0.content.0'],
  [{ messages: [user([{ type: 'file', file: { file_id: 'f' } }])] }, 'messages.0.content.0.file.file_id'],
  [{ messages: [] }, 'messages'],
  [{ messages: 'hi' }, 'messages'],
  [{ messages: [{ role: 'function', content: 'x' }] }, 'messages.0.role'],
  [{ messages: [{ role: 'system', content: 'only' }] }, 'messages'],
  [{ messages: [user('a'), { role: 'tool', tool_call_id: 'x', content: 'y' }] }, 'messages.1.tool_call_id'],
  [
    { messages: [user('r'), { role: 'assistant', tool_calls: [call('call_1', 'read', '{}')] }, user('never mind')] },
    'messages.1.tool_calls.0',
  ],
  [
    {
      messages: [
        user('r'),
        { role: 'assistant', tool_calls: [call('call_1', 'read', '{}')] },
        { role: 'tool', tool_call_id: 'call_1', content: 'x' },
        { role: 'tool', tool_call_id: 'call_1', content: 'y' },
      ],
    },
    'messages.3.tool_call_id',
  ],
  [{ tools: [TOOL('a'), TOOL('a')] }, 'tools.1'],
  [{ tools: [{ type: 'function', function: { name: 'a b' } }] }, 'tools.0.function.name'],
  [{ tools: [TOOL('a')], tool_choice: { type: 'function', function: { name: 'b' } } }, 'tool_choice'],
  [{ tools: [{ type: 'web_search' }], tool_choice: 'required' }, 'tool_choice'],
  [{ tool_choice: 'sometimes' }, 'tool_choice'],
  [{ tools: [TOOL('a')], tool_choice: allowed([{ type: NO_TEXT }, null]) }, 'tool_choice'],
  [{ tools: [TOOL('a')], tool_choice: allowed([{ type: 'function' }]) }, 'tool_choice'],
  [{ parallel_tool_calls: 'no' }, 'parallel_tool_calls'],
  [
    {
      messages: [
        { role: 'assistant', content: [{ type: 'image_url', image_url: { url: 'https://example.test/a' } }] },
        user('x'),
      ],
    },
    'messages.0.content.0',
  ],
  [
    { messages: [user([{ type: 'image_url', image_url: { url: 'data:;base64,QUJD' } }])] },
    'messages.0.content.0.image_url.url',
  ],
  [{ temperature: 3 }, 'temperature'],
  [{ reasoning_effort: 'much' }, 'reasoning_effort'],
  [{ max_tokens: 0 }, 'max_tokens'],
  [{ stop: 1 }, 'stop'],
  [{ model: undefined }, 'model'],
  [{ messages: [user('\ud800')] }, 'messages.0.content'],
])('%j is refused by its path', (body, path) => {
  expect(refusal(body)).toMatchObject({ code: 'bad_request', status: 400, path });
});

test('what is no text where a grammar has its name is left out of its words', () => {
  const format = { type: 'grammar', grammar: { syntax: NO_TEXT, definition: 'x' } };
  const [tool] = request({ tools: [{ type: 'custom', custom: { name: 'a', format } }] }).tools;
  expect(tool?.description).toBe('The input must follow this grammar:\nx');
});

test('an error that quotes what the client sent is one line, and not as long as that', () => {
  const result = { role: 'tool', tool_call_id: `two\nlines${'x'.repeat(5_000)}`, content: 'y' };
  const { message } = refusal({ messages: [user('a'), result] });
  expect(message).toMatch(/^messages\.1\.tool_call_id: No tool call found .* two linesx{800,}…$/);
  expect(message.length).toBeLessThanOrEqual(1_001);
});

test.each<[JsonObject, true | undefined]>([
  [{ n: 2 }, true],
  [{ functions: [] }, true],
  [{ messages: [user([{ type: 'input_audio' }])] }, true],
  [{ messages: [user([{ type: 'file', file: { file_id: 'f' } }])] }, true],
  [{ messages: [user([{ type: 'text' }])] }, undefined],
  [{ max_tokens: 0 }, undefined],
])('%j is well formed, and not here: %s', (body, isUnsupported) => {
  expect(refusal(body).isUnsupported).toBe(isUnsupported);
});

test('a call without a result is told in OpenAI’s words', () => {
  const messages = [user('r'), { role: 'assistant', tool_calls: [call('call_1', 'read', '{}')] }, user('never mind')];
  expect(refusal({ messages }).message).toContain('did not have response messages: call_1');
});

test('a model of OpenAI is refused unless the operator maps it', () => {
  expect(refusal({ model: 'gpt-5.4-nano' })).toMatchObject({ code: 'model_not_mapped', status: 404, path: 'model' });
  const { message } = refusal({ model: 'gpt-5.4-nano' });
  expect(message).toContain('--model-alias');
  expect(message).toContain('(claude-opus-5-5, claude-sonnet-5)');
  expect(request({ model: 'gpt-5' }).model).toBe('claude-sonnet-5');
  expect(request({ model: 'anthropic/claude-opus-5' }).model).toBe('claude-opus-5');
});

test('strict mode refuses what would be ignored', () => {
  expect(() => request({ seed: 1 }, true)).toThrow('seed: would be ignored');
});
