import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Reply } from '../../../scripted-model/script.ts';
import type { WireMessage } from '../../support/as-the-model-sees.ts';
import {
  type Conversation,
  call,
  FaultStage,
  HISTORY,
  type Outcome,
  type Turn,
  words,
} from '../../support/fault-stage.ts';
import { until } from '../../support/gateway.ts';
import { testEach } from '../../support/quick.ts';
import { testParts } from '../../support/test-parts.ts';

/** A `claude` process that is killed, by a user or for want of memory, at every point of a conversation. */

let stage: FaultStage;
beforeAll(async () => {
  stage = await FaultStage.open(['--spares', '0']);
});
afterAll(() => stage?.close());

const ANSWER = words('an answer that takes several deltas');
const SILENT = { ...ANSWER, delay_ms: 60_000 };
const SLOW = { ...ANSWER, gap_ms: 150 };

/** A conversation and the process that it has. */
async function begun(reply = ANSWER): Promise<{ conversation: Conversation; pid: number }> {
  const before = await stage.settledProcesses();
  const conversation = stage.conversation();
  expect(await conversation.take(reply)).toBe('start');
  const [pid, ...others] = stage.processes().filter((one) => !before.includes(one));
  expect(others).toEqual([]);
  if (pid === undefined) throw new Error('the conversation has no process');
  return { conversation, pid };
}

/** Sends the turn again after its fault, which must be answered by a new process. */
async function again(conversation: Conversation, turn: Turn, calls: number): Promise<void> {
  const outcome = await turn.send();
  expect(outcome).toMatchObject({ kind: 'answer', path: 'replay' });
  conversation.keep(turn, outcome);
  expect(turn.calls).toHaveLength(calls);
  expect(await conversation.take(ANSWER)).toBe('continue');
}

function expectLost(outcome: Outcome, as: 'status' | 'event'): void {
  expect(outcome).toMatchObject({
    kind: 'error',
    as,
    status: as === 'status' ? 500 : 200,
    type: 'api_error',
    code: 'process_lost',
    text: expect.stringContaining('SIGKILL'),
  });
}

type Begin = () => ReturnType<typeof begun>;

async function beforeItsTurn(begin: Begin): Promise<void> {
  const { conversation, pid } = await begin();
  await stage.loseProcess(pid);
  await again(conversation, conversation.next(ANSWER), 1);
}

async function withItsTurn(begin: Begin): Promise<void> {
  const { conversation, pid } = await begin();
  const turn = conversation.next(ANSWER);
  const sending = turn.send();
  stage.killProcess(pid);
  const outcome = await sending;
  // Whether the kill or the turn was first is the machine's to say.
  if (outcome.kind === 'error') expectLost(outcome, 'status');
  else conversation.keep(turn, outcome);
  expect(turn.calls.length).toBeLessThanOrEqual(1);
  if (outcome.kind === 'error') await again(conversation, turn, turn.calls.length + 1);
  else await conversation.take(ANSWER);
}

const beforeTheFirstByte = (stream: boolean) => async (begin: Begin) => {
  const { conversation, pid } = await begin();
  const turn = conversation.next(SILENT, ANSWER);
  const sending = turn.send({ stream });
  await until('the model is called', () => turn.calls.length === 1);
  stage.killProcess(pid);
  expectLost(await sending, 'status');
  await until('the call is over', () => turn.calls[0]?.outcome === 'aborted');
  await again(conversation, turn, 2);
};

const withinAStream = (reply: Reply) => async (begin: Begin) => {
  const { conversation, pid } = await begin();
  const turn = conversation.next(reply, ANSWER);
  const connection = turn.sendAlone();
  await until('a part has come', () => connection.heard.includes('content_block_delta'));
  stage.killProcess(pid);
  await until('the stream has ended', () => connection.hasEnded);
  expect(connection.heard).toContain('event: error');
  expect(connection.heard).toContain('"error_code":"process_lost"');
  expect(connection.heard).not.toContain('message_stop');
  expect(connection.heard).not.toContain('message_delta');
  await again(conversation, turn, 2);
};

async function withinAWholeAnswer(begin: Begin): Promise<void> {
  const { conversation, pid } = await begin();
  const turn = conversation.next(SLOW, ANSWER);
  const sending = turn.send({ stream: false });
  // The answer takes twelve gaps; the first of its events have come to the process by then.
  await until('the model answers', () => (turn.calls[0]?.events ?? 0) >= 4);
  stage.killProcess(pid);
  expectLost(await sending, 'status');
  await again(conversation, turn, 2);
}

const HOLDS = 'a process that holds a call';
const MOMENTS: Array<[moment: string, kill: (begin: Begin) => Promise<void>]> = [
  ['and the next turn comes after it was noticed', beforeItsTurn],
  ['in the moment in which the next turn comes', withItsTurn],
  ['before the first byte of its next answer (stream: true)', beforeTheFirstByte(true)],
  ['before the first byte of its next answer (stream: false)', beforeTheFirstByte(false)],
  ['while words come as a stream', withinAStream(SLOW)],
  [
    'while a call of a tool comes as a stream',
    withinAStream({ ...call('a path that takes several deltas'), delta_length: 4, gap_ms: 150 }),
  ],
  ['in the middle of an answer that does not stream', withinAWholeAnswer],
];
const ROWS = MOMENTS.flatMap(([moment, kill], at) =>
  ['an idle process', HOLDS].map((which) => [which, moment, kill, at] as const),
);
const QUICK_MOMENTS = [beforeItsTurn, MOMENTS[4]?.[1]];

testParts('killedProcesses', ROWS, {
  isQuick: ([which, , kill]) => which === HOLDS && QUICK_MOMENTS.includes(kill),
  // Each moment once, by turns in a process of each kind.
  isEveryday: ([which, , , at]) => (which === HOLDS) === (at % 2 === 1),
})('%s is killed %s', async (which, _moment, kill) => kill(() => begun(which === HOLDS ? call('a', 'b') : ANSWER)));

test('the process of a replay is killed in the middle of its answer', async () => {
  const conversation = stage.conversation(HISTORY);
  const before = await stage.settledProcesses();
  const turn = conversation.next(SLOW, ANSWER);
  const sending = turn.send();
  await until('the model answers', () => (turn.calls[0]?.events ?? 0) >= 4);
  for (const one of stage.processes()) if (!before.includes(one)) stage.killProcess(one);
  expectLost(await sending, 'event');
  await again(conversation, turn, 2);
});

/** Begins otherwise than those above, so that none of their processes is rewound for it. */
const ELSEWHERE: WireMessage[] = [
  { role: 'user', content: 'Hello.' },
  { role: 'assistant', content: 'Hi.' },
  ...HISTORY,
];

testEach(
  [
    ['a first turn', []],
    ['a replay', ELSEWHERE],
  ],
  ([path]) => path === 'a replay',
)('the process of %s is killed while it starts', async (_name, history) => {
  const conversation = stage.conversation(history);
  const turn = conversation.next(ANSWER);
  const living = await stage.settledProcesses();
  const starting = turn.send();
  // Seen once is enough: a process that runs another program in its place shows no environment for a moment.
  let started: number | undefined;
  await until('it starts', () => {
    started = stage.processes().find((one) => !living.includes(one));
    return started !== undefined;
  });
  stage.killProcess(Number(started));
  expect(await starting).toMatchObject({
    kind: 'error',
    as: 'status',
    status: 500,
    type: 'api_error',
    code: 'process_spawn_failed',
  });
  expect(turn.calls).toEqual([]);
  conversation.keep(turn, await turn.send());
});

test('a spare is killed: another one takes its place, and who claims it in this moment is answered', async () => {
  const spared = await FaultStage.open(['--spares', '1']);
  try {
    for (const isNoticed of [true, false]) {
      await until('a spare is ready', async () => (await spared.gateway.health()).processes.spare === 1);
      // One process each for the conversation before, if there was one, and the spare, which is the youngest.
      const pids = spared.processes();
      expect(pids).toHaveLength(isNoticed ? 1 : 2);
      const spare = Math.max(...pids);
      const conversation = spared.conversation();
      const turn = conversation.next(ANSWER);
      if (isNoticed) await spared.loseProcess(spare);
      else spared.killProcess(spare);
      conversation.keep(turn, await turn.send());
      expect(turn.calls).toHaveLength(1);
      expect(await conversation.take(ANSWER)).toBe('continue');
    }
  } finally {
    await spared.close();
  }
});

test('a process that began as a spare is killed, as an error within its first answer', async () => {
  const spared = await FaultStage.open(['--spares', '1']);
  try {
    await until('a spare is ready', async () => (await spared.gateway.health()).processes.spare === 1);
    const [pid = 0] = spared.processes();
    const conversation = spared.conversation();
    const turn = conversation.next(SLOW, ANSWER);
    const sending = turn.send();
    await until('the model is called', () => turn.calls.length === 1);
    spared.killProcess(pid);
    expect(await sending).toMatchObject({ kind: 'error', type: 'api_error', code: 'process_lost' });
    conversation.keep(turn, await turn.send());
    expect(turn.calls).toHaveLength(2);
  } finally {
    await spared.close();
  }
});
