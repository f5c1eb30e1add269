import { describe, expect, test } from 'vitest';
import { answer, eventsOf, USAGE } from '../../../test/support/answer-events.ts';
import { failure } from '../../spec/failures.ts';
import type { ContentBlock, JsonObject } from '../../spec/messages.ts';
import type { TurnEvent } from '../../spec/turn-events.ts';
import { ChatStreamEncoder, wholeChatEncoder } from './encode-chat.ts';
import { openAiChat } from './openai-chat.ts';

const ABOUT = {
  id: 'chatcmpl-1',
  created: 7,
  model: 'asked',
  customTools: new Set(['patch']),
  includesUsage: true,
  isOfAgent: false,
};
const OPENAI_USAGE = {
  prompt_tokens: 15,
  completion_tokens: 11,
  total_tokens: 26,
  prompt_tokens_details: { cached_tokens: 7, cache_write_tokens: 3 },
  completion_tokens_details: { reasoning_tokens: 0 },
};

function chunksOf(events: readonly TurnEvent[], about = ABOUT): JsonObject[] {
  const encoder = new ChatStreamEncoder(about);
  const frames = events
    .map((event) => encoder.encode(event))
    .join('')
    .split('\n\n')
    .slice(0, -1);
  expect(frames.every((frame) => frame.startsWith('data: '))).toBe(true);
  return frames.map((frame) => (frame === 'data: [DONE]' ? { done: true } : JSON.parse(frame.slice(6))));
}

const deltasOf = (chunks: readonly JsonObject[]) =>
  chunks.flatMap(({ choices }) =>
    ((choices ?? []) as JsonObject[]).map(({ delta, finish_reason }) => [delta, finish_reason]),
  );

const call = (id: string, name: string, deltas: string[], input: JsonObject = {}) => ({
  type: 'tool_use',
  id,
  name,
  input,
  deltas,
});

test('the texts of an agent are paragraphs, streamed and whole', () => {
  const words = ['I look.', '', '→ Read a', 'So it is.\n', 'Done.', ''];
  const given = answer(words.map((text) => ({ type: 'text', text })));
  const ofAgent = { ...ABOUT, isOfAgent: true };
  const shown = 'I look.\n\n→ Read a\n\nSo it is.\nDone.';
  const deltas = deltasOf(chunksOf(eventsOf(given), ofAgent)).map(([delta]) => (delta as JsonObject).content ?? '');
  expect(deltas.join('')).toBe(shown);
  const whole = JSON.parse(wholeChatEncoder(ofAgent).encode({ type: 'message_stop', answer: given }));
  expect(whole.choices[0].message.content).toBe(shown);
});

test('a stream of text and calls, with its usage and its end', () => {
  const content = [
    { type: 'text', text: 'Let me ' },
    call('toolu_01A', 'read', ['', '{"pa', 'th":"a"}']),
    call('toolu_01B', 'now', []),
  ];
  const chunks = chunksOf(eventsOf(answer(content, 'tool_use')));
  const begun = (index: number, id: string, name: string) => ({
    tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }],
  });
  const more = (index: number, args: string) => ({ tool_calls: [{ index, function: { arguments: args } }] });
  expect(deltasOf(chunks)).toEqual([
    [{ role: 'assistant', content: '' }, null],
    [{ content: 'Let me ' }, null],
    [begun(0, 'call_toolu_01A', 'read'), null],
    [more(0, '{"pa'), null],
    [more(0, 'th":"a"}'), null],
    [begun(1, 'call_toolu_01B', 'now'), null],
    [more(1, '{}'), null],
    [{}, 'tool_calls'],
  ]);
  const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 7, model: 'answered' };
  for (const chunk of chunks.slice(0, -1)) expect(chunk).toMatchObject(head);
  expect(chunks.slice(-2)).toEqual([{ ...head, choices: [], usage: OPENAI_USAGE }, { done: true }]);
});

test('tokens of thinking are told where the model’s API tells them', () => {
  const usage = { ...USAGE, output_tokens_details: { thinking_tokens: 4 } };
  const whole = wholeChatEncoder(ABOUT).encode({ type: 'message_stop', answer: answer([], 'end_turn', { usage }) });
  expect(JSON.parse(whole).usage).toEqual({ ...OPENAI_USAGE, completion_tokens_details: { reasoning_tokens: 4 } });
});

test('no usage unless it is asked for', () => {
  const chunks = chunksOf(eventsOf(answer([{ type: 'text', text: 'a' }])), { ...ABOUT, includesUsage: false });
  expect(chunks.some(({ usage }) => usage !== undefined)).toBe(false);
  expect(chunks.at(-1)).toEqual({ done: true });
});

test('thinking is told as it comes, and its signed details at its end', () => {
  const content = [
    { type: 'thinking', thinking: 'hm', signature: 's' },
    { type: 'redacted_thinking', data: 'd' },
    { type: 'text', text: 'a' },
  ];
  const format = 'anthropic-claude-v1';
  const details = [
    { type: 'reasoning.text', text: 'hm', signature: 's', format, index: 0 },
    { type: 'reasoning.encrypted', data: 'd', format, index: 1 },
  ];
  expect(deltasOf(chunksOf(eventsOf(answer(content)))).slice(1, -2)).toEqual([
    [{ reasoning_content: 'hm' }, null],
    [{ reasoning_details: [details[0]] }, null],
    [{ reasoning_details: [details[1]] }, null],
  ]);
  const whole = JSON.parse(wholeChatEncoder(ABOUT).encode({ type: 'message_stop', answer: answer(content) }));
  expect(whole.choices[0].message).toMatchObject({ content: 'a', reasoning_content: 'hm', reasoning_details: details });
});

test('what a block has from its start is told, too', () => {
  const start = (index: number, content_block: ContentBlock): TurnEvent[] => [
    { type: 'content_block_start', index, content_block },
    { type: 'content_block_stop', index },
  ];
  const chunks = chunksOf([
    ...start(0, { type: 'thinking', thinking: 'hm', signature: 's' }),
    ...start(1, { type: 'text', text: 'Whole.' }),
    ...start(2, { type: 'tool_use', id: 'toolu_1', name: 'read', input: { path: 'a' } }),
    { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: {} },
  ]);
  expect(chunks.flatMap(({ choices }) => (choices as JsonObject[]).map(({ delta }) => delta))).toMatchObject([
    { reasoning_content: 'hm' },
    { reasoning_details: [{ text: 'hm', signature: 's' }] },
    { content: 'Whole.' },
    { tool_calls: [{ index: 0, function: { name: 'read', arguments: '' } }] },
    { tool_calls: [{ index: 0, function: { arguments: '{"path":"a"}' } }] },
  ]);
});

test.each([
  ['that was cut', ['{"input":"*** Be'], {}, '{"input":"*** Be'],
  ['that is no text', ['{"input":5}'], {}, '{"input":5}'],
  ['that comes whole', [], { input: 'x' }, 'x'],
])('the free text of an input %s', (_, deltas, input, expected) => {
  const frames = deltasOf(chunksOf(eventsOf(answer([call('toolu_1', 'patch', deltas, input)], 'tool_use'))));
  expect(frames.at(-2)).toEqual([{ tool_calls: [{ index: 0, custom: { input: expected } }] }, null]);
});

test('a custom tool gets its free text in one piece', () => {
  const content = [call('toolu_1', 'patch', ['{"input":"*** ', 'Begin\\n"}'], { input: '*** Begin\n' })];
  expect(deltasOf(chunksOf(eventsOf(answer(content, 'tool_use')))).slice(1, -1)).toEqual([
    [{ tool_calls: [{ index: 0, id: 'call_toolu_1', type: 'custom', custom: { name: 'patch', input: '' } }] }, null],
    [{ tool_calls: [{ index: 0, custom: { input: '*** Begin\n' } }] }, null],
  ]);
  const whole = JSON.parse(
    wholeChatEncoder(ABOUT).encode({ type: 'message_stop', answer: answer(content, 'tool_use') }),
  );
  expect(whole.choices[0].message.tool_calls).toEqual([
    { id: 'call_toolu_1', type: 'custom', custom: { name: 'patch', input: '*** Begin\n' } },
  ]);
});

test.each([
  ['max_tokens', 'read', ['{"pa'], '{"pa'],
  ['max_tokens', 'read', [], '{'],
  ['max_tokens', 'patch', ['{"input":"rm -r'], '{"input":"rm -r'],
  ['max_tokens', 'patch', [], '{'],
  ['refusal', 'read', ['{"pa'], '{"pa'],
])('a call that %s cuts in %s after %j is no call that a client could run', (stop_reason, name, deltas, text) => {
  const cut = answer([call('toolu_1', name, []), call('toolu_2', name, deltas)], stop_reason);
  const said = (calls: unknown) =>
    (calls as JsonObject[]).map(({ function: called, custom }) => {
      const { arguments: args, input } = (called ?? custom) as JsonObject;
      return args ?? input;
    });
  const whole = wholeChatEncoder(ABOUT);
  const body = eventsOf(cut).map((event) => whole.encode(event));
  expect(said(JSON.parse(body.join('')).choices[0].message.tool_calls)).toEqual(['{}', text]);
  const streamed = deltasOf(chunksOf(eventsOf(cut))).flatMap(([delta]) => (delta as JsonObject).tool_calls ?? []);
  const of = (index: number) => said(streamed.filter((one) => (one as JsonObject).index === index)).join('');
  expect([of(0), of(1)]).toEqual(['{}', text]);
});

test('of an answer that fails behind a call without any input that call gets none', () => {
  const events = eventsOf(answer([call('toolu_1', 'read', [])], 'tool_use')).slice(0, 3);
  expect(events.at(-1)?.type).toBe('content_block_stop');
  const chunks = chunksOf([...events, { type: 'failure', failure: failure('upstream_cut', { how: 'stream' }) }]);
  expect(JSON.stringify(chunks)).not.toContain('{}');
});

describe('why an answer ends', () => {
  const text = [{ type: 'text', text: 'a' }];
  test.each<[string, ContentBlock[], string]>([
    ['end_turn', text, 'stop'],
    ['stop_sequence', text, 'stop'],
    ['max_tokens', text, 'length'],
    ['model_context_window_exceeded', text, 'length'],
    ['refusal', [], 'content_filter'],
    ['tool_use', [call('toolu_1', 'a', [])], 'tool_calls'],
    ['tool_use', text, 'stop'],
    ['end_turn', [call('toolu_1', 'a', [])], 'tool_calls'],
  ])('%s', (stop_reason, content, finish) => {
    const message = answer(content, stop_reason);
    expect(deltasOf(chunksOf(eventsOf(message))).at(-1)?.[1]).toBe(finish);
    const whole = JSON.parse(wholeChatEncoder(ABOUT).encode({ type: 'message_stop', answer: message }));
    expect(whole.choices[0].finish_reason).toBe(finish);
  });

  test('the words of a refusal', () => {
    const message = answer([], 'refusal', { stop_details: { explanation: 'Not this.' } });
    expect(deltasOf(chunksOf(eventsOf(message))).at(-1)).toEqual([{ refusal: 'Not this.' }, 'content_filter']);
    const whole = JSON.parse(wholeChatEncoder(ABOUT).encode({ type: 'message_stop', answer: message }));
    expect(whole.choices[0].message).toEqual({ role: 'assistant', content: null, refusal: 'Not this.' });
  });
});

test('a whole answer', () => {
  const encoder = wholeChatEncoder(ABOUT);
  const content = [
    { type: 'text', text: 'First. ' },
    call('toolu_1', 'read', [], { path: 'a' }),
    { type: 'text', text: 'Second.' },
  ];
  const events = eventsOf(answer(content, 'tool_use'));
  expect(
    events
      .slice(0, -1)
      .map((event) => encoder.encode(event))
      .join(''),
  ).toBe('');
  expect(JSON.parse(encoder.encode(events.at(-1) as TurnEvent))).toEqual({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 7,
    model: 'answered',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: 'First. Second.',
          refusal: null,
          tool_calls: [{ id: 'call_toolu_1', type: 'function', function: { name: 'read', arguments: '{"path":"a"}' } }],
        },
        logprobs: null,
        finish_reason: 'tool_calls',
      },
    ],
    usage: OPENAI_USAGE,
  });
  expect(encoder.keepAlive()).toBe('');
});

test('in a silence a stream gets a chunk that says nothing', () => {
  const frame = new ChatStreamEncoder(ABOUT).keepAlive();
  expect(JSON.parse(frame.slice(6))).toMatchObject({ id: 'chatcmpl-1', choices: [{ delta: {}, finish_reason: null }] });
});

test('a failure within a stream is its last line', () => {
  const [chunk, ...rest] = chunksOf([{ type: 'failure', failure: failure('upstream_cut', { how: 'stream' }) }]);
  expect(chunk).toEqual({
    error: {
      message: expect.stringContaining('ended before'),
      type: 'server_error',
      param: null,
      code: 'server_error',
    },
  });
  expect(rest).toEqual([]);
});

describe('errors', () => {
  const upstream = (status: number, more: object = {}) =>
    failure('upstream_error', { status, message: 'words', requestId: 'req_up', ...more });
  test.each<[string, ReturnType<typeof failure>, number, object]>([
    [
      'a field',
      failure('bad_request', { path: 'messages.0', problem: 'is wrong' }),
      400,
      { type: 'invalid_request_error', param: 'messages.0', code: null },
    ],
    [
      'strict',
      failure('field_ignored', { ignored: ['seed'] }),
      400,
      { type: 'invalid_request_error', param: 'seed', code: 'unsupported_value' },
    ],
    [
      'what is not here',
      failure('bad_request', { path: 'n', problem: 'is one', isUnsupported: true }),
      400,
      { type: 'invalid_request_error', param: 'n', code: 'unsupported_value' },
    ],
    ['an agent', failure('agent_not_found', { name: 'a' }), 404, { code: 'model_not_found' }],
    [
      'one model of the list',
      failure('model_not_known', { model: 'm', listed: [] }),
      404,
      { code: 'model_not_found', param: 'model' },
    ],
    [
      'a long prompt',
      { ...upstream(400), exceedsContext: true },
      400,
      { code: 'context_length_exceeded', message: 'Your input exceeds the context window of this model: words' },
    ],
    ['a large body', failure('body_too_large', { limit: 1 } as never), 413, { code: 'context_length_exceeded' }],
    ['401', upstream(401), 401, { type: 'authentication_error', code: 'invalid_api_key' }],
    ['413', upstream(413), 413, { code: 'context_length_exceeded', message: expect.stringMatching(/^Your.*words$/) }],
    ['no credit', upstream(400, { isUnpaid: true }), 429, { type: 'insufficient_quota', code: 'insufficient_quota' }],
    ['402', upstream(402), 429, { type: 'insufficient_quota', code: 'insufficient_quota' }],
    ['403', upstream(403), 403, { type: 'permission_error' }],
    ['404 of a model', upstream(404), 404, { type: 'invalid_request_error', code: 'model_not_found' }],
    ['404 of a path', failure('not_found', 'no such path'), 404, { code: 'unknown_url' }],
    [
      'a model of OpenAI',
      failure('model_not_mapped', { model: 'gpt-5', models: [] }),
      404,
      { code: 'model_not_found', param: 'model' },
    ],
    [
      '429',
      upstream(429, { retryAfterSeconds: 7 }),
      429,
      { type: 'rate_limit_error', code: 'rate_limit_exceeded', message: 'words. Please try again in 7s.' },
    ],
    ['500', upstream(500), 500, { type: 'server_error', code: 'server_error' }],
    ['529', upstream(529), 503, { type: 'server_error', code: 'overloaded' }],
  ])('%s', (_, failing, status, error) => {
    const found = openAiChat.encodeError(failing, 'req_own');
    expect(found).toMatchObject({ status, body: { error } });
    expect(found.headers).toEqual({ 'x-request-id': failing.requestId ?? 'req_own' });
  });
});

test('an answer comes back as one text with its calls behind it, their ids as they are then decoded', () => {
  const content = [
    { type: 'text', text: 'First. ' },
    { type: 'thinking', thinking: 'hm', signature: 's' },
    { type: 'tool_use', id: 'toolu_1', name: 'a', input: {} },
    { type: 'text', text: 'Second.' },
    { type: 'tool_use', id: 'odd:2', name: 'a', input: {} },
  ];
  expect(openAiChat.asReturned(answer(content))).toEqual({
    role: 'assistant',
    content: [
      { type: 'text', text: 'First. Second.' },
      { type: 'tool_use', id: 'toolu_1', name: 'a', input: {} },
      { type: 'tool_use', id: expect.stringMatching(/^call_[0-9a-f]{32}$/), name: 'a', input: {} },
    ],
  });
});
