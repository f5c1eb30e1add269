import { readFileSync } from 'node:fs';
import type { SDKMessage, SessionStoreEntry } from '@anthropic-ai/claude-agent-sdk';
import { describe, expect, test } from 'vitest';
import type { Recording } from '../../../test/sdk-recordings/recording.ts';
import { SCENARIOS, type Scenario } from '../../../test/sdk-recordings/scenarios.ts';
import { plainAgent } from '../../../test/support/agents.ts';
import { failure } from '../../spec/failures.ts';
import { agentAnswers } from '../agents/agent-turn.ts';
import { ToolNames } from '../parameters/tool-names.ts';
import { oneAnswer } from './answer-strategy.ts';
import { MessageReader, type Reading } from './message-reader.ts';

/** The reader over what the real SDK was recorded to send; `test/sdk-recordings` holds that it still does. */

type Name = keyof typeof SCENARIOS;

/** Unix time in milliseconds. */
const NOW = 1_800_000_000_000;

function recorded(name: Name): Recording {
  const file = new URL(`../../../test/sdk-recordings/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8'));
}

interface Given {
  failsAtFirstRetry?: boolean;
  /** When the transcript's entries come: as soon as there is a turn, behind all messages, or not at all. */
  words?: 'before' | 'behind' | 'never';
}

function readerFor(name: Name, { failsAtFirstRetry = true }: Given = {}) {
  const { first, agent }: Scenario = SCENARIOS[name];
  const { tools } = first;
  const names = new ToolNames(tools);
  return new MessageReader({
    names,
    declaredTools: new Set(tools.map((tool) => names.toModel(tool.name))),
    failsAtFirstRetry,
    strategy: agent ? agentAnswers(plainAgent(agent), new Set()) : oneAnswer,
    now: () => NOW,
  });
}

/** The readings of each turn of a recording. As in a process, nothing is read behind an `end`. */
function read(name: Name, given: Given = {}): Reading[][] {
  const { messages, heard } = recorded(name);
  const reader = readerFor(name, given);
  const turns: Reading[][] = [];
  const take = (readings: Reading[]) => {
    const turn = turns.at(-1);
    if (turn && !turn.some(({ type }) => type === 'end')) turn.push(...readings);
  };
  for (const message of messages) {
    if (message.type === 'turn') {
      turns.push([]);
      reader.open(0);
      if (given.words === 'before') take(reader.hear(heard as SessionStoreEntry[]));
    } else take(reader.read(message as unknown as SDKMessage, 0));
  }
  if ((given.words ?? 'never') === 'never') take(reader.waited());
  if (given.words === 'behind') take(reader.hear(heard as SessionStoreEntry[]));
  return turns;
}

/** The last event of each turn. */
function ends(turns: Reading[][]) {
  return turns.map((turn) => {
    const terminal = turn.flatMap((reading) =>
      reading.type === 'event' && (reading.event.type === 'message_stop' || reading.event.type === 'failure')
        ? [reading.event]
        : [],
    );
    expect(terminal.length).toBeLessThanOrEqual(1);
    return terminal[0];
  });
}

const types = (turn: Reading[]) =>
  turn.map((reading) => (reading.type === 'event' ? reading.event.type : reading.type));
const hasEnded = (turn: Reading[] | undefined) => turn?.some(({ type }) => type === 'end');

test('what an early `message_delta` says goes with the last one, to streams and to the whole answer', () => {
  const reader = readerFor('two-turns');
  const results = [{ type: 'dangerous_tool_use', status: { type: 'available', tool_uses: {} } }];
  const isDelta = (message: { type: string; event?: { type?: string } }) => message.event?.type === 'message_delta';
  const messages = recorded('two-turns').messages as unknown as SDKMessage[];
  const at = messages.findIndex(isDelta as (message: SDKMessage) => boolean);
  const early = structuredClone(messages[at]) as unknown as { event: { delta: unknown } };
  early.event.delta = { stop_reason: null, stop_sequence: null, safeguard_results: results };
  messages.splice(at, 0, early as unknown as SDKMessage);
  reader.open(0);
  const events = messages
    .slice(messages.findIndex(({ type }) => type !== ('turn' as string)))
    .flatMap((message) => reader.read(message, 0))
    .flatMap((reading) => (reading.type === 'event' ? [reading.event] : []));
  const deltas = events.filter(({ type }) => type === 'message_delta');
  expect(deltas).toMatchObject([{ delta: { stop_reason: 'end_turn', safeguard_results: results } }]);
  expect(events.find(({ type }) => type === 'message_stop')).toMatchObject({ answer: { safeguard_results: results } });
});

describe('answers', () => {
  test('a text is relayed event for event, and its process settles', () => {
    const [first, second] = read('two-turns');
    const events = [
      'spawned',
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
      'settled',
    ];
    expect(types(first ?? [])).toEqual(events);
    expect(types(second ?? [])).toEqual(events);
    expect(ends(read('two-turns'))).toMatchObject([
      { answer: { content: [{ type: 'text', text: 'All is well.' }], stop_reason: 'end_turn' } },
      { answer: { content: [{ type: 'text', text: 'All is well.' }] } },
    ]);
  });

  test('thinking keeps its signature', () => {
    expect(ends(read('thinking-and-text'))).toMatchObject([
      { answer: { content: [{ type: 'thinking', thinking: 'Let me see.', signature: 'sig-11' }, { type: 'text' }] } },
    ]);
  });

  test('each answer of a tool loop is a turn, and says which calls wait', () => {
    const { messages } = recorded('tool-loop');
    const reader = readerFor('tool-loop');
    const held: unknown[] = [];
    for (const message of messages) {
      if (message.type === 'turn') reader.open(0);
      else {
        const readings = reader.read(message as unknown as SDKMessage, 0);
        if (types(readings).includes('message_stop')) held.push(reader.heldIds);
      }
    }
    expect(held).toEqual([['toolu_1'], ['toolu_2', 'toolu_3'], []]);
    reader.open(0);
    expect(reader.heldIds).toBeUndefined();
    expect(ends(read('tool-loop')).map((end) => end?.type)).toEqual(['message_stop', 'message_stop', 'message_stop']);
  });

  test('a reserved name is the client’s own again, in the events and in the fold', () => {
    const [turn] = read('reserved-tool-name');
    expect(JSON.stringify(turn)).not.toContain('ToolSearch_');
    expect(ends([turn ?? []])).toMatchObject([{ answer: { content: [{ name: 'ToolSearch' }] } }]);
  });

  test.each<[Name, string]>([
    ['ended-by-max-tokens', 'max_tokens'],
    ['refusal', 'refusal'],
    ['empty-answer', 'end_turn'],
    ['undeclared-tool', 'tool_use'],
    ['input-is-no-json', 'tool_use'],
  ])('%s is complete, and its process ends before it asks the model again', (name, stop_reason) => {
    const turns = read(name);
    expect(ends(turns)).toMatchObject([{ type: 'message_stop', answer: { stop_reason } }]);
    expect(types(turns[0] ?? []).slice(-3)).toEqual(['message_delta', 'message_stop', 'end']);
  });

  test('a call whose input is no JSON cannot be folded', () => {
    expect(ends(read('input-is-no-json'))).toMatchObject([{ unfoldable: { code: 'upstream_cut' } }]);
    expect(ends(read('tool-loop'))[0]).not.toHaveProperty('unfoldable');
  });

  test('an answer goes on from the assistant’s last words', () => {
    expect(ends(read('last-words-of-the-assistant'))).toMatchObject([
      { answer: { content: [{ text: 'All is well.' }] } },
    ]);
  });
});

describe('an answer that came without a stream', () => {
  const RELAYED = ['content_block_start', 'content_block_delta', 'content_block_stop'];

  test('is complete with the result, as if it had been streamed', () => {
    const turns = read('whole-text');
    expect(types(turns[0] ?? []).filter((type) => type !== 'wait')).toEqual([
      'spawned',
      'message_start',
      ...RELAYED,
      'message_delta',
      'message_stop',
      'settled',
    ]);
    const answer = {
      id: 'msg_scripted_2',
      model: 'claude-sonnet-5',
      content: [{ type: 'text', text: 'All is well.' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 10, output_tokens: 7 },
    };
    expect(ends(turns)).toMatchObject([{ type: 'message_stop', answer }, { type: 'message_stop' }]);
  });

  test('with calls is complete when no block has come for a while, and its calls are held', () => {
    const reader = readerFor('whole-calls');
    const { messages } = recorded('whole-calls');
    reader.open(0);
    const first = messages.slice(
      1,
      messages.findLastIndex(({ type }) => type === 'turn'),
    );
    const readings = first.flatMap((message) => reader.read(message as unknown as SDKMessage, 0));
    const waits = readings.filter(({ type }) => type === 'wait').length;
    expect(waits).toBe(4);
    expect(types(readings)).not.toContain('message_delta');
    for (let wait = 1; wait < waits; wait += 1) expect(reader.waited()).toEqual([]);
    expect(reader.heldIds).toBeUndefined();
    expect(types(reader.waited())).toEqual(['content_block_stop', 'message_delta', 'message_stop']);
    expect(reader.heldIds).toEqual(['toolu_1', 'toolu_2']);

    // A block that comes later is one that the client has not got.
    const block = messages.find(({ type }) => type === 'assistant');
    expect(reader.read(block as unknown as SDKMessage, 0)).toEqual([{ type: 'end' }]);
  });

  test('that a limit has cut ends its process before that asks the model again', () => {
    const turns = read('whole-ended-by-max-tokens');
    const content = [
      { type: 'thinking', thinking: 'Let me see.' },
      { type: 'text', text: 'All is' },
    ];
    expect(ends(turns)).toMatchObject([{ type: 'message_stop', answer: { content, stop_reason: 'max_tokens' } }]);
    expect(types(turns[0] ?? []).slice(-3)).toEqual(['message_delta', 'message_stop', 'end']);
  });
});

describe('an error event', () => {
  test.each<[Name, object]>([
    [
      'invalid-request-within',
      { status: 400, type: 'invalid_request_error', message: 'messages: bad', mayRepeat: false },
    ],
    ['unknown-error-behind-a-block', { status: 500, type: 'odd_error', message: 'something odd', mayRepeat: true }],
    ['timeout-at-the-beginning', { status: 504, type: 'timeout_error', message: 'too slow', mayRepeat: true }],
  ])('%s keeps its type and its words', (name, expected) => {
    expect(ends(read(name))).toMatchObject([{ failure: { code: 'upstream_error', ...expected } }]);
  });

  test('of an overload behind a whole block is a cut: Claude Code says no more', () => {
    const [turn] = read('overloaded-behind-a-block');
    expect(ends([turn ?? []])).toMatchObject([{ failure: { code: 'upstream_cut', mayRepeat: true } }]);
    expect(types(turn ?? [])).not.toContain('content_block_stop');
  });
});

describe('a cut stream', () => {
  test.each<Name>(['cut-within-a-block', 'cut-behind-a-block'])('%s is a failure, and no block looks whole', (name) => {
    const [turn] = read(name);
    expect(ends([turn ?? []])).toMatchObject([{ failure: { code: 'upstream_cut', status: 502 } }]);
    expect(types(turn ?? [])).not.toContain('content_block_stop');
    expect(hasEnded(turn)).toBe(true);
  });

  test('a second answer within a turn is a cut', () => {
    const { messages } = recorded('two-turns');
    const reader = readerFor('two-turns');
    reader.open(0);
    const starts = messages.filter(
      ({ type, event }: { type: string; event?: { type: string } }) =>
        type === 'stream_event' && event?.type === 'message_start',
    );
    const [, again] = starts.map((message) => reader.read(message as unknown as SDKMessage, 0));
    expect(again).toMatchObject([{ event: { failure: { code: 'upstream_cut' } } }, { type: 'end' }]);
  });

  test('an event without a beginning is a cut', () => {
    const reader = readerFor('two-turns');
    reader.open(0);
    const delta = { type: 'stream_event', parent_tool_use_id: null, event: { type: 'content_block_delta', index: 0 } };
    expect(reader.read(delta as unknown as SDKMessage, 0)).toMatchObject([
      { event: { failure: { code: 'upstream_cut' } } },
      { type: 'end' },
    ]);
  });

  test('a message_delta without a stop_reason, as Claude Code makes for a cut stream, is not relayed', () => {
    const reader = readerFor('two-turns');
    reader.open(0);
    const [, , start] = recorded('two-turns').messages;
    reader.read(start as unknown as SDKMessage, 0);
    const event = { type: 'message_delta', delta: { stop_reason: null }, usage: {} };
    const delta = { type: 'stream_event', parent_tool_use_id: null, event };
    expect(reader.read(delta as unknown as SDKMessage, 0)).toEqual([]);
  });

  test('an error event within a stream is that error', () => {
    expect(ends(read('error-event-within'))).toMatchObject([
      { failure: { code: 'upstream_error', status: 529, type: 'overloaded_error', message: 'Overloaded' } },
    ]);
  });
});

describe('a failed call', () => {
  test.each<[Name, object]>([
    ['error-400', { status: 400, type: 'invalid_request_error', message: 'messages: something is wrong' }],
    ['error-401', { status: 401, type: 'authentication_error', message: 'invalid x-api-key' }],
    ['error-413', { status: 413, type: 'request_too_large', message: 'Request exceeds the maximum size' }],
    ['error-429', { status: 429, type: 'rate_limit_error', message: /^Number of requests/, retryAfterSeconds: 30 }],
    ['prompt-too-long', { status: 400, message: /^prompt is too long: 200001 tokens/ }],
  ])('%s has the API’s words, whenever they come', (name, { message, ...rest }: { message?: unknown }) => {
    const said = message instanceof RegExp ? expect.stringMatching(message) : message;
    const expected = { code: 'upstream_error', requestId: 'req_msg_scripted_1', message: said, ...rest };
    expect(ends(read(name, { words: 'before' }))).toMatchObject([{ failure: expected }]);
    if (name === 'error-429') expect(ends(read(name, { words: 'behind' }))).toMatchObject([{ failure: expected }]);
  });

  test.each<[Name, object]>([
    ['error-500-for-good', { status: 500, type: 'api_error', message: 'Internal server error', mayRepeat: false }],
    [
      'error-429-for-good',
      { status: 429, type: 'rate_limit_error', message: 'Your limit is reached', mayRepeat: false },
    ],
  ])('%s has the API’s words and none of Claude Code’s', (name, expected) => {
    for (const words of ['before', 'never'] as const) {
      expect(ends(read(name, { words }))).toMatchObject([{ failure: { code: 'upstream_error', ...expected } }]);
    }
  });

  test.each(['before', 'behind'] as const)(
    'too large a max_tokens is not told as too long a prompt, when its words come %s',
    (words) => {
      const message = expect.stringMatching(/^input length and `max_tokens` exceed context limit: 199000/);
      expect(ends(read('input-and-max-tokens-too-long', { words }))).toMatchObject([{ failure: { message } }]);
    },
  );

  test('too long a prompt is told in words that clients know, if the API’s are not known', () => {
    const message = expect.stringMatching(/^prompt is too long: /);
    expect(ends(read('prompt-too-long', { words: 'never' }))).toMatchObject([{ failure: { message } }]);
  });

  test('a retry waits for the words half as long as its delay at most, then is told without them', () => {
    const { messages } = recorded('error-429');
    const reader = readerFor('error-429', { words: 'behind' });
    reader.open(0);
    const readings = messages.flatMap((message) =>
      message.type === 'turn' ? [] : reader.read(message as unknown as SDKMessage, 0),
    );
    expect(readings).toEqual([{ type: 'spawned' }, { type: 'wait', milliseconds: 1000 }]);
    expect(reader.waited()).toMatchObject([
      {
        event: {
          failure: { status: 429, message: "The model's API answered 429.", retryAfterSeconds: 30 },
        },
      },
      { type: 'end' },
    ]);
    expect(reader.waited()).toEqual([]);
  });

  test('a short delay leaves half of itself for the words', () => {
    const reader = readerFor('error-429', { words: 'behind' });
    reader.open(0);
    const retry = { type: 'system', subtype: 'api_retry', error_status: 529, retry_delay_ms: 600, error: 'overloaded' };
    expect(reader.read(retry as unknown as SDKMessage, 0)).toEqual([{ type: 'wait', milliseconds: 300 }]);
  });

  test('a process that began as a spare hears the words too', () => {
    expect(ends(read('error-429-in-a-spare', { words: 'behind' }))).toMatchObject([
      {
        failure: { status: 429, message: 'Number of requests has exceeded your limit', requestId: expect.any(String) },
      },
    ]);
  });

  test('`--retries gateway` leaves a retry to Claude Code', () => {
    expect(read('error-429', { failsAtFirstRetry: false })).toEqual([[{ type: 'spawned' }]]);
  });

  test('an error after an answer ends its own turn alone', () => {
    expect(ends(read('error-529-after-an-answer', { words: 'never' }))).toMatchObject([
      { type: 'message_stop' },
      { failure: { status: 529, type: 'overloaded_error', retryAfterSeconds: 20 } },
    ]);
  });

  test('words of an earlier turn are forgotten', () => {
    const reader = readerFor('error-429', { words: 'before' });
    const { messages, heard } = recorded('error-429');
    reader.hear(heard as SessionStoreEntry[]);
    reader.open(0);
    const readings = messages.flatMap((message) =>
      message.type === 'turn' ? [] : reader.read(message as unknown as SDKMessage, 0),
    );
    expect(readings.at(-1)).toEqual({ type: 'wait', milliseconds: 1000 });
  });

  test('a refused connection is one that was lost', () => {
    expect(ends(read('connection-refused'))).toMatchObject([
      {
        failure: {
          code: 'upstream_cut',
          message: "The connection to the model's API was lost. Try your request again.",
        },
      },
    ]);
  });

  test('who is not signed in is told so', () => {
    expect(ends(read('not-signed-in'))).toMatchObject([{ failure: { code: 'not_signed_in', status: 401 } }]);
  });

  test('a message of an error waits for the result, which says more', () => {
    const reader = readerFor('error-413');
    reader.open(0);
    const [, message] = recorded('error-413').messages.filter(({ type }) => type !== 'turn');
    expect(reader.read(message as unknown as SDKMessage, 0)).toEqual([{ type: 'wait', milliseconds: 1000 }]);
  });

  test.each([
    [299_000, 'upstream_stalled'],
    [1_000, 'upstream_cut'],
  ])('an error without a status after %i ms of silence is %s', (silentMs, code) => {
    const reader = readerFor('two-turns');
    reader.open(400_000);
    const message = {
      type: 'assistant',
      is_api_error_message: true,
      error: 'unknown',
      message: { stop_reason: 'stop_sequence', content: [{ type: 'text', text: 'API Error: it broke' }] },
    };
    reader.read(message as unknown as SDKMessage, 400_000 + silentMs);
    expect(reader.waited()).toMatchObject([{ event: { failure: { code } } }, { type: 'end' }]);
  });
});

describe('a turn that was given up', () => {
  /** Reads the first turn; it is given up behind the first event of its answer. */
  function givenUp(name: Name) {
    const reader = readerFor(name);
    reader.open(0);
    const rest: Reading[] = [];
    let abandoned: Reading[] | undefined;
    for (const message of recorded(name).messages) {
      if (message.type === 'turn') continue;
      const readings = reader.read(message as unknown as SDKMessage, 0);
      if (abandoned) rest.push(...readings);
      else if (message.type === 'stream_event') abandoned = reader.abandon(failure('client_gone'));
      if (message.type === 'result') break;
    }
    return { abandoned, rest };
  }

  test('ends with the failure, and its process does not: what comes says only when it waits again', () => {
    const { abandoned, rest } = givenUp('two-turns');
    expect(abandoned).toMatchObject([{ type: 'event', event: { type: 'failure', failure: { code: 'client_gone' } } }]);
    expect(rest).toEqual([{ type: 'settled' }]);
  });

  test.each(['ended-by-max-tokens', 'empty-answer', 'refusal'] as const)(
    'ends its process after all if the CLI would go on by itself: %s',
    (name) => {
      expect(givenUp(name).rest).toContainEqual({ type: 'end' });
    },
  );
});

describe('the end of a process', () => {
  const end = { code: 3, signal: null, stderr: 'segmentation fault' };

  test('before its first word it could not be started, after it it was lost', () => {
    const silent = readerFor('two-turns');
    silent.open(0);
    expect(silent.lose(end)).toMatchObject([
      { event: { failure: { code: 'process_spawn_failed', process: end } } },
      { type: 'end' },
    ]);
    const reader = readerFor('two-turns');
    reader.open(0);
    const [, init] = recorded('two-turns').messages;
    reader.read(init as unknown as SDKMessage, 0);
    const [lost] = reader.lose(end);
    expect(lost).toMatchObject({ event: { failure: { code: 'process_lost', process: end } } });
    expect(JSON.stringify(lost)).toContain('exit code 3');
  });

  test('a failure that was being learnt is told in place of the end', () => {
    const reader = readerFor('error-400', { words: 'before' });
    reader.open(0);
    for (const message of recorded('error-400').messages.slice(0, -1)) {
      if (message.type !== 'turn') reader.read(message as unknown as SDKMessage, 0);
    }
    expect(reader.lose(end)).toMatchObject([{ event: { failure: { status: 400 } } }, { type: 'end' }]);
  });

  test('without a turn there is nothing to tell', () => {
    const reader = readerFor('two-turns');
    expect(reader.lose(end)).toEqual([{ type: 'end' }]);
  });

  test('a result without an answer loses the turn', () => {
    const reader = readerFor('two-turns');
    reader.open(0);
    const result = { type: 'result', subtype: 'success', terminal_reason: 'completed' };
    expect(types(reader.read(result as unknown as SDKMessage, 0))).toEqual(['failure', 'end']);
  });
});

test('a process without some of the tools fails its turn', () => {
  const reader = readerFor('tool-loop');
  reader.open(0);
  const init = { type: 'system', subtype: 'init', tools: ['write'] };
  expect(reader.read(init as unknown as SDKMessage, 0)).toMatchObject([
    { type: 'spawned' },
    { event: { failure: { code: 'process_tools_missing', message: expect.stringContaining('names read;') } } },
    { type: 'end' },
  ]);
});

describe('an agent’s turn', () => {
  test('is all answers of the model until the result, without its calls', () => {
    const [turn = [], ...others] = read('agent-tool-loop');
    expect(others).toEqual([]);
    expect(types(turn).filter((type) => type === 'message_start')).toHaveLength(1);
    expect(types(turn).slice(-3)).toEqual(['message_delta', 'message_stop', 'settled']);
    const steps = [{ tool: 'Read', about: '/etc/hostname', isError: true }];
    expect(ends([turn])).toMatchObject([
      {
        answer: {
          content: [{ text: 'I look.' }, { text: 'All is well.' }],
          stop_reason: 'end_turn',
          usage: { input_tokens: 20, output_tokens: 14 },
        },
        hidden: { steps: { steps, changedFiles: [] } },
      },
    ]);
  });

  test('tells what a subagent did and used, and not what it said', () => {
    const [turn = []] = read('agent-with-a-subagent');
    const steps = [
      { tool: 'Agent', about: 'look', isError: false },
      { tool: 'Glob', about: '*.txt', isError: false, subagent: 'helper' },
    ];
    const subagentUsage = { input_tokens: 20, output_tokens: 14 };
    expect(ends([turn])).toMatchObject([
      {
        answer: { content: [{ text: 'All is well.' }], usage: { input_tokens: 40, output_tokens: 28 } },
        hidden: { steps: { steps, subagentUsage } },
      },
    ]);
  });

  test('that a limit ends says so, and its process ends', () => {
    const [turn = []] = read('agent-ended-by-max-turns');
    expect(types(turn).slice(-3)).toEqual(['message_delta', 'message_stop', 'end']);
    const content = [{ type: 'text', text: expect.stringContaining('Stopped by the limit of 1 call') }];
    const steps = [{ tool: 'Glob', about: '*.txt', isError: false }];
    expect(ends([turn])).toMatchObject([
      { answer: { content, stop_reason: 'max_tokens' }, hidden: { steps: { steps } } },
    ]);
  });
});

describe('limits of a plan', () => {
  const told = (info: object) =>
    ({
      type: 'rate_limit_event',
      rate_limit_info: { rateLimitType: 'five_hour', resetsAt: NOW / 1000 + 7_200, isUsingOverage: false, ...info },
    }) as unknown as SDKMessage;
  const refused = {
    type: 'assistant',
    is_api_error_message: true,
    api_error_status: 429,
    api_error_type: 'rate_limit_error',
    request_id: 'req_1',
    message: { stop_reason: 'stop_sequence', content: [{ type: 'text', text: "You've hit your 5-hour limit" }] },
  } as unknown as SDKMessage;
  const failed = { type: 'result', terminal_reason: 'completed' } as unknown as SDKMessage;
  const retry = {
    type: 'system',
    subtype: 'api_retry',
    error_status: 429,
    retry_delay_ms: 7_200_000,
    error: 'rate_limit',
  } as unknown as SDKMessage;
  const limited = { type: 'limits', limits: { heardAt: NOW, claim: 'five_hour' } };
  const isRefusal = {
    type: 'event',
    event: { type: 'failure', failure: { code: 'plan_limit_reached', retryAfterSeconds: 7_200 } },
  };

  test('are told while no turn is open', () => {
    const reader = readerFor('two-turns');
    expect(reader.read(told({ status: 'allowed', utilization: 0.4 }), 0)).toMatchObject([limited]);
    expect(reader.read(told({ status: 'of the future' }), 0)).toEqual([]);
  });

  test('make the failure of a call that is refused behind them', () => {
    const reader = readerFor('two-turns');
    reader.open(0);
    expect(reader.read(told({ status: 'rejected' }), 0)).toMatchObject([limited]);
    expect(reader.read(refused, 0)).toEqual([{ type: 'wait', milliseconds: 1000 }]);
    expect(reader.read(failed, 0)).toMatchObject([isRefusal, { type: 'end' }]);
  });

  test('make the failure of a call that the CLI would repeat', () => {
    const reader = readerFor('two-turns');
    reader.open(0);
    reader.read(told({ status: 'rejected' }), 0);
    reader.read(retry, 0);
    expect(reader.waited()).toMatchObject([isRefusal, { type: 'end' }]);
  });

  test('of an earlier turn make no failure', () => {
    const reader = readerFor('two-turns');
    reader.open(0);
    reader.read(told({ status: 'rejected' }), 0);
    reader.open(0);
    reader.read(retry, 0);
    expect(reader.waited()).toMatchObject([
      { event: { failure: { code: 'upstream_error', retryAfterSeconds: 7_200 } } },
      { type: 'end' },
    ]);
  });

  test.each([
    [21_599_000, { retryAfterSeconds: 21_599, mayRepeat: false }],
    [21_600_000, { mayRepeat: false }],
    [60_000, { retryAfterSeconds: 60, mayRepeat: true }],
  ])('an announced wait of %i ms is told as far as it is true', (retry_delay_ms, wait) => {
    const reader = readerFor('two-turns');
    reader.open(0);
    reader.read({ ...(retry as object), retry_delay_ms } as SDKMessage, 0);
    const [found] = reader.waited();
    expect(found).toEqual({
      type: 'event',
      event: {
        type: 'failure',
        failure: {
          code: 'upstream_error',
          status: 429,
          type: 'rate_limit_error',
          message: expect.any(String),
          ...wait,
        },
      },
    });
  });
});
