import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { streamEvents } from '../../../scripted-model/message-stream.ts';
import type { Reply } from '../../../scripted-model/script.ts';
import { depthOf } from '../../support/depth.ts';
import { type Conversation, call, FaultStage, HISTORY, words } from '../../support/fault-stage.ts';
import { until } from '../../support/gateway.ts';
import { testParts } from '../../support/test-parts.ts';

/** Everything that the model's API may do in place of an answer, on every way that a turn can take to it. */

const ANSWER = words('an answer that takes several deltas');
/** The events of it: message_start, content_block_start, nine deltas, content_block_stop, message_delta, message_stop. */
const DELTAS = 9;

interface Row {
  fault: Reply;
  status: number;
  type: string;
  code: string;
  /** Whether events come before the error. */
  hasBegun?: boolean;
  /** How often Claude Code asks before it announces the error, if not once. */
  asks?: number;
}

const cut = { status: 502, type: 'api_error', code: 'upstream_cut' };
const upstream = (status: number, type: string) => ({ status, type, code: 'upstream_error' });
const after = (after_events: number, how: 'end' | 'reset' | 'silence'): Reply => ({
  ...ANSWER,
  gap_ms: 20,
  cut: { after_events, how },
});

/** Behind message_start, content_block_start, two deltas and content_block_stop; the call is whole, the answer is not. */
const afterCall = (how: 'end' | 'reset'): Reply => ({ ...call('b'), gap_ms: 20, cut: { after_events: 5, how } });

const START =
  'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_raw","type":"message","role":"assistant",' +
  '"model":"claude-sonnet-5","content":[],"stop_reason":null,"usage":{"input_tokens":1,"output_tokens":1}}}';

/** The beginning of an answer, and then something else. */
const begun = (rest: string): Reply => ({
  raw: {
    body: [
      START,
      'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"so"}}',
      rest,
    ].join('\n\n'),
  },
});

/** An error event with a type of the API's amidst an answer. */
const within = (type: string, status: number): Row => ({
  fault: { ...ANSWER, gap_ms: 20, stream_error: { after_events: 4, type, message: 'no' } },
  ...upstream(status, type),
  hasBegun: true,
});

/** The same in place of an answer. */
const beginsWith = (type: string, status: number): Row => ({
  fault: { stream_error: { after_events: 0, type, message: 'no' } },
  ...upstream(status, type),
});

const FAULTS = {
  'a stream that ends before its first event': { fault: after(0, 'end'), ...cut },
  'a stream that ends within a block': { fault: after(4, 'end'), ...cut, hasBegun: true },
  'a stream that ends after its last block': { fault: after(3 + DELTAS, 'end'), ...cut, hasBegun: true },
  'a connection that is reset before its first event': { fault: after(0, 'reset'), ...cut },
  'a connection that is reset within a block': { fault: after(4, 'reset'), ...cut, hasBegun: true },
  'a connection that is reset after the last block': { fault: after(3 + DELTAS, 'reset'), ...cut, hasBegun: true },
  'a stream that ends after the block of a call': { fault: afterCall('end'), ...cut, hasBegun: true },
  'a connection that is reset after the block of a call': { fault: afterCall('reset'), ...cut, hasBegun: true },
  'a page of HTML': { fault: { raw: { content_type: 'text/html', body: '<html>Hello</html>' } }, ...cut },
  'text that is no event stream': { fault: { raw: { body: 'good morning' } }, ...cut },
  'an empty body': { fault: { raw: { body: '' } }, ...cut },
  'an event that is cut JSON': { fault: { raw: { body: 'event: message_start\ndata: {"type":"mes\n\n' } }, ...cut },
  'a delta of no block': {
    fault: {
      raw: { body: 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{}}\n\n' },
    },
    ...cut,
  },
  'a beginning, and then a page of HTML': { fault: begun('<html>Bad gateway</html>\n\n'), ...cut, hasBegun: true },
  'an end without a beginning': {
    fault: {
      raw: {
        body: 'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}\n\n',
      },
    },
    ...cut,
  },
  'a beginning, and then another one': { fault: begun(`${START}\n\n`), ...cut, hasBegun: true },
  'a beginning, and then an event that is cut JSON': {
    fault: begun('event: content_block_delta\ndata: {"type":"content_bl\n\n'),
    ...cut,
    hasBegun: true,
  },
  'a 502 with a page of HTML': {
    fault: { raw: { status: 502, content_type: 'text/html', body: '<html>Bad gateway</html>' } },
    ...upstream(502, 'api_error'),
  },
  'a 400': {
    fault: { error: { status: 400, type: 'invalid_request_error', message: 'bad' } },
    ...upstream(400, 'invalid_request_error'),
  },
  'a 429': {
    fault: { error: { status: 429, type: 'rate_limit_error', message: 'slowly', headers: { 'retry-after': '1' } } },
    ...upstream(429, 'rate_limit_error'),
  },
  'a 500': { fault: { error: { status: 500, type: 'api_error', message: 'oops' } }, ...upstream(500, 'api_error') },
  'a 529': {
    fault: { error: { status: 529, type: 'overloaded_error', message: 'busy' } },
    ...upstream(529, 'overloaded_error'),
  },
  'a 404': {
    fault: { error: { status: 404, type: 'not_found_error', message: 'no such model' } },
    ...upstream(404, 'not_found_error'),
    asks: 2,
  },
  'a 503': { fault: { error: { status: 503, type: 'api_error', message: 'later' } }, ...upstream(503, 'api_error') },
  'an error that the stream begins with': {
    fault: { stream_error: { after_events: 0, type: 'overloaded_error', message: 'busy' } },
    ...upstream(529, 'overloaded_error'),
    asks: 3,
  },
  'an error within the stream': {
    fault: { ...ANSWER, gap_ms: 20, stream_error: { after_events: 4, type: 'overloaded_error', message: 'busy' } },
    ...upstream(529, 'overloaded_error'),
    hasBegun: true,
  },
  'a refusal of the request within the stream': {
    fault: { ...ANSWER, gap_ms: 20, stream_error: { after_events: 4, type: 'invalid_request_error', message: 'bad' } },
    ...upstream(400, 'invalid_request_error'),
    hasBegun: true,
  },
  'an error of an unknown type that the stream begins with': {
    fault: { stream_error: { after_events: 0, type: 'odd_error', message: 'odd' } },
    ...upstream(500, 'odd_error'),
  },
  'a redirect that leads nowhere': {
    fault: { raw: { status: 301, content_type: 'text/html', body: '<html>Moved</html>' } },
    ...upstream(502, 'api_error'),
  },
  'a redirect to what is not modified': { fault: { raw: { status: 304, body: '' } }, ...upstream(502, 'api_error') },
  'a model that is not there, within the stream': within('not_found_error', 404),
  'an error of the API within the stream': within('api_error', 500),
  'a limit that the stream begins with': beginsWith('rate_limit_error', 429),
  'a refusal of the request that the stream begins with': beginsWith('invalid_request_error', 400),
  'a model that is not there, that the stream begins with': beginsWith('not_found_error', 404),
  'an error of the API that the stream begins with': beginsWith('api_error', 500),
} satisfies Record<string, Row>;

/** Conversations whose next turn takes this way; the path of the turn when it is sent again after its fault. */
const WAYS = {
  'the first turn of a new process': { begin: () => stage.conversation(), path: 'start' },
  'the first turn of a spare': {
    begin: async () => {
      spared ??= FaultStage.open(['--spares', '2']);
      const stage = await spared;
      await until('there are spares', async () => (await stage.gateway.health()).processes.spare === 2);
      return stage.conversation();
    },
    path: 'start',
  },
  'the first turn of a used process': {
    begin: async () => {
      const key = stage.ownKey();
      const left = stage.conversation([], key).next({ ...ANSWER, delay_ms: 60_000 });
      const { socket } = left.sendAlone();
      await until('the model is called', () => left.calls.length === 1);
      socket.destroy();
      await until('its process has gone back', () => stage.isQuiet());
      return stage.conversation([], key);
    },
    path: 'start',
  },
  'a replay': { begin: () => stage.conversation(HISTORY, stage.ownKey()), path: 'replay' },
  'an idle process': { begin: () => continued(ANSWER), path: 'replay' },
  'a process that holds a call': { begin: () => continued(call('a')), path: 'replay' },
  'a process that goes back': {
    begin: async () => {
      const conversation = await continued(ANSWER);
      const { messages } = conversation;
      await conversation.take(ANSWER);
      conversation.messages = messages;
      return conversation;
    },
    path: 'replay',
  },
};

async function continued(reply: Reply): Promise<Conversation> {
  const conversation = stage.conversation();
  await conversation.take(reply);
  return conversation;
}

/** Every fault on a replay, on one way to a live process and on one first turn, to save most of the starts. */
const LIVE = ['an idle process', 'a process that holds a call', 'a process that goes back'] as const;
const FIRST = [
  'the first turn of a new process',
  'the first turn of a spare',
  'the first turn of a used process',
] as const;
const ROWS = Object.entries<Row>(FAULTS).flatMap(([name, row], at) => {
  const third = Math.floor(at / 3) % 3;
  const ways = ['a replay', LIVE[third] ?? LIVE[0], FIRST[third] ?? FIRST[0]] as const;
  return ways.map((way) => [name, way, row] as const);
});

/** Every fault once, on each of its ways in turn. */
const ONCE = ROWS.filter((_row, at) => at % 3 === Math.floor(at / 3) % 3);

/** One for each kind of fault. */
const QUICK_FAULTS: string[] = [
  'a page of HTML',
  'a stream that ends within a block',
  'a connection that is reset before its first event',
  'a 404',
  'an error that the stream begins with',
];
/** Another one for each kind; with those above, every way. */
const EVERYDAY_FAULTS: string[] = [
  'a connection that is reset after the last block',
  'a stream that ends after the block of a call',
  'a beginning, and then a page of HTML',
  'a beginning, and then an event that is cut JSON',
  'a 502 with a page of HTML',
  'a 500',
  'an error within the stream',
];

let stage: FaultStage;
/** Opened by the first row that needs it. */
let spared: Promise<FaultStage> | undefined;
beforeAll(async () => {
  stage = await FaultStage.open(['--spares', '0']);
});
// What is found on the one must not keep the other from being stopped.
afterAll(async () => {
  const closed = await Promise.allSettled([stage?.close(), spared?.then((opened) => opened.close())]);
  for (const end of closed) if (end.status === 'rejected') throw end.reason;
});

async function breakTurns(way: keyof typeof WAYS, row: Row): Promise<void> {
  const { begin, path } = WAYS[way];
  const conversations = await Promise.all([begin(), begin()]);
  await Promise.all(
    conversations.map(async (conversation, at) => {
      const stream = at === 0;
      const { asks = 1 } = row;
      const turn = conversation.next(...Array<Reply>(asks).fill(row.fault), ANSWER);
      turn.asksForError = asks;
      const outcome = await turn.send({ stream });
      const isEvent = stream && row.hasBegun === true;
      expect(outcome, `stream: ${stream}`).toMatchObject({
        kind: 'error',
        as: isEvent ? 'event' : 'status',
        status: isEvent ? 200 : row.status,
        type: row.type,
        code: isEvent && row.code === 'upstream_error' ? undefined : row.code,
      });
      if (outcome.kind === 'error') {
        expect(outcome.before.length > 0).toBe(isEvent);
        expect(outcome.before).not.toContain('message_delta');
      }
      expect(turn.calls).toHaveLength(asks);
      const again = await turn.send({ stream });
      expect(again).toMatchObject({ kind: 'answer', path });
      conversation.keep(turn, again);
      expect(turn.calls).toHaveLength(asks + 1);
    }),
  );
}

testParts('faultsOfTheApi', ROWS, {
  isQuick: (row) => ONCE.includes(row) && QUICK_FAULTS.includes(row[0]),
  isEveryday: (row) => ONCE.includes(row) && EVERYDAY_FAULTS.includes(row[0]),
})('%s, in place of the answer to %s', async (_name, way, row) => breakTurns(way, row));

test.each([
  ['words', ANSWER, 4 + DELTAS],
  // message_start, content_block_start, two deltas, content_block_stop, message_delta.
  ['a call', call('b'), 6],
])(
  '%s without the last event of the stream, which tells nothing, are an answer',
  async (_name, reply, after_events) => {
    for (const how of ['end', 'reset'] as const) {
      const conversation = stage.conversation();
      await conversation.take({ ...reply, gap_ms: 20, cut: { after_events, how } });
      expect(await conversation.take(ANSWER)).toBe('continue');
    }
  },
);

const NO_STREAMS: Reply = { error: { status: 404, type: 'not_found_error', message: 'no streams here' } };
/** Where the API's own client goes by itself, and finds nothing. */
const ELSEWHERE: Reply = { raw: { status: 302, headers: { location: '/elsewhere' }, body: '' } };
/** What an answer says of itself as a whole. */
const RESULTS = { safeguard_results: [{ type: 'dangerous_tool_use', status: { type: 'available', tool_uses: {} } }] };

test.each([
  ['words', 'the API knew none', NO_STREAMS, { ...ANSWER, delta: RESULTS }],
  [
    'calls',
    'the API knew none',
    NO_STREAMS,
    { content: [{ type: 'text', text: 'I look.' }, ...(call('a', 'b').content ?? [])], delta: RESULTS },
  ],
  ['words', 'its first call was led elsewhere', ELSEWHERE, { ...ANSWER, delta: RESULTS }],
] satisfies Array<[string, string, Reply, Reply]>)(
  '%s that Claude Code has got without a stream, since %s, are an answer',
  async (_name, _why, first, reply) => {
    for (const stream of [true, false]) {
      const conversation = stage.conversation();
      const turn = conversation.next(first, reply);
      turn.asksForAnswer = 2;
      const outcome = await turn.send({ stream });
      conversation.keep(turn, outcome);
      expect(outcome).toMatchObject({ message: RESULTS });
      expect(turn.calls.map(({ body }) => body.stream)).toEqual([true, false]);
      expect(await conversation.take(ANSWER)).toBe('continue');
    }
  },
);

test('an answer without a stream that a limit has cut is paid once', async () => {
  const conversation = stage.conversation();
  const turn = conversation.next(NO_STREAMS, { ...ANSWER, stop_reason: 'max_tokens' });
  turn.asksForAnswer = 2;
  conversation.keep(turn, await turn.send());
  expect(await conversation.take(ANSWER)).toBe('replay');
  expect(turn.calls).toHaveLength(2);
});

/** Thinking, words and a call, each in several deltas. */
const RICH: Reply = {
  content: [
    { type: 'thinking', thinking: 'a thought' },
    { type: 'text', text: 'an answer' },
    { type: 'tool_use', name: 'read', input: { path: 'b' } },
  ],
  delta_length: 6,
  gap_ms: 10,
};
const RICH_TYPES = [...streamEvents(RICH, { id: '', model: '', usage: {}, toolUseId: () => '' })].map(
  ({ type }) => type,
);

test.each(['end', 'reset'] as const)(
  'an answer of all kinds of blocks, cut by %s behind any of its events up to message_delta',
  { tags: ['soak'] },
  async (how) => {
    const depth = depthOf('cutsOfOneAnswer');
    const all = RICH_TYPES.slice(0, -2).map((_type, at) => at + 1);
    const length = Math.min(depth.runs, all.length);
    const some = fc.shuffledSubarray(all, { minLength: length, maxLength: length });
    const [cuts = []] = fc.sample(some, { seed: depth.seed + how.length, numRuns: 1 });
    expect(cuts).toHaveLength(length);
    const breakOne = async (after_events: number) => {
      const conversation = stage.conversation();
      const turn = conversation.next({ ...RICH, cut: { after_events, how } }, ANSWER);
      const outcome = await turn.send();
      expect(outcome, `after ${after_events}`).toMatchObject({ kind: 'error', as: 'event', code: 'upstream_cut' });
      if (outcome.kind === 'error') {
        // Nothing that the API has not sent: Claude Code ends the block that was cut, too.
        expect(outcome.before).toEqual(RICH_TYPES.slice(0, after_events).slice(0, outcome.before.length));
      }
      conversation.keep(turn, await turn.send());
      expect(turn.calls).toHaveLength(2);
    };
    const breakAll = async () => {
      for (let cut = cuts.shift(); cut !== undefined && !depth.isOver(); cut = cuts.shift()) await breakOne(cut);
    };
    // Not more at a time: on a busy machine Claude Code may go on before its end (docs/decisions/0004).
    await Promise.all([breakAll(), breakAll()]);
  },
);

test('an API that is slow is waited for, with pings; an error after a ping is an event', async () => {
  const patient = await FaultStage.open(['--spares', '0', '--keep-alive-seconds', '0.1']);
  try {
    const waitFor = async (first: Reply) => {
      const conversation = patient.conversation([], patient.ownKey());
      await conversation.take(first);
      await conversation.take({ ...ANSWER, delay_ms: 400, gap_ms: 60 });
      await conversation.take({ ...ANSWER, delay_ms: 400 }, { stream: false });
      const turn = conversation.next(
        { delay_ms: 400, error: { status: 500, type: 'api_error', message: 'oops' } },
        ANSWER,
      );
      const outcome = await turn.send();
      expect(outcome).toMatchObject({ kind: 'error', as: 'event', status: 200, type: 'api_error' });
      if (outcome.kind === 'error') expect(new Set(outcome.before)).toEqual(new Set(['ping']));
      conversation.keep(turn, await turn.send());
      expect(turn.calls).toHaveLength(2);
    };
    await Promise.all([waitFor(ANSWER), waitFor(call('a'))]);
  } finally {
    await patient.close();
  }
});

test('an API that falls silent is given up on every way, and its call is aborted', async () => {
  const impatient = await FaultStage.open(['--spares', '0', '--stall-minutes', '0.15', '--keep-alive-seconds', '60']);
  try {
    const cases = [undefined, ANSWER, call('a')].flatMap((first, at) =>
      [true, false].map((stream) => ({ first, stream, events: stream === (at % 2 === 0) ? 4 : 0 })),
    );
    await Promise.all(
      cases.map(async ({ first, stream, events }) => {
        const conversation = impatient.conversation(first ? [] : HISTORY);
        if (first) await conversation.take(first);
        const turn = conversation.next(after(events, 'silence'), ANSWER);
        const outcome = await turn.send({ stream });
        const isEvent = stream && events > 0;
        expect(outcome).toMatchObject({
          kind: 'error',
          as: isEvent ? 'event' : 'status',
          status: isEvent ? 200 : 504,
          type: 'timeout_error',
          code: 'upstream_stalled',
        });
        expect(turn.calls).toHaveLength(1);
        await until('the call is over', () => turn.calls[0]?.outcome === 'aborted');
        conversation.keep(turn, await turn.send({ stream }));
        expect(turn.calls).toHaveLength(2);
      }),
    );
  } finally {
    await impatient.close();
  }
});
