import { describe, expect, test } from 'vitest';
import { FailureError } from '../../spec/failures.ts';
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
    ...['', 'anthropic/', ' ', 'a\u0000b', 'm'.repeat(257)].map((model): [string, unknown] => [
      'model: must be 1 to 256 printable ASCII characters without spaces',
      { ...base, model },
    ]),
    ['max_tokens: ', { ...base, max_tokens: -1 }],
    ['max_tokens: Field required', { ...base, max_tokens: undefined }],
    ['model: Field required', { ...base, model: undefined }],
    ['max_tokens: ', { ...base, max_tokens: '10' }],
    ['messages: Field required', { ...base, messages: undefined }],
    ['messages.0.role: Field required', { ...base, messages: [{ content: 'x' }] }],
    ['messages: ', { ...base, messages: 'hi' }],
    ['messages: at least one message is required', { ...base, messages: [] }],
    [
      'messages.0.role: must be `user`, `assistant` or `system`',
      { ...base, messages: [{ role: 'tool', content: 'x' }] },
    ],
    ['messages.0.content: Field required', { ...base, messages: [{ role: 'user' }] }],
    ['messages.0.content: must be a string or a list', { ...base, messages: [{ role: 'user', content: 5 }] }],
    [
      'messages.0.content: must have at least one content block',
      { ...base, messages: [{ role: 'user', content: '' }] },
    ],
    [
      'messages.0.content: must have at least one content block',
      { ...base, messages: [{ role: 'user', content: [] }] },
    ],
    [
      'messages.0.content.0.type: containers do not pass',
      { ...base, messages: [{ role: 'user', content: [{ type: 'container_upload', file_id: 'f' }] }] },
    ],
    ['messages.0.content.0.type: Field required', { ...base, messages: [{ role: 'user', content: [{ text: 'x' }] }] }],
    [
      'messages.0.content.0.text: Field required',
      { ...base, messages: [{ role: 'user', content: [{ type: 'text' }] }] },
    ],
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
    ['tools.0.name: Field required', { ...base, tools: [{ input_schema: { type: 'object' } }] }],
    [
      'tools.0.name: a tool name must be 1 to 128 printable',
      { ...base, tools: [{ name: '', input_schema: { type: 'object' } }] },
    ],
    ['tools.0.input_schema: Field required', { ...base, tools: [{ name: 'a' }] }],
    [
      'tools.0.input_schema: the root of an input_schema must have `type: "object"`',
      { ...base, tools: [{ name: 'a', input_schema: {} }] },
    ],
    [
      'tools.1.name: tool names must be unique',
      { ...base, tools: [1, 2].map(() => ({ name: 'a', input_schema: { type: 'object' } })) },
    ],
    ['thinking.budget_tokens: Field required', { ...base, thinking: { type: 'enabled' } }],
    ['stream: ', { ...base, stream: 'yes' }],
    ['output_format: cannot stand beside', { ...base, output_format: {}, output_config: { format: {} } }],
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
  ['system: is nothing but a marker of Claude Code’s own', { ...base, system: '__SYSTEM_PROMPT_DYNAMIC_BOUNDARY__' }],
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

describe('what Claude Code says of itself as a client is left out of the system prompt', () => {
  const billing = 'x-anthropic-billing-header: cc_version=1';
  const lines = [
    "You are Claude Code, Anthropic's official CLI for Claude.",
    "You are Claude Code, Anthropic's official CLI for Claude, running within the Claude Agent SDK.",
    "You are a Claude agent, built on Anthropic's Claude Agent SDK.",
  ];
  const decoded = (...texts: string[]) =>
    decodeRequest({ ...base, system: texts.map((text) => ({ type: 'text', text })) }, { strict: true }).system;

  test.each(lines)('%s', (line) => {
    expect(decodeRequest({ ...base, system: line }).system).toBe('');
    expect(decoded(`${line}\n`)).toBe('');
    expect(decoded(billing, line)).toBe('');
    expect(decoded(billing, line, 'one', 'two')).toBe('one\n\ntwo');
    expect(decoded(line, 'one')).toBe('one');
  });

  test('but not what merely begins so', () => {
    expect(decoded(billing, 'You are Claude Code.')).toBe('You are Claude Code.');
    expect(decoded(`${lines[0]}\nBe brief.`)).toBe(`${lines[0]}\nBe brief.`);
  });
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
        allowed_callers: ['code_execution_20250825'],
      },
      { type: 'web_search_20250305', name: 'web_search' },
    ],
    temperature: 0.5,
    metadata: { user_id: 'u', team: 't' },
    service_tier: 'auto',
    invented: 1,
    stream: true,
  });
  expect(request).toEqual({
    model: 'm',
    system: 'one\n\ntwo',
    messages: [{ role: 'user', content: ['a', 'b', 'c', 'd'].map((text) => ({ type: 'text', text })) }],
    tools: [{ name: 'read', description: 'd', input_schema: { type: 'object', $defs: { x: {} } }, strict: true }],
    toolPaths: ['tools.0'],
    parameters: { max_tokens: 10, temperature: 0.5, invented: 1 },
    betas: [],
    stream: true,
    ignored: ['service_tier', 'metadata.team', 'tools.0.allowed_callers', 'tools.1', 'messages.2', 'messages.4'],
    converted: [],
    unknown: ['invented'],
    userId: 'u',
  });
});

describe('system messages inside the conversation', () => {
  const system = { role: 'system', content: 'be brief' };
  const reminder = { type: 'text', text: '<system-reminder>\nbe brief\n</system-reminder>' };
  const call = { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'read', input: {} }] };
  const result = { type: 'tool_result', tool_use_id: 'a', content: 'r' };

  test.each([
    ['after the user', [{ role: 'user', content: 'hi' }, system], [[{ type: 'text', text: 'hi' }, reminder]]],
    ['before the user', [system, { role: 'user', content: 'hi' }], [[reminder, { type: 'text', text: 'hi' }]]],
    [
      'between a call and its result',
      [{ role: 'user', content: 'hi' }, call, system, { role: 'user', content: [result, { type: 'text', text: 'x' }] }],
      [
        [{ type: 'text', text: 'hi' }],
        call.content,
        [
          { ...result, content: [{ type: 'text', text: `r\n\n${reminder.text}` }] },
          { type: 'text', text: 'x' },
        ],
      ],
    ],
    [
      'behind an empty result',
      [{ role: 'user', content: 'hi' }, call, { role: 'user', content: [{ ...result, content: '' }] }, system],
      [[{ type: 'text', text: 'hi' }], call.content, [{ ...result, content: [reminder] }]],
    ],
    [
      'behind words beside a result',
      [{ role: 'user', content: 'hi' }, call, { role: 'user', content: [result, { type: 'text', text: 'x' }] }, system],
      [[{ type: 'text', text: 'hi' }], call.content, [result, { type: 'text', text: 'x' }, reminder]],
    ],
    [
      'after the last words of the assistant',
      [{ role: 'user', content: 'hi' }, { role: 'assistant', content: 'yes' }, system],
      [[{ type: 'text', text: 'hi' }], [{ type: 'text', text: 'yes' }], [reminder]],
    ],
  ])('%s keep their place as reminders, and are declared', (_where, messages, contents) => {
    const request = decodeRequest({ ...base, messages });
    expect(request.messages.map(({ content }) => content)).toEqual(contents);
    expect(request.converted).toEqual([`messages.${messages.indexOf(system)}`]);
    expect(request.ignored).toEqual([]);
  });

  test('hold text alone', () => {
    const image = { type: 'image', source: {} };
    expect(messageOf({ ...base, messages: [{ role: 'system', content: [image] }] })).toContain(
      'messages.0.content.0: a system message may hold text and changes of tools only',
    );
  });

  test('may be empty, as those that Claude Code sends with new settings', () => {
    const empty = { role: 'system', content: [], output_config: { effort: 'high' } };
    const request = decodeRequest({ ...base, messages: [{ role: 'user', content: 'hi' }, empty] });
    expect(request.messages).toEqual([{ role: 'user', content: [{ type: 'text', text: 'hi' }] }]);
    expect(request.parameters.output_config).toEqual({ effort: 'high' });
    expect(request.ignored).toEqual([]);
  });

  test('with more than an effort among their settings have them ignored', () => {
    const settings = { role: 'system', content: 'x', output_config: { effort: 'high', format: {} } };
    const request = decodeRequest({ ...base, messages: [{ role: 'user', content: 'hi' }, settings] });
    expect(request.parameters).not.toHaveProperty('output_config');
    expect(request.ignored).toEqual(['messages.1.output_config']);
  });
});

describe('changes of tools inside the conversation', () => {
  const tool = (name: string) => ({ name, input_schema: { type: 'object' } });
  const change = (type: string, name: string) => ({ type, tool: { type: 'tool_reference', name } });
  const body = (...changes: object[]) => ({
    ...base,
    tools: [tool('read'), tool('bash')],
    messages: [
      { role: 'user', content: 'hi' },
      { role: 'system', content: changes },
    ],
  });

  test('become words and leave out what is removed', () => {
    const request = decodeRequest(body(change('tool_removal', 'bash'), change('tool_addition', 'read')));
    expect(request.tools.map(({ name }) => name)).toEqual(['read']);
    expect(request.messages[0]?.content.map(({ text }) => text)).toEqual([
      'hi',
      '<system-reminder>\nThe tool bash is no longer available.\n</system-reminder>',
      '<system-reminder>\nThe tool read is loaded.\n</system-reminder>',
    ]);
    expect(request).toMatchObject({ ignored: [], converted: ['messages.1'] });
  });

  test('count in their order', () => {
    const request = decodeRequest(body(change('tool_removal', 'bash'), change('tool_addition', 'bash')));
    expect(request.tools.map(({ name }) => name)).toEqual(['read', 'bash']);
  });

  test('have to name a tool of the request', () => {
    expect(messageOf(body(change('tool_addition', 'write')))).toBe(
      'messages.1.content.0.tool.name: there is no client tool `write` in `tools`',
    );
  });

  test('belong in system messages', () => {
    const messages = [{ role: 'user', content: [change('tool_removal', 'bash')] }];
    expect(messageOf({ ...body(), messages })).toBe('messages.0.content.0: a system message alone may change tools');
  });
});

test('references to tools that a client has found become words, and are declared', () => {
  const found = { ...result('a'), content: [{ type: 'tool_reference', tool_name: 'fetch' }] };
  const request = decodeRequest({
    ...base,
    messages: [...base.messages, { role: 'assistant', content: [use('a')] }, { role: 'user', content: [found] }],
  });
  expect(request.messages.at(-1)?.content).toEqual([
    { ...found, content: [{ type: 'text', text: 'The tool fetch is loaded.' }] },
  ]);
  expect(request.converted).toEqual(['messages.2.content.0']);
});

describe('tools', () => {
  const read = { name: 'read', input_schema: { type: 'object' } };

  test('that Anthropic defines and the client runs pass as they are, others that the API would run do not', () => {
    const editor = { type: 'text_editor_20250728', name: 'str_replace_based_edit_tool', max_characters: 10 };
    const request = decodeRequest({
      ...base,
      tools: [{ type: 'web_search_20250305', name: 'web_search' }, { ...editor, cache_control: {} }, read],
    });
    expect(request.tools).toEqual([editor, read]);
    expect(request.ignored).toEqual(['tools.0']);
  });

  test('that are chosen must be there', () => {
    const tools = [{ type: 'web_search_20250305', name: 'web_search' }];
    expect(messageOf({ ...base, tools, tool_choice: { type: 'any' } })).toContain('tool_choice.type: ');
    expect(messageOf({ ...base, tools, tool_choice: { type: 'tool', name: 'web_search' } })).toContain(
      'tool_choice.name: there is no client tool `web_search`',
    );
    expect(messageOf({ ...base, tools: [read], tool_choice: { type: 'tool', name: 'read' } })).toBe('accepted');
  });
});

describe('fields that are not in the table', () => {
  test('pass as they are and are declared, also in strict mode', () => {
    const invented = JSON.parse('{"a":[{"__proto__":{"b":null}}]}');
    const body = { ...base, invented, toString: 1, output_config: { effort: 'low', pace: 2 } };
    const { parameters, unknown, ignored } = decodeRequest(body, { strict: true });
    expect(JSON.stringify(parameters.invented)).toBe(JSON.stringify(invented));
    expect(parameters).toMatchObject({ toString: 1, output_config: { effort: 'low', pace: 2 } });
    expect({ unknown, ignored }).toEqual({ unknown: ['invented', 'toString', 'output_config.pace'], ignored: [] });
  });

  test('are none when they are null', () => {
    const { parameters, unknown } = decodeRequest({ ...base, invented: null, output_config: { pace: null } });
    expect({ parameters, unknown }).toEqual({ parameters: { max_tokens: 10, output_config: {} }, unknown: [] });
  });

  test('may have any name', () => {
    const body = JSON.parse('{"__proto__":{"stream":true},"constructor":1}');
    const { parameters, unknown, stream } = decodeRequest(Object.assign(body, base));
    expect(JSON.stringify(parameters)).toContain('"__proto__":{"stream":true}');
    expect({ unknown, stream }).toEqual({ unknown: ['__proto__', 'constructor'], stream: false });
  });

  test('never are those that replace a part of the request, or are known to change its cost or answerer', () => {
    const replacing = { model: 'n', system: 's', metadata: { user_id: 'u' }, betas: [], stream: true };
    const ignored = { anthropic_beta: ['x'], fallbacks: [{ model: 'o' }], fallback_credit_token: 't', speed: 'fast' };
    const request = decodeRequest({ ...base, ...replacing, ...ignored, service_tier: 'auto' });
    expect(request.parameters).toEqual({ max_tokens: 10 });
    expect(request.unknown).toEqual([]);
    expect(request.ignored.sort()).toEqual([...Object.keys(ignored), 'service_tier'].sort());
  });
});

test('a field goes with its beta: where the provider does not get the beta, neither passes', () => {
  const safeguards = [{ type: 'dangerous_tool_use' }];
  const body = { ...base, safeguards, output_config: { task_budget: { type: 'tokens', total: 1 }, effort: 'low' } };
  const betas = ['dangerous-tool-use-2026-09-03', 'task-budgets-2026-03-13'];
  expect(decodeRequest(body, { betas, strict: true })).toMatchObject({
    betas,
    parameters: { safeguards, output_config: body.output_config },
  });
  const { parameters, ignored } = decodeRequest(body, { betas, passesBeta: (value) => value.startsWith('effort') });
  expect(parameters).toEqual({ max_tokens: 10, output_config: { effort: 'low' } });
  expect(ignored).toEqual([
    'safeguards',
    'output_config.task_budget',
    ...betas.map((beta) => `anthropic-beta:${beta}`),
  ]);
});

test('betas of the table pass, Claude Code’s own are nobody’s concern, unknown ones pass and are declared', () => {
  const request = decodeRequest(
    { ...base, betas: ['output-300k-2026-03-24'] },
    { betas: ['pdfs-2024-09-25', 'claude-code-20250219', 'pdfs-2024-09-25', 'toString'] },
  );
  expect(request.betas).toEqual(['output-300k-2026-03-24', 'pdfs-2024-09-25', 'toString']);
  expect(request).toMatchObject({ ignored: [], unknown: ['anthropic-beta:toString'] });
});

test.each(['fast-mode-2027-01-01', 'oauth-2025-04-20', 'a,fast-mode-2026-02-01', 'a b', 'a\r\nb', ''])(
  'the beta %j does not pass',
  (beta) => {
    const { betas, ignored } = decodeRequest({ ...base, betas: [beta] });
    expect({ betas, ignored }).toEqual({ betas: [], ignored: [`anthropic-beta:${beta}`] });
  },
);

test('the beta of the long context is the suffix of the model’s name', () => {
  const betas = ['context-1m-2025-08-07'];
  for (const model of ['m', 'anthropic/m', 'm[1m]']) {
    expect(decodeRequest({ ...base, model }, { betas, strict: true })).toMatchObject({ model: 'm[1m]', betas: [] });
  }
  expect(decodeRequest({ ...base, betas })).toMatchObject({ model: 'm[1m]', ignored: [] });
  expect(decodeRequest({ ...base, model: 'm[1M]' }, { betas }).model).toBe('m[1M]');
});

describe('a deferred tool', () => {
  const schema = { input_schema: { type: 'object' } };
  const placeholder = {
    name: 'DeferredToolPlaceholder',
    description: 'never call this',
    ...schema,
    defer_loading: true,
  };
  const later = { name: 'later', ...schema, defer_loading: true };
  const tools = [{ name: 'search', ...schema }, placeholder, later];
  const seen = (body: object) => {
    const { tools: left, ignored } = decodeRequest({ ...base, tools, ...body });
    return { names: left.map(({ name }) => name), ignored };
  };

  test('that nothing has loaded is left out and declared', () => {
    expect(seen({})).toEqual({ names: ['search'], ignored: ['tools.1', 'tools.2'] });
    expect(messageOf({ ...base, tools: [tools[0], later, later] })).toContain(
      'tools.2.name: tool names must be unique',
    );
  });

  test.each<[string, object]>([
    [
      'a reference in a result',
      {
        messages: [
          { role: 'user', content: 'x' },
          { role: 'assistant', content: [use('a')] },
          {
            role: 'user',
            content: [{ ...result('a'), content: [{ type: 'tool_reference', tool_name: 'later' }] }],
          },
        ],
      },
    ],
    [
      'a tool_addition',
      {
        messages: [
          { role: 'user', content: 'x' },
          { role: 'system', content: [{ type: 'tool_addition', tool: { type: 'tool_reference', name: 'later' } }] },
        ],
      },
    ],
    ['tool_choice', { tool_choice: { type: 'tool', name: 'later' } }],
  ])('that is loaded by %s is there', (_by, body) => {
    expect(seen(body)).toMatchObject({ names: ['search', 'later'], ignored: ['tools.1', 'tools.2.defer_loading'] });
  });

  test('that the API’s own tool search could find is loaded at once', () => {
    const search = { type: 'tool_search_tool_regex_20251119', name: 'tool_search_tool_regex' };
    expect(seen({ tools: [...tools, search] })).toMatchObject({
      names: ['search', 'later'],
      ignored: ['tools.1', 'tools.2.defer_loading', 'tools.3'],
    });
  });

  test('with `defer_loading: false` is none', () => {
    expect(seen({ tools: [{ ...later, defer_loading: false }] }).names).toEqual(['later']);
  });
});

test('betas that the provider does not get are declared, and refused in strict mode', () => {
  const betas = ['pdfs-2024-09-25', 'files-api-2025-04-14', 'effort-2025-11-24', 'claude-code-20250219'];
  const body = { ...base, output_config: { effort: 'low' } };
  const passesBeta = (value: string) => value.startsWith('pdfs');
  expect(decodeRequest(body, { betas, passesBeta })).toMatchObject({
    betas: ['pdfs-2024-09-25'],
    ignored: ['anthropic-beta:files-api-2025-04-14', 'anthropic-beta:effort-2025-11-24'],
  });
  expect(() => decodeRequest(body, { betas, passesBeta, strict: true })).toThrow('anthropic-beta:files-api-2025-04-14');
});

test('the beta of the effort passes beside an effort alone', () => {
  const betas = ['effort-2025-11-24'];
  expect(decodeRequest({ ...base, output_config: { effort: 'low' } }, { betas })).toMatchObject({ betas, ignored: [] });
  expect(decodeRequest(base, { betas })).toMatchObject({ betas: [], ignored: [] });
});

test('fields of system blocks that do not arrive are declared', () => {
  const system = [
    { type: 'text', text: 's', cache_control: { type: 'ephemeral' } },
    { type: 'text', text: 't', citations: [{ type: 'char_location' }] },
  ];
  expect(decodeRequest({ ...base, system }).ignored).toEqual(['system.1.citations']);
});

test('in strict mode the first field that would be ignored is an error', () => {
  const decode = () => decodeRequest({ ...base, speed: 'fast', service_tier: 'auto' }, { strict: true });
  expect(decode).toThrow('speed: would be ignored, and strict mode allows that for no field (nor service_tier)');
  expect(decodeRequest(base, { strict: true }).ignored).toEqual([]);
  const betas = Array.from({ length: 1_000 }, (_, at) => `oauth-${at}`);
  expect(() => decodeRequest({ ...base, betas }, { strict: true })).toThrow(/anthropic-beta:oauth-20, and 979 more\)/);
});

test('a tool’s field with a value that asks for nothing is no ignored field', () => {
  const decode = (fields: object) =>
    decodeRequest({
      ...base,
      tools: [{ name: 'read', input_schema: { type: 'object' }, ...fields }],
      tool_choice: { type: 'tool', name: 'read' },
    }).ignored;
  expect(decode({ defer_loading: false, allowed_callers: ['direct'] })).toEqual([]);
  expect(decode({ defer_loading: null, allowed_callers: null, invented: null })).toEqual([]);
  expect(decode({ defer_loading: true, allowed_callers: ['direct', 'x'], invented: false })).toEqual([
    'tools.0.defer_loading',
    'tools.0.allowed_callers',
    'tools.0.invented',
  ]);
});

test('what Claude Code drops of a call is declared, and refused in strict mode, unless it is null', () => {
  const body = (fields: object) => ({
    ...base,
    tools: [{ name: 'read', input_schema: { type: 'object' } }],
    messages: [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: [use('a', fields)] },
      { role: 'user', content: [result('a')] },
    ],
  });
  const direct = body({ caller: { type: 'direct' } });
  expect(decodeRequest(direct).ignored).toEqual(['messages.1.content.0.caller']);
  try {
    decodeRequest(direct, { strict: true });
    expect.unreachable();
  } catch (error) {
    expect((error as FailureError).failure).toMatchObject({ status: 400, code: 'field_ignored' });
    expect((error as FailureError).message).toMatch(/^messages\.1\.content\.0\.caller: /);
  }
  expect(decodeRequest(body({ caller: null }), { strict: true }).ignored).toEqual([]);
});

test('a block of a kind that is not known is taken as it is, wherever it stands', () => {
  const block = { type: 'future_block', a: null, b: { c: null } };
  const messages = [
    { role: 'user', content: [block] },
    { role: 'assistant', content: [block, { type: 'tool_use', id: 'a', name: 'n', input: { d: null } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: [block] }] },
  ];
  expect(decodeRequest({ ...base, messages })).toMatchObject({ messages, ignored: [], converted: [] });
});

test.each(['container', 'mcp_servers', 'inference_geo', 'thread'])('%s is refused with what to do instead', (field) => {
  expect(messageOf({ ...base, [field]: 'x' })).toMatch(new RegExp(`^${field}: .*; `));
  expect(messageOf({ ...base, [field]: null })).toBe('accepted');
});

test('a thread is refused as the API does for a model without threads', () => {
  try {
    decodeRequest({ ...base, thread: { type: 'create' } });
    expect.unreachable();
  } catch (error) {
    expect((error as FailureError).failure.details).toEqual({
      error_code: 'thread_unsupported_request',
      unsupported: ['thread'],
    });
  }
});

test('as many images and documents as Claude Code carries for the model', () => {
  const image = { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } };
  const ask = (model: string, count: number) =>
    messageOf({ model, max_tokens: 1, messages: [{ role: 'user', content: Array(count).fill(image) }] });
  expect(ask('claude-haiku-4-5', 100)).toBe('accepted');
  expect(ask('claude-haiku-4-5', 101)).toContain('messages.0.content.100: Claude Code carries 100 images');
  expect(ask('claude-sonnet-5', 600)).toBe('accepted');
  expect(ask('claude-sonnet-5', 601)).toContain('messages.0.content.600: Claude Code carries 600 images');
});
