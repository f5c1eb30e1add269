import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Conversation, call, FaultStage, type Outcome, type Turn, words } from '../../support/fault-stage.ts';
import { until } from '../../support/gateway.ts';
import { QUICK, testEach } from '../../support/quick.ts';

/** A tool result that comes twice, too late, or from another client: each time answered from the history it came with. */

let stage: FaultStage;
beforeAll(async () => {
  stage = await FaultStage.open(['--spares', '0']);
});
afterAll(() => stage?.close());

const ANSWER = words('an answer that takes several deltas');

async function holding(...paths: string[]): Promise<Conversation> {
  const conversation = stage.conversation();
  await conversation.take(call(...paths));
  return conversation;
}

function pathsOf(turn: Turn, outcomes: Outcome[]): string[] {
  for (const outcome of outcomes) turn.expectAnswer(outcome);
  return outcomes.map((outcome) => (outcome.kind === 'answer' ? outcome.path : ''));
}

testEach([true, false], (stream) => stream)(
  'twice at once: one continues, the other is replayed (stream: %s)',
  async (stream) => {
    const conversation = await holding('a', 'b');
    const turn = conversation.next(ANSWER);
    const outcomes = await Promise.all([turn.send({ stream }), turn.send({ stream })]);
    expect(pathsOf(turn, outcomes).sort()).toEqual(['continue', 'replay']);
    expect(turn.calls).toHaveLength(2);
    for (const outcome of outcomes) {
      conversation.keep(turn, outcome);
      expect(await conversation.take(ANSWER)).toBe('continue');
    }
  },
);

test('one after another: the first continues, and its process goes back for the second', async () => {
  const conversation = await holding('a');
  const turn = conversation.next(ANSWER);
  const outcomes = [await turn.send(), await turn.send()];
  expect(pathsOf(turn, outcomes)).toEqual(['continue', 'rewind']);
  expect(turn.calls).toHaveLength(2);
  if (outcomes[0]) conversation.keep(turn, outcomes[0]);
  expect(await conversation.take(ANSWER)).toBe('continue');
});

test('again while the first is being answered, and the first client leaves', async () => {
  const conversation = await holding('a');
  const turn = conversation.next({ ...ANSWER, gap_ms: 200 }, ANSWER);
  const first = turn.sendAlone();
  await until('the model is called', () => turn.calls.length === 1);
  const second = turn.send();
  first.socket.resetAndDestroy();
  const outcome = await second;
  expect(outcome).toMatchObject({ kind: 'answer', path: 'replay' });
  conversation.keep(turn, outcome);
  await until('the first call is over', () => turn.calls[0]?.outcome === 'aborted');
  expect(turn.calls).toHaveLength(2);
});

test('results of other calls than the held ones are refused and disturb nothing', QUICK, async () => {
  const conversation = await holding('a');
  const other = await holding('a');
  const turn = conversation.next(ANSWER);
  const stray = stage.plan([...conversation.messages, ...other.next(ANSWER).messages.slice(-1)], '<turn 0.1>', [
    ANSWER,
  ]);
  expect(await stray.send()).toMatchObject({ kind: 'error', as: 'status', status: 400, code: 'bad_request' });
  const outcome = await turn.send();
  expect(outcome).toMatchObject({ kind: 'answer', path: 'continue' });
  conversation.keep(turn, outcome);
  expect(await other.take(ANSWER)).toBe('continue');
});

test('by another client key: in a process of the other’s, and still held for the first', async () => {
  const conversation = await holding('a', 'b');
  const turn = conversation.next(ANSWER);
  const outcomes = [await turn.send({ key: 'another' }), await turn.send()];
  expect(pathsOf(turn, outcomes)).toEqual(['replay', 'continue']);
  expect(turn.calls).toHaveLength(2);
  if (outcomes[1]) conversation.keep(turn, outcomes[1]);
  expect(await conversation.take(ANSWER)).toBe('continue');
  // The other's own process has not heard what the first client has said since.
  expect(await conversation.take(ANSWER, { key: 'another' })).toBe('rewind');
});

test('after the process that held the call was evicted, or gave the wait up', async () => {
  const small = await FaultStage.open(['--spares', '0', '--max-processes', '1', '--held-minutes', '0.001']);
  try {
    const [evicted, late] = [small.conversation(), small.conversation()];
    await evicted.take(call('a'));
    await late.take(call('a', 'b'));
    const turn = evicted.next(ANSWER);
    const outcomes = await Promise.all([turn.send(), turn.send()]);
    expect(pathsOf(turn, outcomes)).toEqual(['replay', 'replay']);
    expect(turn.calls).toHaveLength(2);
    if (outcomes[0]) evicted.keep(turn, outcomes[0]);
    await late.take(call('c'));
    await until('it has given up', async () => (await small.gateway.health()).processes.held === 0);
    expect(await late.take(ANSWER)).toBe('replay');
  } finally {
    await small.close();
  }
});
