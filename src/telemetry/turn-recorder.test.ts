import { expect, test } from 'vitest';
import { answerMessage } from '../../test/support/answer-message.ts';
import { failure } from '../spec/failures.ts';
import type { PlanLimits } from '../spec/plan-limits.ts';
import type { TurnEvent } from '../spec/turn-events.ts';
import { TurnRecorder } from './turn-recorder.ts';

const ANSWER = answerMessage('the content');
const START: TurnEvent = {
  type: 'message_start',
  message: { ...ANSWER, usage: { input_tokens: 3, output_tokens: 0 } },
};
const WHAT = {
  dialect: 'anthropic-messages',
  model: 'm',
  stream: true,
  messages: 1,
  tools: 0,
  bodyBytes: 50,
  parameters: ['max_tokens'],
};

const recorder = () => new TurnRecorder({ requestId: 'req_1', caller: 'abc', client: undefined, session: 's' }, 1_000);

/** An event that comes from the engine at a time, and goes to the socket later. */
function relay(of: TurnRecorder, event: TurnEvent, eventAt: number, flushedAt: number): void {
  of.marks.eventAt = eventAt;
  of.heard(event);
  of.relayed(eventAt, flushedAt);
}

test('a whole turn by a new process', () => {
  const turn = recorder();
  turn.asked(WHAT, 'somebody');
  Object.assign(turn.marks, { queued: 1_001, admitted: 1_011, handed: 1_020, spawned: 1_100 });
  turn.reached({ path: 'replay', by: 'new', reason: 'no live process holds this history' }, 'c');
  relay(turn, START, 1_200, 1_201);
  relay(turn, { type: 'message_stop', answer: ANSWER }, 1_300, 1_302);
  expect(turn.record(1_310, true)).toEqual({
    who: { requestId: 'req_1', caller: 'abc', session: 's', conversation: 'c', user: 'somebody' },
    what: WHAT,
    how: {
      path: 'replay',
      process: 'new',
      reason: 'no live process holds this history',
      times: { whole: 310, queue: 10, spawn: 89, firstEvent: 200, own: 1 + 1 + 2, engine: 280 },
    },
    came: { outcome: 'complete', stopReason: 'end_turn', usage: ANSWER.usage },
  });
});

test('what is known of the plan is kept as far as it is known', () => {
  const limits: PlanLimits = {
    heardAt: 0,
    status: 'allowed',
    windows: { five_hour: { heardAt: 0, utilization: 0.5, resetsAt: 9 }, seven_day: { heardAt: 0 } },
  };
  expect(recorder().record(1_001, false, limits).came.plan).toEqual({
    status: 'allowed',
    utilization: { five_hour: 0.5 },
    isOverageInUse: false,
  });
  expect(recorder().record(1_001, false).came).not.toHaveProperty('plan');
});

test('a turn that is continued waits in no queue, and its own time ends where the engine has it', () => {
  const turn = recorder();
  turn.asked(WHAT, undefined);
  turn.marks.handed = 1_002;
  turn.reached({ path: 'continue', by: 'live' }, 'c');
  relay(turn, { type: 'message_stop', answer: ANSWER }, 1_050, 1_050.5);
  expect(turn.record(1_051, true).how).toEqual({
    path: 'continue',
    process: 'live',
    times: { whole: 51, firstEvent: 50, own: 2.5, engine: 48 },
  });
});

test('a turn that a process would not take by a load has the time of that, beside the spawn of a new one', () => {
  const turn = recorder();
  Object.assign(turn.marks, {
    loading: 1_002,
    loaded: 1_012,
    queued: 1_013,
    admitted: 1_013,
    handed: 1_014,
    spawned: 1_100,
  });
  turn.reached({ path: 'replay', by: 'new', reason: 'it did not' }, 'c');
  relay(turn, { type: 'message_stop', answer: ANSWER }, 1_200, 1_201);
  expect(turn.record(1_201, true).how).toEqual({
    path: 'replay',
    process: 'new',
    reason: 'it did not',
    times: { whole: 201, queue: 0, spawn: 87, load: 10, firstEvent: 200, own: 3, engine: 186 },
  });
});

test('a turn that begins anew behind its back keeps the moment at which it left', () => {
  const turn = recorder();
  turn.marks.handed = 1_002;
  turn.reached({ path: 'start', by: 'spare' }, 'c');
  Object.assign(turn.marks, { queued: 1_400, admitted: 1_400, handed: 1_401 });
  relay(turn, { type: 'message_stop', answer: ANSWER }, 1_500, 1_501);
  expect(turn.record(1_501, true).how.times).toMatchObject({ own: 3, engine: 99 });
});

test('a request that is refused at once is the gateway’s own time alone', () => {
  const turn = recorder();
  turn.failed(failure('bad_request', { path: 'model', problem: 'Field required' }));
  const record = turn.record(1_003, true);
  expect(record.what).toBeUndefined();
  expect(record.how).toEqual({ times: { whole: 3, own: 3 } });
  expect(record.came).toEqual({
    outcome: 'bad_request',
    failure: { status: 400, type: 'invalid_request_error', words: 'model: Field required' },
  });
});

test('a turn whose wait in the queue was too long has waited, and no engine', () => {
  const turn = recorder();
  turn.marks.queued = 1_001;
  turn.failed(failure('overloaded', { why: 'the wait was too long' }));
  expect(turn.record(1_501, true).how.times).toEqual({ whole: 501, queue: 500, own: 1 });
});

test('a client that leaves is what came of the turn, however far it was', () => {
  const early = recorder();
  expect(early.record(1_001, false).came.outcome).toBe('client_gone');
  // Its connection can close in good order before anything was answered.
  expect(recorder().record(1_001, true).came.outcome).toBe('client_gone');
  const late = recorder();
  relay(late, START, 1_010, 1_011);
  relay(late, { type: 'message_stop', answer: ANSWER }, 1_020, 1_021);
  expect(late.record(1_030, false).came).toMatchObject({ outcome: 'client_gone', stopReason: 'end_turn' });
});

test('a turn that breaks off says what it has used so far', () => {
  const turn = recorder();
  relay(turn, START, 1_010, 1_011);
  relay(
    turn,
    { type: 'message_delta', delta: { stop_reason: 'max_tokens' }, usage: { input_tokens: null, output_tokens: 7 } },
    1_020,
    1_021,
  );
  relay(turn, { type: 'failure', failure: failure('upstream_cut', { how: 'stream' }) }, 1_030, 1_031);
  expect(turn.record(1_030, true).came).toMatchObject({
    outcome: 'upstream_cut',
    stopReason: 'max_tokens',
    usage: { input_tokens: 3, output_tokens: 7 },
  });
});

test('a failure keeps the beginning of its words and the end of what its process said', () => {
  const turn = recorder();
  const stderr = `${'x'.repeat(1_900)}no licence`;
  turn.failed(failure('process_spawn_failed', { code: 3, signal: null, stderr }));
  const { failure: kept } = turn.record(1_001, true).came;
  expect(kept?.words).toMatch(/^The `claude` process could not be started \(exit code 3\)/);
  expect(kept?.process).toEqual({ code: 3, signal: null, stderr: expect.stringMatching(/^…x+no licence$/) });
  expect(JSON.stringify(kept).length).toBeLessThan(1_000);
  const refused = recorder();
  refused.failed(failure('bad_request', { path: 'model', problem: 'x'.repeat(2_000) }));
  expect(refused.record(1_001, true).came.failure?.words).toMatch(/^model: x{400,}…$/);
});

test('words from elsewhere keep their lines, and nothing that a terminal obeys', () => {
  const turn = recorder();
  turn.failed(failure('process_lost', { code: null, signal: 'SIGKILL', stderr: 'one\n\u001b[2Jtwo' }));
  expect(turn.record(1_001, true).came.failure?.process?.stderr).toBe('one\n\\u001b[2Jtwo');
});

test('what clients say of themselves is bounded, and content is nowhere', () => {
  const long = 'n'.repeat(10_000);
  const turn = new TurnRecorder({ requestId: 'req_1', caller: 'abc', client: long, session: long }, 0);
  turn.asked({ ...WHAT, model: long }, long);
  relay(turn, { type: 'message_stop', answer: ANSWER }, 1, 2);
  const text = JSON.stringify(turn.record(2, true));
  expect(text.length).toBeLessThan(1_500);
  expect(text).not.toContain('the content');
});
