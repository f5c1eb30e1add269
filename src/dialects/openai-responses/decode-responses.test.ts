import { describe, expect, test } from 'vitest';
import { wireRequest } from '../../../test/support/wire-request.ts';
import { type Failure, FailureError } from '../../spec/failures.ts';
import type { JsonObject } from '../../spec/messages.ts';
import type { WireRequest } from '../dialect.ts';
import { decodeResponses } from './decode-responses.ts';
import { keepAnswer } from './earlier-answers.ts';
import { encryptedThinking } from './reasoning-items.ts';

const MODEL = 'claude-sonnet-4-5';
const parameters = { type: 'object', properties: { path: { type: 'string' } } };
const TOOL = (name: string) => ({ type: 'function', name, description: name, parameters, strict: false });
const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: unknown) => ({ role: 'assistant', content });
const said = (words: string) => ({
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_text', text: words, annotations: [] }],
});
const text = (words: string) => ({ type: 'text', text: words });
const call = (call_id: string, name: string, args: string, more: JsonObject = {}) => ({
  type: 'function_call',
  call_id,
  name,
  arguments: args,
  ...more,
});
const output = (call_id: string, result: unknown) => ({ type: 'function_call_output', call_id, output: result });
const THOUGHT = { type: 'thinking', thinking: 't', signature: 's' };
const reasoning = (encrypted_content: unknown) => ({
  type: 'reasoning',
  id: 'rs_1',
  summary: [],
  content: null,
  encrypted_content,
});

function wire(body: JsonObject, strict = false, more: Partial<WireRequest> = {}) {
  const aliasOf = (name: string) => (name === 'gpt-5' ? 'claude-sonnet-5' : undefined);
  return wireRequest(body, { strict, aliasOf, ...more });
}

const decoded = (body: JsonObject, strict = false) =>
  decodeResponses(wire({ model: MODEL, max_output_tokens: 10, input: 'x', ...body }, strict));
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

test('a text is the one message of the user, and an answer may be long', () => {
  const { request: found, echo } = decodeResponses(wire({ model: MODEL, instructions: 'Be short.', input: 'Bonjour' }));
  expect(found).toEqual({
    model: MODEL,
    system: 'Be short.',
    messages: [user([text('Bonjour')])],
    tools: [],
    toolPaths: [],
    parameters: { max_tokens: 64_000 },
    parameterPaths: {
      max_tokens: undefined,
      'tool_choice.disable_parallel_tool_use': 'parallel_tool_calls',
    },
    betas: [],
    stream: false,
    ignored: [],
    converted: [],
    unknown: [],
  });
  expect(echo).toMatchObject({
    instructions: 'Be short.',
    temperature: 1,
    tool_choice: 'auto',
    tools: [],
    store: true,
  });
});

/** As Codex sends it. */
const CODEX = {
  stream: true,
  store: false,
  include: ['reasoning.encrypted_content'],
  prompt_cache_key: 'k',
  parallel_tool_calls: true,
  tool_choice: 'auto',
  reasoning: { summary: 'auto' },
  client_metadata: { session_id: 's' },
};

test('the second turn of Codex: items of an answer are one message, and its tools have whole names', () => {
  const developer = (...texts: string[]) => ({
    type: 'message',
    role: 'developer',
    content: texts.map((words) => ({ type: 'input_text', text: words })),
  });
  const { request: found, tools } = decodeResponses(
    wire({
      ...CODEX,
      model: MODEL,
      tools: [
        TOOL('exec_command'),
        { type: 'namespace', name: 'agents', description: 'Sub-agents.', tools: [TOOL('spawn'), TOOL('wait')] },
        { type: 'web_search', external_web_access: true },
      ],
      input: [
        developer('D1'),
        developer('D2', 'D3'),
        user([{ type: 'input_text', text: 'env' }]),
        user([{ type: 'input_text', text: 'go' }]),
        reasoning(encryptedThinking(MODEL, [THOUGHT])),
        { ...said('Looking.'), id: 'msg_1', status: 'completed', phase: 'commentary' },
        call('call_toolu_01A', 'spawn', '{"m": "x"}', { id: 'fc_1', status: 'completed', namespace: 'agents' }),
        { ...output('call_toolu_01A', 'done'), id: 'fco_1' },
      ],
    }),
  );
  expect(found).toMatchObject({
    system: 'D1\n\nD2\n\nD3',
    messages: [
      user([text('env'), text('go')]),
      assistant([
        THOUGHT,
        text('Looking.'),
        { type: 'tool_use', id: 'toolu_01A', name: 'agents__spawn', input: { m: 'x' } },
      ]),
      user([{ type: 'tool_result', tool_use_id: 'toolu_01A', content: [text('done')] }]),
    ],
    parameters: {
      max_tokens: 64_000,
      tool_choice: { type: 'auto' },
      thinking: { type: 'enabled', budget_tokens: 8_192, display: 'summarized' },
    },
    toolPaths: ['tools.0', 'tools.1.tools.0', 'tools.1.tools.1'],
    stream: true,
    ignored: ['tools.2'],
    converted: [],
  });
  expect(found.tools.map(({ name, description }) => [name, description])).toEqual([
    ['exec_command', 'exec_command'],
    ['agents__spawn', 'Sub-agents.\n\nspawn'],
    ['agents__wait', 'wait'],
  ]);
  expect(tools.get('agents__spawn')).toEqual({ name: 'spawn', namespace: 'agents', isCustom: false });
});

test('what Codex sends always is no fault in strict mode', () => {
  expect(request({ ...CODEX, max_output_tokens: null, tools: [TOOL('exec_command')] }, true)).toMatchObject({
    ignored: [],
    converted: [],
  });
});

test('a custom tool takes free text, there and back', () => {
  const grammar = { type: 'grammar', syntax: 'lark', definition: 'start: "x"' };
  const { request: found, tools } = decoded({
    tools: [{ type: 'custom', name: 'apply_patch', description: 'FREEFORM.', format: grammar }],
    tool_choice: { type: 'custom', name: 'apply_patch' },
    input: [
      user('patch'),
      { type: 'custom_tool_call', call_id: 'call_toolu_01A', name: 'apply_patch', input: '*** Begin\n"q"\n' },
      { type: 'custom_tool_call_output', call_id: 'call_toolu_01A', output: 'ok' },
    ],
  });
  expect(found.messages.slice(1)).toEqual([
    assistant([{ type: 'tool_use', id: 'toolu_01A', name: 'apply_patch', input: { input: '*** Begin\n"q"\n' } }]),
    user([{ type: 'tool_result', tool_use_id: 'toolu_01A', content: [text('ok')] }]),
  ]);
  expect(found.tools[0]?.description).toBe('FREEFORM.\n\nThe input must follow this lark grammar:\nstart: "x"');
  expect(found.tools[0]?.input_schema).toMatchObject({ required: ['input'], additionalProperties: false });
  expect(found.parameters.tool_choice).toEqual({ type: 'tool', name: 'apply_patch' });
  expect(tools.get('apply_patch')).toEqual({ name: 'apply_patch', isCustom: true });
});

test('tools may come as an item of the input, which is no message', () => {
  const inner = [{ type: 'custom', name: 'exec', description: 'js' }, { type: 'web_search' }];
  const { request: found, tools } = decoded({
    tool_choice: { type: 'custom', name: 'exec', namespace: 'functions' },
    input: [
      {
        type: 'additional_tools',
        role: 'developer',
        tools: [{ type: 'namespace', name: 'functions', description: '', tools: inner }],
      },
      { role: 'developer', content: 'D' },
      user('go'),
    ],
  });
  expect(found).toMatchObject({
    system: 'D',
    messages: [user([text('go')])],
    tools: [{ name: 'functions__exec', description: 'js' }],
    toolPaths: ['input.0.tools.0.tools.0'],
    parameters: { tool_choice: { type: 'tool', name: 'functions__exec' } },
    ignored: ['input.0.tools.0.tools.1'],
  });
  expect(tools.get('functions__exec')).toEqual({ name: 'exec', namespace: 'functions', isCustom: true });
});

test('a namespace that ends with the separator gets none more', () => {
  const tools = [{ type: 'namespace', name: 'mcp__x__', tools: [TOOL('y')] }];
  expect(request({ tools }).tools[0]?.name).toBe('mcp__x__y');
});

test('an image in a result is an image', () => {
  const found = request({
    input: [
      user('see'),
      call('call_9', 'view_image', '{"path":"a.png"}'),
      output('call_9', [
        { type: 'input_text', text: 'a.png' },
        { type: 'input_image', image_url: 'data:image/png;base64,QUJD', detail: 'high' },
      ]),
    ],
  });
  expect(found.messages[2]?.content).toEqual([
    {
      type: 'tool_result',
      tool_use_id: 'call_9',
      content: [text('a.png'), { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'QUJD' } }],
    },
  ]);
  expect(found.ignored).toEqual(['input.2.output.1.detail']);
});

test.each([
  ['somebody else’s', 'gAAAAABforeign'],
  ['another model’s', encryptedThinking('claude-opus-4-6', [THOUGHT])],
  ['broken', `${encryptedThinking(MODEL, [THOUGHT]).slice(0, -8)}`],
  ['of no thinking', encryptedThinking(MODEL, [{ type: 'text', text: 'x' }])],
  ['not there', undefined],
])('thinking that is %s does not end the conversation', (_, encrypted) => {
  const found = request({ input: [user('a'), reasoning(encrypted), said('b'), user('c')] });
  expect(found.messages).toEqual([user([text('a')]), assistant([text('b')]), user([text('c')])]);
  expect(found.ignored).toEqual(['input.1']);
});

test('thinking comes back as it was, hidden thinking too', () => {
  const hidden = { type: 'redacted_thinking', data: 'd' };
  const found = request({
    input: [user('a'), reasoning(encryptedThinking(MODEL, [hidden, THOUGHT])), said('b'), user('c')],
  });
  expect(found.messages[1]).toEqual(assistant([hidden, THOUGHT, text('b')]));
  expect(found.ignored).toEqual([]);
});

test('a later instruction stays in its place, and results lead in the order of the calls', () => {
  const found = request({
    input: [
      user('go'),
      said('First.'),
      call('call_1', 'a', ''),
      call('call_2', 'a', '[1'),
      { role: 'developer', content: 'Be terse' },
      output('call_2', 'two'),
      output('call_1', ''),
    ],
  });
  expect(found.messages.slice(1)).toEqual([
    assistant([
      text('First.'),
      { type: 'tool_use', id: 'call_1', name: 'a', input: {} },
      { type: 'tool_use', id: 'call_2', name: 'a', input: { arguments: '[1' } },
    ]),
    user([
      { type: 'tool_result', tool_use_id: 'call_1', content: [] },
      {
        type: 'tool_result',
        tool_use_id: 'call_2',
        content: [text('two\n\n<system-reminder>\nBe terse\n</system-reminder>')],
      },
    ]),
  ]);
  expect(found.converted).toEqual(['input.3.arguments', 'input.5', 'input.6', 'input.4']);
});

test('what OpenAI ran itself is left out, and what its clients searched is a plain call', () => {
  const found = request({
    input: [
      user('go'),
      { type: 'web_search_call', id: 'ws_1', status: 'completed' },
      { type: 'compaction', encrypted_content: 'x' },
      { type: 'tool_search_call', call_id: 'call_s', execution: 'client', arguments: { query: 'q' } },
      {
        type: 'tool_search_output',
        call_id: 'call_s',
        tools: [{ type: 'namespace', name: 'mail' }, { name: { toString: null } }],
      },
    ],
  });
  expect(found.messages.slice(1)).toEqual([
    assistant([{ type: 'tool_use', id: 'call_s', name: 'tool_search', input: { query: 'q' } }]),
    user([{ type: 'tool_result', tool_use_id: 'call_s', content: [text('Found: mail')] }]),
  ]);
  expect(found).toMatchObject({ ignored: ['input.1', 'input.2'], converted: ['input.3', 'input.4'] });
});

test('the output of a call that is left out is left out, too', () => {
  const found = request({
    input: [
      user('go'),
      said('Looking.'),
      { type: 'local_shell_call', call_id: 'call_1', action: { type: 'exec', command: ['ls'] } },
      output('call_1', 'a.txt'),
      { type: 'local_shell_call', id: 'lsh_2', call_id: null, action: { type: 'exec', command: ['ls'] } },
      output('lsh_2', 'a.txt'),
      said('Found.'),
      user('on'),
    ],
  });
  expect(found.messages).toEqual([
    user([text('go')]),
    assistant([text('Looking.'), text('Found.')]),
    user([text('on')]),
  ]);
  expect(found).toMatchObject({ ignored: ['input.2', 'input.3', 'input.4', 'input.5'], converted: [] });
});

test('a call of the client may have the id of one that is left out', () => {
  const found = request({
    input: [user('go'), { type: 'mcp_call', id: 'call_1' }, call('call_1', 'a', ''), output('call_1', 'r')],
  });
  expect(found.messages[2]).toEqual(user([{ type: 'tool_result', tool_use_id: 'call_1', content: [text('r')] }]));
});

test('the name in a message is declared', () => {
  const found = request({ input: [{ ...user('go'), name: 'ann' }, { ...said('b'), name: null }, user('c')] });
  expect(found.ignored).toEqual(['input.0.name']);
});

test('items may declare a tool again, as it is', () => {
  const space = { type: 'namespace', name: 'n', description: 'N.', tools: [TOOL('b'), { type: 'custom', name: 'c' }] };
  const again = { type: 'additional_tools', tools: [TOOL('a'), space] };
  const found = decoded({ tools: [TOOL('a')], input: [again, user('go'), said('b'), again, user('on')] });
  expect(found.request.tools.map(({ name }) => name)).toEqual(['a', 'n__b', 'n__c']);
  expect(found.request.toolPaths).toEqual(['tools.0', 'input.0.tools.1.tools.0', 'input.0.tools.1.tools.1']);
  expect(found.request.messages).toHaveLength(3);
});

test('parameters', () => {
  const schema = { type: 'object', properties: { a: { type: 'integer', minimum: 1 } }, required: ['a'] };
  const found = request({
    model: 'anthropic/claude-opus-4-6',
    max_output_tokens: 500,
    reasoning: { effort: 'high', summary: 'auto' },
    text: { format: { type: 'json_schema', name: 'n', schema }, verbosity: 'low' },
    include: ['reasoning.encrypted_content', 'web_search_call.action.sources'],
    truncation: 'auto',
    top_logprobs: 0,
    invented: 1,
    user: 'u1',
  });
  expect(found).toMatchObject({
    model: 'claude-opus-4-6',
    userId: 'u1',
    parameters: {
      max_tokens: 500,
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: { effort: 'high', format: { type: 'json_schema', schema: { additionalProperties: false } } },
    },
    ignored: ['truncation', 'invented', 'text.verbosity', 'include.1'],
    converted: ['text.format.schema'],
  });
});

test('a forced call and a budget of thinking exclude each other', () => {
  const body = { tools: [TOOL('a')], tool_choice: 'required', max_output_tokens: 50_000 };
  expect(request({ ...body, reasoning: { effort: 'low' } })).toMatchObject({ ignored: ['reasoning.effort'] });
  expect(request({ ...body, reasoning: {} })).toMatchObject({ ignored: ['reasoning'] });
});

describe('refusals name what the client sent', () => {
  const unknown = 'No tool call found for function call output with call_id call_x.';
  test.each<[string, JsonObject, string]>([
    ['model', { model: undefined }, 'Field required'],
    ['model', { model: 'gpt-4o' }, '--model-alias gpt-4o=claude-sonnet-5'],
    ['input', { input: undefined }, 'Field required'],
    ['input', { input: 5 }, 'must be a string or a list of items'],
    ['input', { input: [] }, 'at least one message is required'],
    ['input', { input: ' ' }, 'text'],
    ['input.0.type', { input: [{ type: 'invented' }] }, 'items of the type "invented" do not reach the model'],
    ['input.0.type', { input: [{}] }, 'Field required'],
    ['input.0', { input: ['x'] }, 'must be an object'],
    ['input.0.role', { input: [{ role: 'tool', content: 'x' }] }, 'must be `system`'],
    ['input.0.content.0.file_id', { input: [user([{ type: 'input_file', file_id: 'f' }])] }, 'files stored at OpenAI'],
    ['input.0.content.0', { input: [user([{ type: 'input_audio' }])] }, 'parts of the type "input_audio"'],
    [
      'input.1.content.0',
      { input: [user('a'), assistant([{ type: 'input_image', image_url: 'https://example.test/a' }]), user('b')] },
      'an assistant message may hold text only',
    ],
    ['input.1', { input: [user('x'), call('call_x', 'a', '{}')] }, 'No tool output found for function call call_x.'],
    ['input.1.call_id', { input: [user('x'), output('call_x', '')] }, unknown],
    ['input.1.call_id', { input: [user('x'), { type: 'function_call', name: 'a' }] }, 'Field required'],
    ['tools.1', { tools: [TOOL('a'), TOOL('a')] }, 'tool names must be unique'],
    [
      'tools.1',
      { tools: [{ type: 'namespace', name: 'a', tools: [TOOL('b')] }, TOOL('a__b')] },
      'tool names must be unique, `a__b` was used before',
    ],
    [
      'input.0.tools.0',
      { tools: [TOOL('a')], input: [{ type: 'additional_tools', tools: [{ ...TOOL('a'), description: 'other' }] }] },
      'tool names must be unique, `a` was used before',
    ],
    [
      'tools.0.tools.0',
      { tools: [{ type: 'namespace', name: 'n'.repeat(100), tools: [TOOL('b'.repeat(40))] }] },
      'is longer than 128 characters with its namespace',
    ],
    ['tool_choice', { tools: [{ type: 'web_search' }], tool_choice: { type: 'web_search' } }, 'must be auto'],
    ['reasoning.effort', { reasoning: { effort: 'huge' } }, 'must be one of none'],
    ['text.format.schema', { text: { format: { type: 'json_schema' } } }, 'Field required'],
    ['background', { background: true }, 'an answer is made while its client waits'],
    ['conversation', { conversation: 'conv_1' }, 'conversations stored at OpenAI'],
    ['prompt', { prompt: { id: 'p' } }, 'templates stored at OpenAI'],
    ['previous_response_id', { previous_response_id: 'resp_x' }, "Previous response with id 'resp_x' not found."],
    [
      'input.1.id',
      { input: [user('x'), { type: 'item_reference', id: 'rs_x' }] },
      "Item with id 'rs_x' not found. An answer is kept for an hour after it was last asked for; send the whole input, as clients do with `store: false`.",
    ],
    ['input.0.id', { input: [{ type: 'item_reference', id: { toString: null } }] }, 'must be a string'],
    ['input.0.id', { input: [{ type: 'item_reference' }] }, 'Field required'],
    ['seed', { seed: 1, strict: true }, 'would be ignored'],
  ])('%s: %j', (path, { strict, ...body }, words) => {
    const found = strict ? refusalOfStrict(body) : refusal(body);
    expect(found.path).toBe(path);
    expect(found.message).toContain(words);
  });

  function refusalOfStrict(body: JsonObject): Failure {
    try {
      request(body, true);
    } catch (error) {
      return (error as FailureError).failure;
    }
    throw new Error('It was taken.');
  }
});

describe('what refers to earlier answers', () => {
  const kept = new Map<string, object>();
  const memory = { get: (id: string) => kept.get(id), put: (id: string, value: object) => kept.set(id, value) };
  const item = (id: string, words: string) => ({ ...said(words), id });
  const about = (body: JsonObject) => decodeResponses(wire({ model: MODEL, ...body }, false, { memory }));

  test('an item stands where its reference stood; an answer brings its whole conversation, but not its instructions', () => {
    const first = about({ input: 'one', instructions: 'S1' });
    keepAnswer(memory, {
      id: 'resp_1',
      output: [item('msg_1', '1')],
      inputBytes: 1,
      previous: undefined,
      input: [],
      ...first.toKeep,
    });
    const second = about({ input: [user('two')], previous_response_id: 'resp_1', instructions: 'S2' });
    keepAnswer(memory, {
      id: 'resp_2',
      output: [item('msg_2', '2')],
      inputBytes: 1,
      previous: undefined,
      input: [],
      ...second.toKeep,
    });
    const third = about({ input: 'three', previous_response_id: 'resp_2' }).request;
    const conversation = [
      user([text('one')]),
      assistant([text('1')]),
      user([text('two')]),
      assistant([text('2')]),
      user([text('three')]),
    ];
    expect(second.request.system).toBe('S2');
    expect(third.messages).toEqual(conversation);
    const reference = (id: string) => ({ type: 'item_reference', id });
    const input = [user('one'), reference('msg_1'), user('two'), reference('msg_2'), user('three')];
    const referring = about({ input });
    expect(referring.request.messages).toEqual(conversation);
    expect(referring.toKeep?.input[1]).toEqual(item('msg_1', '1'));
    const bare = [user('one'), { id: 'msg_1' }, user('two'), { type: null, id: 'msg_2' }, user('three')];
    expect(about({ input: bare }).request.messages).toEqual(conversation);
    expect(() => about({ input: [reference('resp_1')] })).toThrow("Item with id 'resp_1' not found");
    expect(() => about({ input: 'x', previous_response_id: 'msg_1' })).toThrow("with id 'msg_1' not found");
    kept.delete('resp_1');
    expect(() => about({ input: 'x', previous_response_id: 'resp_2' })).toThrow("with id 'resp_2' not found");
  });

  test('what became of an earlier request is not told again, nor refused', () => {
    const image_url = 'data:image/png;base64,QUJD';
    const input = [
      { ...user([{ type: 'input_image', image_url, detail: 'low' }]), name: 'Ann' },
      { type: 'web_search_call', id: 'ws_1' },
      assistant('A dot.'),
      { role: 'developer', content: 'Be brief.' },
    ];
    const first = about({ input });
    expect([first.request.ignored.length, first.request.converted]).toEqual([3, ['input.3']]);
    keepAnswer(memory, { id: 'resp_3', output: [], inputBytes: 1, previous: undefined, input: [], ...first.toKeep });
    const again = { model: MODEL, input: 'And now?', previous_response_id: 'resp_3' };
    const { request: second } = decodeResponses(wire(again, true, { memory }));
    expect([second.ignored, second.converted]).toEqual([[], []]);
    expect(second.messages).toHaveLength(3);
  });

  test('nothing is to be kept of an answer that its client does not want stored', () => {
    expect(about({ input: 'x', store: false }).toKeep).toBeUndefined();
    expect(about({ input: 'x' }).toKeep).toEqual({ previous: undefined, input: [user('x')], inputBytes: 100 });
  });
});

describe('words of the assistant at the end, as from an answer that broke off', () => {
  const answer = [reasoning(encryptedThinking(MODEL, [THOUGHT])), said('I look.')];
  const input = [user('Look'), ...answer];
  const goOn = text(
    '<system-reminder>\nYour last answer broke off behind these words. Go on from there.\n</system-reminder>',
  );

  test('an older model goes on from a text, as it is', () => {
    const { messages, converted } = request({ input: [user('Look'), said('I look.')] });
    expect(messages.at(-1)).toEqual(assistant([text('I look.')]));
    expect(converted).toEqual([]);
  });

  test('so does one that an alias stands for', () => {
    const body = { model: 'haiku', input: [user('Look'), said('I look.')] };
    const idOf = () => 'claude-haiku-4-5';
    expect(decodeResponses(wire(body, false, { idOf })).request.converted).toEqual([]);
  });

  test.each(['claude-opus-4-6', 'claude-sonnet-5', 'sonnet'])('%s refuses that, and is told to go on', (model) => {
    const { messages, ignored, converted } = request({ model, input: [user('Look'), said('I look.')] });
    expect(messages).toEqual([user([text('Look')]), assistant([text('I look.')]), user([goOn])]);
    expect([ignored, converted]).toEqual([[], ['input.1']]);
  });

  test('so is one whose thinking stands before its words', () => {
    const { messages, converted } = request({ input });
    expect(messages.slice(1)).toEqual([assistant([THOUGHT, text('I look.')]), user([goOn])]);
    expect(converted).toEqual(['input.1']);
  });

  test('thinking that nothing followed is left out, which is declared and not refused', () => {
    const alone = input.slice(0, 2);
    const { messages, ignored } = request({ input: alone }, true);
    expect(messages).toEqual([user([text('Look')])]);
    expect(ignored).toEqual(['input.1']);
    const later = request({ input: [...alone, user('Again')] }, true);
    expect(later.messages).toEqual([user([text('Look'), text('Again')])]);
    expect(later.ignored).toEqual(['input.1']);
  });

  test('with nothing before it there is nothing to answer', () => {
    expect(refusal({ input: [answer[0]] })).toMatchObject({ code: 'bad_request' });
  });
});
