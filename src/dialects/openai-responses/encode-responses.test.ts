import { expect, test } from 'vitest';
import { answer, eventsOf } from '../../../test/support/answer-events.ts';
import { foldResponses } from '../../../test/support/fold-responses.ts';
import { failure } from '../../spec/failures.ts';
import type { AnswerMessage, ContentBlock, JsonObject } from '../../spec/messages.ts';
import type { TurnEvent } from '../../spec/turn-events.ts';
import { ResponsesStreamEncoder, wholeResponseEncoder } from './encode-responses.ts';
import { openAiResponses } from './openai-responses.ts';
import { encryptedThinking } from './reasoning-items.ts';
import { requestEcho } from './request-echo.ts';

const MODEL = 'claude-opus-4-6';
const ABOUT = {
  id: 'resp_1',
  createdAt: 7,
  now: () => 9,
  model: MODEL,
  tools: new Map([
    ['patch', { name: 'patch', isCustom: true }],
    ['functions__exec', { name: 'exec', namespace: 'functions', isCustom: true }],
    ['agents__spawn', { name: 'spawn', namespace: 'agents', isCustom: false }],
  ]),
  echo: requestEcho(
    {
      instructions: 'S',
      tools: [{ type: 'function', name: 'read' }],
      text: {},
      reasoning: { effort: 'high' },
      service_tier: 'flex',
      truncation: 'auto',
      temperature: 2,
      top_p: 0.5,
    },
    { temperature: 1 },
  ),
  keep: () => undefined,
};

function streamOf(events: readonly TurnEvent[], about = ABOUT) {
  const encoder = new ResponsesStreamEncoder(about);
  return foldResponses(events.map((event) => encoder.encode(event)).join(''));
}

const folded = (message: AnswerMessage) => streamOf(eventsOf(message));

const call = (id: string, name: string, deltas: string[], input: JsonObject = {}) => ({
  type: 'tool_use',
  id,
  name,
  input,
  deltas,
});
const message = (index: number, text: string, status = 'completed') => ({
  id: `msg_1_${index}`,
  type: 'message',
  status,
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
});

test('each block is an item, its events in OpenAI’s order, and the end has them all', () => {
  const thoughts = [
    { type: 'thinking', thinking: 'Think.', signature: 'sig' },
    { type: 'thinking', thinking: '', signature: 'sig2' },
  ] as const;
  const { events, items, response } = folded(
    answer(
      [
        thoughts[0],
        { type: 'text', text: 'A' },
        thoughts[1],
        { type: 'text', text: 'B' },
        call('toolu_01A', 'read', ['{"path"', ':"a"}']),
      ],
      'tool_use',
    ),
  );
  const text = (words: string) => [
    'output_item.added message',
    'content_part.added',
    `output_text.delta ${words}`,
    'output_text.done',
    'content_part.done',
    'output_item.done message',
  ];
  expect(events).toEqual([
    'response.created',
    'response.in_progress',
    'output_item.added reasoning',
    'reasoning_summary_part.added',
    'reasoning_summary_text.delta',
    'reasoning_summary_text.done',
    'reasoning_summary_part.done',
    'output_item.done reasoning',
    ...text('A'),
    'output_item.added reasoning',
    'output_item.done reasoning',
    ...text('B'),
    'output_item.added function_call',
    'function_call_arguments.delta',
    'function_call_arguments.delta',
    'function_call_arguments.done',
    'output_item.done function_call',
    'response.completed',
  ]);
  const thought = (index: number, block: ContentBlock, summary: string[]) => ({
    id: `rs_1_${index}`,
    type: 'reasoning',
    summary: summary.map((words) => ({ type: 'summary_text', text: words })),
    encrypted_content: encryptedThinking(MODEL, [block]),
  });
  expect(items).toEqual([
    thought(0, thoughts[0], ['Think.']),
    message(1, 'A'),
    thought(2, thoughts[1], []),
    message(3, 'B'),
    {
      id: 'fc_1_4',
      type: 'function_call',
      status: 'completed',
      call_id: 'call_toolu_01A',
      name: 'read',
      arguments: '{"path":"a"}',
    },
  ]);
  expect(response).toMatchObject({
    id: 'resp_1',
    created_at: 7,
    completed_at: 9,
    model: 'answered',
    error: null,
    incomplete_details: null,
    ...{ service_tier: 'default', truncation: 'disabled', temperature: 1, top_p: 1 },
    instructions: 'S',
    tools: [{ type: 'function', name: 'read', description: null, parameters: null, strict: null }],
    text: { format: { type: 'text' } },
    reasoning: { effort: 'high', summary: null },
    usage: {
      input_tokens: 15,
      input_tokens_details: { cached_tokens: 7, cache_write_tokens: 3 },
      output_tokens: 11,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 26,
    },
  });
});

test('custom tools and namespaces get their own names back, never by splitting', () => {
  const { events, items } = folded(
    answer([
      call('toolu_1', 'functions__exec', ['{"inp', 'ut":"1+1"}']),
      call('toolu_2', 'patch', [], { input: '*** Begin\nnext' }),
      call('toolu_3', 'agents__spawn', ['{}']),
      call('toolu_4', 'other__tool', []),
    ]),
  );
  const free = { type: 'custom_tool_call', status: 'completed' };
  const plain = { type: 'function_call', status: 'completed', arguments: '{}' };
  expect(items.map(({ id: _, ...item }) => item)).toEqual([
    { ...free, call_id: 'call_toolu_1', name: 'exec', namespace: 'functions', input: '1+1' },
    { ...free, call_id: 'call_toolu_2', name: 'patch', input: '*** Begin\nnext' },
    { ...plain, call_id: 'call_toolu_3', name: 'spawn', namespace: 'agents' },
    { ...plain, call_id: 'call_toolu_4', name: 'other__tool' },
  ]);
  expect(events.filter((name) => name.startsWith('custom_tool'))).toEqual([
    'custom_tool_call_input.delta',
    'custom_tool_call_input.done',
    'custom_tool_call_input.delta',
    'custom_tool_call_input.done',
  ]);
});

test.each(['max_tokens', 'model_context_window_exceeded'])('an answer that %s has cut is incomplete', (stop_reason) => {
  const cut = answer([{ type: 'text', text: 'A' }, call('toolu_1', 'read', ['{"pa'])], stop_reason);
  const { items, response } = folded(cut);
  expect(response).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
  expect(items).toMatchObject([{ status: 'completed' }, { status: 'incomplete', arguments: '{"pa' }]);
  const whole = wholeResponseEncoder(ABOUT).encode({
    type: 'message_stop',
    answer: answer([{ type: 'text', text: 'A' }], stop_reason),
  });
  expect(JSON.parse(whole)).toMatchObject({ status: 'incomplete', output: [message(0, 'A', 'incomplete')] });
});

test.each([
  ['max_tokens', 'read', ['{"pa'], '{"pa'],
  ['max_tokens', 'read', [], '{'],
  ['max_tokens', 'free', ['{"input":"rm -r'], '{"input":"rm -r'],
  ['max_tokens', 'free', [], '{'],
  ['refusal', 'read', ['{"pa'], '{"pa'],
])('a call that %s cuts in %s after %j is no call that a client could run', (stop_reason, name, deltas, text) => {
  const cut = answer([call('toolu_1', name, []), call('toolu_2', name, deltas)], stop_reason);
  const about = { ...ABOUT, tools: new Map([['free', { name: 'free', isCustom: true }]]) };
  const said = (items: unknown) =>
    (items as JsonObject[])
      .filter(({ type }) => type !== 'message')
      .map(({ status, arguments: args, input }) => [status, args ?? input]);
  const expected = [
    ['completed', '{}'],
    [stop_reason === 'refusal' ? 'completed' : 'incomplete', text],
  ];
  const encoder = new ResponsesStreamEncoder(about);
  const streamed = foldResponses(
    eventsOf(cut)
      .map((event) => encoder.encode(event))
      .join(''),
  );
  expect(said(streamed.items)).toEqual(expected);
  const whole = wholeResponseEncoder(about);
  expect(
    said(
      JSON.parse(
        eventsOf(cut)
          .map((event) => whole.encode(event))
          .join(''),
      ).output,
    ),
  ).toEqual(expected);
});

test('of an answer that fails behind a call that call is not done', () => {
  const events = eventsOf(answer([call('toolu_1', 'read', ['{}']), call('toolu_2', 'read', [])], 'tool_use'));
  const broken = events.slice(0, events.findLastIndex(({ type }) => type === 'content_block_stop') + 1);
  const { items } = streamOf([...broken, { type: 'failure', failure: cutFailure }]);
  expect(items).toMatchObject([{ call_id: 'call_toolu_1' }]);
});

test.each([
  ['its words', { stop_details: { explanation: 'No.' } }, 'No.'],
  ['words of our own', {}, 'The model refuses to answer.'],
])('a refusal is complete, with %s', (_, more, refusal) => {
  const refused = answer([{ type: 'text', text: 'A' }], 'refusal', more);
  const { events, items, response } = folded(refused);
  expect(events.slice(8)).toEqual([
    'output_item.added message',
    'content_part.added',
    'refusal.delta',
    'refusal.done',
    'content_part.done',
    'output_item.done message',
    'response.completed',
  ]);
  expect(items).toEqual([message(0, 'A'), { ...message(1, ''), content: [{ type: 'refusal', refusal }] }]);
  expect(JSON.parse(wholeResponseEncoder(ABOUT).encode({ type: 'message_stop', answer: refused }))).toEqual(response);
});

const cutFailure = failure('upstream_cut', { how: 'stream' });

test('an answer that breaks off fails, with what was done of it', () => {
  const events = eventsOf(
    answer([
      { type: 'text', text: 'A' },
      { type: 'text', text: 'B' },
    ]),
  );
  const begun = streamOf([...events.slice(0, 6), { type: 'failure', failure: cutFailure }]);
  expect(begun.events.slice(-2)).toEqual(['error', 'response.failed']);
  expect(begun.response).toMatchObject({
    status: 'failed',
    output: [message(0, 'A')],
    error: { code: 'server_error', message: expect.any(String) },
  });
  const early = streamOf([
    { type: 'failure', failure: failure('bad_request', { path: 'input', problem: 'is wrong' }) },
  ]);
  expect(early.events).toEqual(['response.created', 'response.in_progress', 'error', 'response.failed']);
  expect(early.response.error).toEqual({ code: 'invalid_prompt', message: 'input: is wrong' });
  const busy = failure('upstream_error', { status: 429, message: 'slow.', retryAfterSeconds: 7 });
  expect(streamOf([{ type: 'failure', failure: busy }]).response.error).toEqual({
    code: 'rate_limit_exceeded',
    message: 'slow. Please try again in 7s.',
  });
});

test('what the answer repeats of its request is serialised once, and stands in each whole answer alike', () => {
  let times = 0;
  const toJSON = () => {
    times += 1;
    return { instructions: 'Be short.', tools: [] };
  };
  const stream = new ResponsesStreamEncoder({ ...ABOUT, echo: { toJSON } });
  const events = eventsOf(answer([{ type: 'text', text: 'A' }, call('toolu_1', 'read', ['{}'])], 'tool_use'));
  const text = [stream.keepAlive(), stream.keepAlive(), ...events.map((event) => stream.encode(event))].join('');
  expect(text.match(/"instructions":"Be short\.","tools":\[\]\}/g)).toHaveLength(4);
  expect(times).toBe(1);
});

test('in a silence it says at once that it is under way, and again', () => {
  const encoder = new ResponsesStreamEncoder(ABOUT);
  const [start, ...rest] = eventsOf(answer([{ type: 'text', text: 'A' }]));
  const text = [
    encoder.keepAlive(),
    encoder.keepAlive(),
    start && encoder.encode(start),
    encoder.keepAlive(),
    ...rest.map((event) => encoder.encode(event)),
  ];
  expect(foldResponses(text.join('')).events.slice(0, 5)).toEqual([
    'response.created',
    'response.in_progress',
    'response.in_progress',
    'response.in_progress',
    'output_item.added message',
  ]);
  expect(wholeResponseEncoder(ABOUT).keepAlive()).toBe('');
});

test.each(['stream', 'whole'])('the items of an answer are kept when it is complete: %s', (how) => {
  const kept: unknown[] = [];
  const about = { ...ABOUT, keep: (items: readonly JsonObject[]) => kept.push(...items) };
  const encoder = how === 'stream' ? new ResponsesStreamEncoder(about) : wholeResponseEncoder(about);
  const events = eventsOf(answer([{ type: 'text', text: 'A' }]));
  for (const event of events.slice(0, -1)) encoder.encode(event);
  expect(kept).toEqual([]);
  for (const event of events.slice(-1)) encoder.encode(event);
  expect(kept).toEqual([message(0, 'A')]);
});

test('what an agent did is in the last event', () => {
  const hidden = {
    steps: { steps: [{ tool: 'Bash', about: 'ls', isError: false }], changedFiles: ['a'] },
    expansion: new Promise<never>(() => undefined),
    isKept: true,
  };
  const [last] = eventsOf(answer([])).slice(-1) as [Extract<TurnEvent, { type: 'message_stop' }>];
  const { response } = streamOf(
    [{ ...last, hidden }].flatMap((event) => [...eventsOf(answer([])).slice(0, -1), event]),
  );
  expect(response.isthmus_agent).toMatchObject({ steps: [{ tool: 'Bash' }], changed_files: ['a'], kept: true });
});

test('an answer comes back item for item, the ids of its calls as they are then decoded', () => {
  const thought = { type: 'thinking', thinking: 'hm', signature: 's' };
  const content = [
    { type: 'text', text: 'First.', citations: [{ type: 'web_search_result_location' }] },
    thought,
    { type: 'text', text: '' },
    { type: 'web_search_tool_result', content: [] },
    { type: 'redacted_thinking', data: 'd' },
    { type: 'tool_use', id: 'toolu_1', name: 'a', input: {}, caller: { type: 'direct' } },
    { type: 'tool_use', id: 'odd:2', name: 'a', input: {} },
  ];
  expect(openAiResponses.asReturned(answer(content))).toEqual({
    role: 'assistant',
    content: [
      { type: 'text', text: 'First.' },
      thought,
      { type: 'redacted_thinking', data: 'd' },
      { type: 'tool_use', id: 'toolu_1', name: 'a', input: {} },
      { type: 'tool_use', id: expect.stringMatching(/^call_[0-9a-f]{32}$/), name: 'a', input: {} },
    ],
  });
});

test('what is not kept is OpenAI’s own error', () => {
  const gone = (path: string) =>
    openAiResponses.encodeError(failure('not_kept', { path, what: `Item with id 'x'` }), 'req_1');
  expect(gone('previous_response_id')).toMatchObject({
    status: 400,
    body: {
      error: { type: 'invalid_request_error', code: 'previous_response_not_found', param: 'previous_response_id' },
    },
  });
  expect(gone('input.1.id').body.error).toMatchObject({ code: null, param: 'input.1.id' });
});
