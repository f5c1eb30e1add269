import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ModelRequest } from '../../../scripted-model/script.ts';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import {
  ANTHROPIC_CLIENT_TOOL,
  BETAS,
  BODY_FIELDS,
  CONTENT,
  CONTRACT,
  HEADERS,
  LONG_CONTEXT,
  OWN_BETAS,
  TOOL_FIELDS,
  TOOL_KINDS,
  WITHHELD_BETAS,
} from '../../../src/dialects/anthropic-messages/contract-table.ts';
import { CHAT_CONTRACT } from '../../../src/dialects/openai-chat/chat-contract.ts';
import { RESPONSES_CONTRACT } from '../../../src/dialects/openai-responses/responses-contract.ts';
import { FAILURE_FACTS } from '../../../src/spec/failures.ts';
import { asTheModelSees, type Block, type WireMessage } from '../../support/as-the-model-sees.ts';
import { startGateway, type TestGateway } from '../../support/gateway.ts';
import { QUICK } from '../../support/quick.ts';
import { testParts } from '../../support/test-parts.ts';

/**
 * Every row of the contract, held against what the scripted model received: the fields that pass on each path, streaming
 * or not, and without a trace in the turn after; the others by their header or their 400.
 */

let model: ScriptedModel;
let gateway: TestGateway;
/** Whose every history is a replay into a new process. */
let cold: TestGateway;

beforeAll(async () => {
  model = await startScriptedModel();
  gateway = await startGateway(model.url, ['--spares', '2']);
  cold = await startGateway(model.url, ['--spares', '0', '--reuse', 'off']);
});
beforeEach(() => {
  model.requests.length = 0;
  model.use([]);
});
afterAll(async () => {
  await gateway?.stop();
  await cold?.stop();
  await model?.close();
});

const READ = { name: 'read', description: 'reads', input_schema: { type: 'object', properties: {} } };
const CALL = { content: [{ type: 'tool_use' as const, name: 'read', input: {} }] };

interface Answer {
  status: number;
  headers: Headers;
  path: string | null;
  /** Of a whole answer: its content; the blocks of a stream are put together by the scripted ids alone. */
  content: Block[];
  error?: { type: string; message: string };
}

async function ask(body: object, headers: Record<string, string> = {}, asked = gateway): Promise<Answer> {
  const response = await fetch(`${asked.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 100, messages: [user('hi')], ...body }),
  });
  const text = await response.text();
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
  const whole = isStream ? undefined : JSON.parse(text);
  return {
    status: response.status,
    headers: response.headers,
    path: response.headers.get('isthmus-path'),
    content: isStream ? blocksOf(text) : (whole.content ?? []),
    ...(whole?.error ? { error: whole.error } : {}),
  };
}

/** The content of a stream whose tool inputs are all empty. */
function blocksOf(stream: string): Block[] {
  const blocks: Block[] = [];
  for (const [, data = ''] of stream.matchAll(/^data: (.*)$/gm)) {
    const event = JSON.parse(data);
    if (event.type === 'content_block_start') blocks[event.index] = event.content_block;
    if (event.delta?.type === 'text_delta') (blocks[event.index] as Block).text += event.delta.text;
  }
  return blocks;
}

function user(content: string | Block[]): WireMessage {
  return { role: 'user', content };
}

function newest(): ModelRequest {
  const found = model.requests.at(-1);
  if (!found) throw new Error('the model was not called');
  return found.body;
}

function resultFor(content: Block[]): WireMessage {
  return user([{ type: 'tool_result', tool_use_id: String(content.at(-1)?.id), content: 'r' }]);
}

type BodyFields = typeof BODY_FIELDS;
type PassedField = {
  [Field in keyof BodyFields]: BodyFields[Field] extends { passed: true } ? Field : never;
}[keyof BodyFields];
type OtherField = Exclude<keyof BodyFields, PassedField>;

/**
 * What a field is sent as, and what the model must have got for it; both times the same unless told. `without`: what the body
 * has without the field, if not nothing.
 */
type Passing = { send: unknown; seen?: Record<string, unknown>; without?: unknown };

/** An example or more of each field that the table passes on; without one this file does not compile. */
const PASSED: Record<PassedField, [Passing, ...Passing[]]> = {
  max_tokens: [{ send: 77, without: 100 }],
  thinking: [
    { send: { type: 'enabled', budget_tokens: 1024 }, without: { type: 'disabled' } },
    { send: { type: 'adaptive', display: 'omitted' }, without: { type: 'disabled' } },
    { send: { type: 'disabled' }, without: { type: 'disabled' } },
  ],
  temperature: [{ send: 0.25 }],
  top_p: [{ send: 0.5 }],
  top_k: [{ send: 7 }],
  stop_sequences: [{ send: ['END', '\n\n'] }],
  tool_choice: [
    { send: { type: 'auto', disable_parallel_tool_use: true } },
    { send: { type: 'any' } },
    { send: { type: 'none' } },
    { send: { type: 'tool', name: 'read' } },
  ],
  safeguards: [{ send: [{ type: 'dangerous_tool_use', classifier_context: { rules: ['ü'] } }] }],
  output_config: [
    { send: { effort: 'low' } },
    { send: { task_budget: { type: 'tokens', total: 64_000 }, effort: 'low' } },
    { send: { format: { type: 'json_schema', schema: { type: 'object', properties: { a: {} } } } } },
  ],
  output_format: [
    {
      send: { type: 'json_schema', schema: { type: 'object' } },
      seen: { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } },
    },
  ],
};

/** One of each kind: applied by the CLI, by the body, and renamed. The others go with the second. */
const QUICK_FIELDS = new Set(['thinking', 'stop_sequences', 'tool_choice']);
/** What the CLI sends in any case, what needs a beta, an object, and what has another name at the API. */
const EVERYDAY_FIELDS = new Set(['max_tokens', 'safeguards', 'output_config', 'output_format']);

/** Each value as a stream and as a whole answer; `isFirst` is one of the two, in turn, of a field's first value. */
const PASSING = Object.entries(PASSED)
  .flatMap(([field, values]) => values.map((passing, at) => ({ field, ...passing, at })))
  .flatMap(({ at, ...passing }, index) =>
    [true, false].map((stream) => ({ ...passing, stream, isFirst: at === 0 && stream === (index % 2 === 1) })),
  );

async function passOnEveryPath({ stream, ...passing }: (typeof PASSING)[number]): Promise<void> {
  const { field, send, seen = { [field]: send }, without } = passing;
  model.use([
    { when: { text: 'read' }, replies: [CALL] },
    { when: { has_tool_result: true }, replies: [CALL, { content: [{ type: 'text', text: 'done' }] }] },
  ]);
  const paths: Array<string | null> = [];
  const turn = async (messages: WireMessage[], isWith: boolean, asked = gateway): Promise<WireMessage[]> => {
    const answer = await ask({ stream, tools: [READ], messages, ...(isWith ? { [field]: send } : {}) }, {}, asked);
    paths.push(answer.path);
    for (const [name, value] of Object.entries(seen)) expect(newest()[name]).toEqual(isWith ? value : without);
    expect(answer.headers.get('isthmus-ignored')).toBeNull();
    return [...messages, { role: 'assistant', content: answer.content }];
  };
  let history = await turn([user('please read')], true);
  history = await turn([...history, resultFor(history.at(-1)?.content as Block[])], true);
  history = await turn([...history, resultFor(history.at(-1)?.content as Block[])], false);
  history = await turn([...history, user('and now')], true);
  await turn([...history, user('and then')], false);
  await turn([...history, user('no, rather')], true);
  await turn([...history, user('no, this')], false);
  await turn([...history, user('no, this')], true, cold);
  expect(paths).toEqual(['start', ...Array(4).fill('continue'), 'rewind', 'rewind', 'replay']);
  expect(model.requests).toHaveLength(8);
}

testParts('passedFields', PASSING, {
  isQuick: ({ isFirst, field }) => isFirst && QUICK_FIELDS.has(field),
  isEveryday: ({ isFirst, field }) => isFirst && EVERYDAY_FIELDS.has(field),
})('$field $send reaches the model on every path, and is gone one turn later (stream: $stream)', passOnEveryPath);

/** An example of each other field; without one this file does not compile. */
const OTHER_FIELDS: Record<OtherField, unknown> = {
  model: 'anthropic/claude-opus-4-1',
  messages: [user('other words')],
  system: [
    { type: 'text', text: 'one' },
    { type: 'text', text: 'two', cache_control: { type: 'ephemeral' } },
  ],
  tools: [READ],
  stream: true,
  betas: ['pdfs-2024-09-25'],
  metadata: { user_id: 'somebody' },
  cache_control: { type: 'ephemeral', ttl: '1h' },
  context_management: { edits: [] },
  diagnostics: { previous_message_id: null },
  context_hint: { enabled: true },
  resumption: { type: 'enabled' },
  anthropic_beta: ['context-1m-2025-08-07'],
  fallbacks: [{ model: 'claude-haiku-4-5' }],
  fallback_credit_token: 'token',
  service_tier: 'standard_only',
  speed: 'fast',
  container: 'container_1',
  mcp_servers: [{ type: 'url', url: 'https://example.com', name: 'x' }],
  inference_geo: 'us',
  thread: { type: 'create' },
};

describe('the other fields', () => {
  const names = Object.keys(OTHER_FIELDS) as OtherField[];
  const handled = (...handlings: string[]) => names.filter((field) => handlings.includes(BODY_FIELDS[field].handling));
  const bodyOf = (fields: OtherField[]) => Object.fromEntries(fields.map((field) => [field, OTHER_FIELDS[field]]));

  test('those that are ignored are declared and do not reach the model, and are refused one by one in strict mode', async () => {
    const ignored = handled('ignored');
    const answer = await ask(bodyOf(ignored));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('isthmus-ignored')?.split(', ').sort()).toEqual(ignored.sort());
    for (const field of ignored) {
      expect(newest()).not.toHaveProperty(field);
      const refused = await ask(bodyOf([field]), { 'isthmus-strict': '1' });
      expect(refused.status).toBe(400);
      expect(refused.headers.get('isthmus-error')).toBe('field_ignored');
      expect(refused.error?.message).toMatch(new RegExp(`^${field}: `));
    }
    expect(model.requests).toHaveLength(1);
  });

  test.each(handled('refused'))('%s is refused', async (field) => {
    const answer = await ask(bodyOf([field]));
    expect(answer.status).toBe(400);
    const message = `${field}: ${BODY_FIELDS[field].note}`;
    expect(answer.error).toMatchObject({ type: 'invalid_request_error', message });
    expect(model.requests).toHaveLength(0);
  });

  test('those that are honoured or replaced are neither ignored nor refused', async () => {
    const answer = await ask(bodyOf(handled('honoured', 'replaced')), { 'isthmus-strict': '1' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('isthmus-ignored')).toBeNull();
  });

  test('model, messages, system, tools and betas are what the model gets', QUICK, async () => {
    const { model: name, messages, system, tools, betas } = OTHER_FIELDS;
    await ask({ model: name, messages, system, tools, betas });
    expect(newest()).toMatchObject({ model: 'claude-opus-4-1', tools: [READ] });
    expect(asTheModelSees(newest().messages as WireMessage[], { withThinking: true })).toEqual(
      asTheModelSees(messages as WireMessage[], { withThinking: true }),
    );
    expect((newest().system as Block[]).at(-1)?.text).toBe('one\n\ntwo');
    expect(model.requests[0]?.headers['anthropic-beta']).toContain('pdfs-2024-09-25');
  });

  test('an alias of a model is the model that Claude Code takes it for', QUICK, async () => {
    for (const alias of ['opus', 'sonnet', 'haiku']) {
      await ask({ model: alias });
      const listed = await (await fetch(`${gateway.url}/v1/models/${alias}`)).json();
      expect(newest().model).toBe((listed as { id: string }).id);
    }
  });

  test('metadata.user_id stands in the log, and what else is in metadata is ignored', async () => {
    const answer = await ask({ metadata: { user_id: 'user-4711', team: 'x' } });
    expect(answer.headers.get('isthmus-ignored')).toBe('metadata.team');
    await expect.poll(() => gateway.output()).toContain('user=user-4711');
    expect(JSON.stringify(newest())).not.toContain('4711');
  });

  test('a field that nobody knows passes and is declared, on every path', async () => {
    const invented = JSON.parse('{"__proto__":{"a":1},"b":[null]}');
    const fields = { invented, output_config: { pace: 'slow' } };
    const first = [user('hi')];
    const { content } = await ask({ messages: first, ...fields }, { 'isthmus-strict': '1' });
    const messages = [...first, { role: 'assistant', content }, user('more')];
    const paths = ['start'];
    const edited = [...messages.slice(0, -1), user('no, less')];
    for (const [history, asked] of [[messages], [edited], [edited, cold]] as const) {
      const answer = await ask({ messages: history, ...fields }, {}, asked);
      paths.push(String(answer.path));
      expect(answer.headers.get('isthmus-passed')).toBe('invented, output_config.pace');
      expect(answer.headers.get('isthmus-ignored')).toBeNull();
    }
    expect(paths).toEqual(['start', 'continue', 'rewind', 'replay']);
    expect(model.requests.map(({ body }) => JSON.stringify([body.invented, body.output_config]))).toEqual(
      Array(4).fill(JSON.stringify([invented, { pace: 'slow' }])),
    );
    const { path } = await ask({ messages: [...messages.slice(0, -1), user('no, none')] });
    expect(path).toBe('rewind');
    expect(newest()).not.toHaveProperty('invented');
  });

  test('no field of the body replaces what the gateway says', QUICK, async () => {
    await ask({ metadata: { user_id: 'somebody' }, anthropic_beta: ['x-1'], betas: [], system: 'mine' });
    const { body, headers } = model.requests[0] ?? {};
    expect(body).not.toHaveProperty('betas');
    expect(body).not.toHaveProperty('anthropic_beta');
    expect(body).toMatchObject({ stream: true, messages: [{ role: 'user' }] });
    expect(JSON.stringify(body?.metadata)).not.toContain('somebody');
    expect(headers?.['anthropic-beta']).toContain('claude-code-20250219');
    expect(headers?.['anthropic-beta']).not.toContain('x-1');
  });
});

describe('tools', () => {
  const values: Record<keyof typeof TOOL_FIELDS, unknown> = {
    type: 'custom',
    name: 'other',
    description: 'one\n\ntwo ①',
    input_schema: { type: 'object', $defs: { a: {} } },
    strict: true,
    eager_input_streaming: true,
    input_examples: [{ path: 'a' }],
    cache_control: { type: 'ephemeral' },
    defer_loading: true,
    allowed_callers: ['code_execution_20250825'],
  };

  test('a deferred tool is there from when the conversation has loaded it', async () => {
    const later = { ...READ, name: 'later' };
    const tools = [
      READ,
      { ...later, name: 'DeferredToolPlaceholder', defer_loading: true },
      { ...later, defer_loading: true },
    ];
    model.use([{ when: { text: 'read' }, replies: [CALL] }]);
    const first = [user('please read')];
    const { content, headers } = await ask({ tools, messages: first });
    expect(newest().tools).toEqual([READ]);
    expect(headers.get('isthmus-ignored')).toBe('tools.1, tools.2');
    const loads = [{ type: 'tool_reference', tool_name: 'later' }];
    const loading = user([{ type: 'tool_result', tool_use_id: String(content.at(-1)?.id), content: loads }]);
    const answer = await ask({ tools, messages: [...first, { role: 'assistant', content }, loading] });
    expect(answer.status).toBe(200);
    expect(newest().tools).toEqual([READ, later]);
  });

  test('each field of a tool passes, or is declared', async () => {
    const rows = Object.entries(TOOL_FIELDS).map(([field, row]) => {
      const plain = { ...READ, name: `with_${field}` };
      const sent = { ...plain, [field]: values[field as keyof typeof TOOL_FIELDS] };
      return { field, isIgnored: row.handling === 'ignored', sent, seen: 'passed' in row ? sent : plain };
    });
    // A call that is asked for by name loads a deferred tool.
    const tool_choice = { type: 'tool', name: 'with_defer_loading' };
    const answer = await ask({ tools: rows.map(({ sent }) => sent), tool_choice });
    expect(answer.headers.get('isthmus-ignored')?.split(', ')).toEqual(
      rows.flatMap(({ field, isIgnored }, at) => (isIgnored ? [`tools.${at}.${field}`] : [])),
    );
    expect(newest().tools).toEqual(rows.map(({ seen }) => seen));
  });

  /** Two of a kind at a time: the header sums up many. */
  const kinds: Record<keyof typeof TOOL_KINDS, object[][]> = {
    'client tool (no type, or `custom`)': [[READ]],
    'Anthropic-defined client tool (`bash_`, `text_editor_`, `computer_` or `memory_` with a date)': [
      [
        { type: 'bash_20250124', name: 'bash' },
        { type: 'text_editor_20250728', name: 'str_replace_based_edit_tool', max_characters: 5 },
      ],
      [
        { type: 'computer_20251124', name: 'computer', display_width_px: 1, display_height_px: 1 },
        { type: 'memory_20250818', name: 'memory' },
      ],
    ],
    'server tool or toolset (`web_search_…`, `web_fetch_…`, `code_execution_…`, `mcp_toolset`, `computer_toolset_…`, …)':
      [
        [
          { type: 'web_search_20250305', name: 'web_search' },
          { type: 'code_execution_20250825', name: 'code_execution' },
        ],
        [{ type: 'mcp_toolset', mcp_server_name: 'x' }, { type: 'computer_toolset_20260801' }],
      ],
  };
  const kindRows = Object.entries(TOOL_KINDS).flatMap(([kind, row]) =>
    kinds[kind as keyof typeof TOOL_KINDS].map((tools) => ({ tools, ...row })),
  );

  test.each(kindRows)(
    '$tools are $handling, and the client’s own tool works beside them',
    async ({ tools, handling }) => {
      const beside = { ...READ, name: 'beside' };
      model.use([{ replies: [{ content: [{ type: 'tool_use', name: 'beside', input: {} }] }] }]);
      const answer = await ask({ tools: [beside, ...tools] });
      expect(answer.content).toMatchObject([{ type: 'tool_use', name: 'beside' }]);
      expect(newest().tools).toEqual(handling === 'honoured' ? [beside, ...tools] : [beside]);
      expect(answer.headers.get('isthmus-ignored')).toBe(handling === 'honoured' ? null : 'tools.1, tools.2');
      expect((await gateway.health()).processes.held).toBeGreaterThan(0);
    },
  );

  test('an Anthropic-defined tool is called, and its result continues the turn', QUICK, async () => {
    const bash = { type: 'bash_20250124', name: 'bash' };
    expect(bash.type).toMatch(ANTHROPIC_CLIENT_TOOL);
    model.use([
      { when: { has_tool_result: true }, replies: [{ content: [{ type: 'text', text: 'done' }] }] },
      { replies: [{ content: [{ type: 'tool_use', name: 'bash', input: { command: 'ls' } }] }] },
    ]);
    const called = await ask({ tools: [bash] });
    const messages = [user('hi'), { role: 'assistant', content: called.content }, resultFor(called.content)];
    const answer = await ask({ tools: [bash], messages });
    expect(answer.path).toBe('continue');
    expect(answer.content).toMatchObject([{ text: 'done' }]);
  });
});

describe('content', () => {
  const png = { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' };
  const call = { type: 'tool_use', id: 'toolu_x', name: 'read', input: { b: 1, a: [2] } };
  const said: Block = { type: 'text', text: 'b' };
  const mcpCall: Block = { type: 'mcp_tool_use', id: 'mcptoolu_1', name: 'x', server_name: 's', input: {} };
  const served = (type: string, content: unknown): Block[] => [
    { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'q' } },
    { type, tool_use_id: 'srvtoolu_1', content },
  ];
  const history = (assistant: Block[], ...rest: Block[]): WireMessage[] => [
    user('a'),
    { role: 'assistant', content: assistant },
    user([...rest, { type: 'text', text: 'c' }]),
  ];
  const examples: Record<
    keyof typeof CONTENT,
    { messages: WireMessage[]; system?: Block[]; tools?: object[]; field?: string }
  > = {
    text: { messages: [user('one'), user([{ type: 'text', text: 'two \u{1f600}' }])] },
    image: { messages: [user([{ type: 'image', source: png }])] },
    document: {
      messages: [user([{ type: 'document', source: { ...png, media_type: 'application/pdf' }, title: 't' }])],
    },
    search_result: {
      messages: [user([{ type: 'search_result', source: 's', title: 't', content: [{ type: 'text', text: 'x' }] }])],
    },
    tool_use: { messages: history([call], { type: 'tool_result', tool_use_id: 'toolu_x', content: 'r' }) },
    tool_result: {
      messages: history([call], {
        type: 'tool_result',
        tool_use_id: 'toolu_x',
        content: [
          { type: 'image', source: png },
          { type: 'text', text: 'x' },
        ],
      }),
    },
    thinking: { messages: history([{ type: 'thinking', thinking: 'hm', signature: 's+/=' }, said]) },
    // In words of its own: a live process keeps its thinking before equal ones.
    redacted_thinking: {
      messages: history([
        { type: 'redacted_thinking', data: 'd' },
        { type: 'text', text: 'd' },
      ]),
    },
    server_tool_use: { messages: history([...served('web_search_tool_result', []), said]) },
    web_search_tool_result: {
      messages: history([
        ...served('web_search_tool_result', [{ type: 'web_search_result', url: 'u', page_age: null }]),
        { ...said, citations: [{ type: 'web_search_result_location', url: 'u', title: null }] },
      ]),
    },
    web_fetch_tool_result: { messages: history([...served('web_fetch_tool_result', { url: 'u' }), said]) },
    code_execution_tool_result: { messages: history([...served('code_execution_tool_result', { stdout: '' }), said]) },
    bash_code_execution_tool_result: {
      messages: history([...served('bash_code_execution_tool_result', { stdout: '' }), said]),
    },
    text_editor_code_execution_tool_result: {
      messages: history([...served('text_editor_code_execution_tool_result', { lines: null }), said]),
    },
    tool_search_tool_result: { messages: history([...served('tool_search_tool_result', { a: [] }), said]) },
    mcp_tool_use: { messages: history([mcpCall, { type: 'mcp_tool_result', tool_use_id: 'mcptoolu_1' }, said]) },
    mcp_tool_result: {
      messages: history([
        mcpCall,
        { type: 'mcp_tool_result', tool_use_id: 'mcptoolu_1', is_error: false, content: [said] },
        said,
      ]),
    },
    'block of a kind that is not listed': {
      messages: [
        user([{ type: 'future_question', a: { b: null } }]),
        { role: 'assistant', content: [{ type: 'future_answer', id: 'x', c: null }, said] },
        user('c'),
      ],
    },
    compaction: {
      messages: history([{ type: 'compaction', content: 'all of it' }, said]),
      field: 'messages.1.content.0.type',
    },
    container_upload: {
      messages: [user([{ type: 'container_upload', file_id: 'f' }])],
      field: 'messages.0.content.0.type',
    },
    'message with `role: "system"`': {
      messages: [user('a'), { role: 'system', content: 'be brief' }],
      field: 'messages.1',
    },
    'what stands behind a tool_use in an assistant’s message': {
      messages: history([call, said], { type: 'tool_result', tool_use_id: 'toolu_x', content: 'r' }),
      field: 'messages.1',
    },
    'tool_reference in a tool_result': {
      messages: history([call], {
        type: 'tool_result',
        tool_use_id: 'toolu_x',
        content: [{ type: 'tool_reference', tool_name: 'read' }],
      }),
      field: 'messages.2.content.0',
    },
    '`output_config.effort` of a message with `role: "system"`': {
      messages: [user('a'), { role: 'system', content: [], output_config: { effort: 'low' } } as WireMessage],
      field: 'messages.1',
    },
    'tool_addition, tool_removal in a message with `role: "system"`': {
      messages: [
        user('a'),
        {
          role: 'system',
          content: ['tool_removal', 'tool_addition'].map((type) => ({
            type,
            tool: { type: 'tool_reference', name: 'read' },
          })),
        },
      ],
      tools: [READ],
      field: 'messages.1',
    },
    'other fields of a message but `role` and `content`': {
      messages: [{ ...user('a'), output_config: { effort: 'low' } } as WireMessage],
      field: 'messages.0.output_config',
    },
    'other fields of a tool_use but `id`, `name` and `input`': {
      messages: history([{ ...call, caller: { type: 'direct' } }], {
        type: 'tool_result',
        tool_use_id: 'toolu_x',
        content: 'r',
      }),
      field: 'messages.1.content.0.caller',
    },
    'citations of an assistant’s text': {
      messages: history([{ type: 'text', text: 'b', citations: [{ type: 'char_location' }] }]),
      field: 'messages.1.content.0.citations',
    },
    'other fields of an assistant’s text': {
      messages: history([{ ...said, parsed_output: { a: 1 } }]),
      field: 'messages.1.content.0.parsed_output',
    },
    'blank text of an assistant': {
      messages: history([{ type: 'text', text: '\n\n' }, said]),
      field: 'messages.1.content.0',
    },
    'server_tool_use, mcp_tool_use without a result in the same message': {
      messages: history([mcpCall, said]),
      field: 'messages.1.content.0',
    },
    'fallback, advisor_tool_result and the call of the advisor, of an assistant': {
      messages: history([{ type: 'fallback' }, said]),
      field: 'messages.1.content.0',
    },
    'assistant message of thinking alone, of nothing, or of `(no content)`': {
      messages: history([{ type: 'text', text: '(no content)' }]),
      field: 'messages.1',
    },
    'system block `x-anthropic-billing-header:`': {
      messages: [user('a')],
      system: [{ type: 'text', text: 'x-anthropic-billing-header: cc_version=1' }],
    },
    'system block that is only a line in which Claude Code or the Agent SDK says what it is': {
      messages: [user('a')],
      system: [{ type: 'text', text: "You are Claude Code, Anthropic's official CLI for Claude." }],
    },
  };

  /** Whatever the way to the model: over the processes of the rows before, and over a new one. */
  const rows = Object.entries(CONTENT).flatMap(([what, { handling }]) =>
    ['a used process', 'a new process'].map((way) => [what, way, handling] as const),
  );
  /** Of a user, of an assistant, of a result, of no list, and what is converted. */
  const EVERYDAY_BY_A_NEW_PROCESS: string[] = [
    'document',
    'thinking',
    'tool_result',
    'block of a kind that is not listed',
    'message with `role: "system"`',
  ];

  testParts('kindsOfContent', rows, {
    isEveryday: ([what, way]) => way === 'a used process' || EVERYDAY_BY_A_NEW_PROCESS.includes(what),
  })('%s, by %s', async (what, way, handling) => {
    const { field, ...request } = examples[what as keyof typeof CONTENT];
    const declared = { ignored: 'isthmus-ignored', converted: 'isthmus-converted' }[handling as string] ?? 'none';
    const answer = await ask(request, {}, way === 'a new process' ? cold : gateway);
    expect(answer.status).toBe(handling === 'refused' ? 400 : 200);
    if (handling === 'refused') expect(answer.error?.message).toMatch(new RegExp(`^${field}: `));
    for (const header of ['isthmus-ignored', 'isthmus-converted']) {
      expect(answer.headers.get(header)).toBe(header === declared ? field : null);
    }
    if (handling === 'honoured') {
      expect(asTheModelSees(newest().messages as WireMessage[], { withThinking: true })).toEqual(
        asTheModelSees(request.messages, { withThinking: true }),
      );
    }
  });

  test('a block of a kind that nobody knows passes within a result, live and by replay', {
    tags: ['soak'],
  }, async () => {
    model.use([
      { when: { has_tool_result: true }, replies: [{ content: [{ type: 'text', text: 'done' }] }] },
      { replies: [CALL] },
    ]);
    const tools = [READ];
    const first = [user('please read')];
    const { content } = await ask({ tools, messages: first });
    const unknown = { type: 'future_finding', a: { b: null }, text: 'x' };
    const result = { type: 'tool_result', tool_use_id: String(content.at(-1)?.id), content: [unknown, said] };
    const messages = [...first, { role: 'assistant', content }, user([result])];
    for (const asked of [gateway, cold]) {
      const answer = await ask({ tools, messages }, { 'isthmus-strict': '1' }, asked);
      expect(answer.status).toBe(200);
      expect(asTheModelSees(newest().messages as WireMessage[], { withThinking: true })).toEqual(
        asTheModelSees(messages, { withThinking: true }),
      );
    }
  });

  test('the effort of a system message is the request’s own, on a live process too', QUICK, async () => {
    const level = (effort: string) => ({ role: 'system', content: [], output_config: { effort } }) as WireMessage;
    const request = { model: 'claude-opus-5-5', output_config: { effort: 'high' } };
    const first = [user('a'), level('medium')];
    const { content } = await ask({ ...request, messages: first });
    expect(newest().output_config).toEqual({ effort: 'medium' });
    const messages = [...first, { role: 'assistant', content }, user('b'), level('low')];
    const { path } = await ask({ ...request, messages });
    expect([path, newest().output_config]).toEqual(['continue', { effort: 'low' }]);
  });
});

test('betas pass but for those of the list, Claude Code’s own are there anyway', QUICK, async () => {
  const passed = [...Object.keys(BETAS), 'invented-2027-01-01'];
  const own = Object.keys(OWN_BETAS);
  const withheld = Object.keys(WITHHELD_BETAS).map((beginning) => `${beginning}2026-02-01`);
  const answer = await ask({}, { 'anthropic-beta': [...passed, ...own, ...withheld.slice(0, 2)].join(', ') });
  expect(answer.headers.get('isthmus-ignored')).toBe(
    withheld
      .slice(0, 2)
      .map((beta) => `anthropic-beta:${beta}`)
      .join(', '),
  );
  expect(answer.headers.get('isthmus-passed')).toBe('anthropic-beta:invented-2027-01-01');
  const seen = betasSeen();
  expect([...new Set(seen)]).toHaveLength(seen.length);
  expect([...passed, ...own].filter((beta) => !seen.includes(beta))).toEqual([]);
  await ask({ betas: withheld, messages: [user('other')] });
  expect(withheld.filter((beta) => betasSeen().includes(beta))).toEqual([]);
});

test('the beta of the long context gives it, as the suffix of the model’s name does', async () => {
  const named = await ask({ model: 'claude-sonnet-4-5[1m]' });
  const asked = await ask({ model: 'claude-sonnet-4-5' }, { 'anthropic-beta': LONG_CONTEXT.beta });
  for (const { headers } of [named, asked]) expect(headers.get('isthmus-ignored')).toBeNull();
  for (const { headers, body } of model.requests) {
    expect(body.model).toBe('claude-sonnet-4-5');
    expect(String(headers['anthropic-beta']).split(',')).toContain(LONG_CONTEXT.beta);
  }
  expect(model.requests).toHaveLength(2);
});

test('a field and its beta reach the model together', async () => {
  const betas = 'dangerous-tool-use-2026-09-03,task-budgets-2026-03-13';
  const fields = {
    safeguards: [{ type: 'dangerous_tool_use' }],
    output_config: { task_budget: { type: 'tokens', total: 64_000 } },
  };
  const answer = await ask({ model: 'claude-opus-4-7', ...fields }, { 'anthropic-beta': betas });
  expect(answer.headers.get('isthmus-ignored')).toBeNull();
  expect(newest()).toMatchObject(fields);
  expect(betasSeen()).toEqual(expect.arrayContaining(betas.split(',')));
});

describe.each([true, false])('safeguard_results, with stream: %s', (stream) => {
  testParts('safeguards', ['tool_use', 'text'] as const, {
    isQuick: (type) => type === 'tool_use' && stream,
    isEveryday: (type) => type === 'text' && !stream,
  })('come back beside a %s as the API sends them, on every path', async (type) => {
    const safeguard_results = [
      { type: 'dangerous_tool_use', status: { type: 'available', tool_uses: { toolu_1: { outcome: 'flagged' } } } },
    ];
    const content = type === 'text' ? [{ type, text: 'done' }] : CALL.content;
    model.use([{ replies: [{ content, delta: { safeguard_results } }] }]);
    const request = { stream, tools: [READ], safeguards: [{ type: 'dangerous_tool_use' }] };
    const paths: Array<string | null> = [];
    let messages = [user('hi')];
    let asked: WireMessage[] = [];
    for (const path of ['start', 'continue', 'rewind', 'replay']) {
      // What is rewound was edited in its newest message.
      if (path === 'rewind') messages = [...asked.slice(0, -1), edited(asked.at(-1) as WireMessage)];
      asked = messages;
      const { url } = path === 'replay' ? cold : gateway;
      const response = await fetch(`${url}/v1/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'anthropic-beta': 'dangerous-tool-use-2026-09-03' },
        body: JSON.stringify({ model: 'claude-sonnet-5-5', max_tokens: 100, messages, ...request }),
      });
      paths.push(response.headers.get('isthmus-path'));
      const text = await response.text();
      const event = stream ? /^data: (.*"message_delta".*)$/m.exec(text)?.[1] : text;
      const said = JSON.parse(String(event));
      expect((stream ? said.delta : said).safeguard_results).toEqual(safeguard_results);
      const answered: Block[] = stream ? blocksOf(text) : said.content;
      const reply = type === 'text' ? user('more') : resultFor(answered);
      messages = [...messages, { role: 'assistant', content: answered }, reply];
    }
    expect(paths).toEqual(['start', 'continue', 'rewind', 'replay']);
  });

  function edited({ content }: WireMessage): WireMessage {
    if (typeof content === 'string') return user(`no, ${content}`);
    return user(content.map((block) => ({ ...block, content: 'edited' })));
  }
});

test('an API that does not know safeguards is heard, so that Claude Code goes on without', async () => {
  const message = 'safeguards: Extra inputs are not permitted';
  model.use([{ replies: [{ error: { status: 400, type: 'invalid_request_error', message } }] }]);
  const answer = await ask(
    { safeguards: [{ type: 'dangerous_tool_use' }] },
    { 'anthropic-beta': 'dangerous-tool-use-2026-09-03' },
  );
  expect(answer.status).toBe(400);
  expect(answer.error).toMatchObject({ type: 'invalid_request_error', message });
  expect(model.requests).toHaveLength(1);
});

/** The betas of the newest model call. */
function betasSeen(): string[] {
  return String(model.requests.at(-1)?.headers['anthropic-beta']).split(',');
}

test('other betas mean a replay, as a process keeps its own', async () => {
  const first = await ask({ betas: ['pdfs-2024-09-25'] });
  const messages = [user('hi'), { role: 'assistant', content: first.content }, user('more')];
  const second = await ask({ messages, betas: ['output-128k-2025-02-19'] });
  expect(second.path).toBe('replay');
  expect(second.headers.get('isthmus-replay-reason')).toBe('the betas have changed');
  expect(model.requests[1]?.headers['anthropic-beta']).not.toContain('pdfs');
});

test('GET /v1/capabilities is the contract', QUICK, async () => {
  const response = await fetch(`${gateway.url}/v1/capabilities`);
  expect(await response.json()).toEqual({
    ...CONTRACT,
    dialects: { 'openai-chat': CHAT_CONTRACT, 'openai-responses': RESPONSES_CONTRACT },
    errors: FAILURE_FACTS,
  });
  expect(Object.keys(HEADERS.answer)).toContain('isthmus-path');
});

test('--strict is for every request', async () => {
  const strict = await startGateway(model.url, ['--spares', '0', '--strict']);
  const response = await fetch(`${strict.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', max_tokens: 1, messages: [user('hi')], service_tier: 'auto' }),
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { details: { error_code: 'field_ignored' } } });
  await strict.stop();
});
