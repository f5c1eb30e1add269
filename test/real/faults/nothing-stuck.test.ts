import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { call, FaultStage, words } from '../../support/fault-stage.ts';
import { until } from '../../support/gateway.ts';
import { testParts } from '../../support/test-parts.ts';

/** Nothing that a client sends, and nothing that a process or the API fails to do, takes a place or a start for ever. */

let stage: FaultStage;
afterEach(() => stage?.close());

const ANSWER = words('an answer that takes several deltas');
const NEVER = { ...ANSWER, delay_ms: 100_000 };

const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const HOSTILE: Record<string, string> = {
  'a field whose name is half a surrogate pair': '"\\ud800": 1, "messages": [{"role": "user", "content": "hi"}]',
  'the same in a history':
    '"\\ud800": 1, "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]',
  'a parameter of 5,000 levels': `"output_config": ${nested(5_000)}, "messages": [{"role": "user", "content": "hi"}]`,
  'a schema of 3,000 levels': `"tools": [{"name": "t", "input_schema": {"type": "object", "properties": ${nested(3_000)}}}], "messages": [{"role": "user", "content": "hi"}]`,
  'a schema of 1,000 levels': `"tools": [{"name": "t", "input_schema": {"type": "object", "properties": ${nested(1_000)}}}], "messages": [{"role": "user", "content": "hi"}]`,
};

test('bodies that no walk bears are refused before anything is taken for them', async () => {
  stage = await FaultStage.open(['--spares', '1', '--max-processes', '3', '--spawns-at-a-time', '1']);
  await until('a spare is ready', async () => (await stage.gateway.health()).processes.spare === 1);
  const [spare] = stage.processes();
  for (const [what, fields] of Object.entries(HOSTILE)) {
    for (const stream of [true, false, true]) {
      const response = await fetch(`${stage.gateway.url}/v1/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: `{"model": "claude-sonnet-5", "max_tokens": 9, "stream": ${stream}, ${fields}}`,
      });
      expect([response.status, response.headers.get('isthmus-error')], what).toEqual([400, 'bad_request']);
      await response.text();
    }
  }
  expect(stage.processes()).toEqual([spare]);
  expect((await stage.gateway.health()).processes).toEqual({ streaming: 0, held: 0, idle: 0, spare: 1, spawning: 0 });
  expect(stage.model.requests).toEqual([]);
  const [one, other] = [stage.conversation(), stage.conversation()];
  expect(await one.take(call('a'))).toBe('start');
  expect(await one.take(ANSWER)).toBe('continue');
  expect(await other.take(ANSWER)).toBe('start');
});

test('an API that has not begun to answer keeps no other process from starting', async () => {
  stage = await FaultStage.open(['--spares', '0', '--spawns-at-a-time', '1']);
  const waiting = stage.conversation().next(NEVER);
  const { socket } = waiting.sendAlone();
  await until('the model is called', () => waiting.calls.length === 1);
  const other = stage.conversation();
  await other.take(ANSWER);
  expect(await other.take(ANSWER)).toBe('continue');
  expect(waiting.calls[0]?.outcome).toBe('open');
  socket.resetAndDestroy();
});

async function startThatHangs(): Promise<void> {
  stage = await FaultStage.open(['--spares', '0', '--spawns-at-a-time', '1']);
  await until('the first process of the gateway is gone', () => stage.processes().length === 0);
  const { socket } = stage.conversation().next(NEVER).sendAlone();
  await until('it is starting', () => stage.processes().length === 1);
  for (const pid of stage.processes()) process.kill(pid, 'SIGSTOP');
  await stage.conversation().take(ANSWER);
  expect((await stage.gateway.health()).processes).toMatchObject({ streaming: 1, idle: 1 });
  socket.resetAndDestroy();
  await until('it is gone', () => stage.processes().length === 1);
}

async function spareThatHangs(): Promise<void> {
  stage = await FaultStage.open(['--spares', '2']);
  await until('there are spares', async () => (await stage.gateway.health()).processes.spare === 2);
  const spares = stage.processes();
  for (const pid of spares) process.kill(pid, 'SIGSTOP');
  const left = () => spares.filter((pid) => stage.processes().includes(pid));
  const [patient, leaving] = [stage.conversation(), stage.conversation().next(ANSWER)];
  const turn = patient.next(ANSWER);
  const waiting = turn.send();
  await until('one is claimed', async () => (await stage.gateway.health()).processes.spare === 1);
  const { socket } = leaving.sendAlone();
  await until('both are claimed', async () => (await stage.gateway.health()).processes.spare === 0);
  socket.resetAndDestroy();
  // The other one has been waited for longer.
  await until('it is gone', () => left().length < 2);
  expect(left()).toHaveLength(1);
  const outcome = await waiting;
  expect(outcome).toMatchObject({ kind: 'answer', path: 'start' });
  patient.keep(turn, outcome);
  expect(left()).toEqual([]);
}

async function stopWithHangingSpare(): Promise<void> {
  stage = await FaultStage.open(['--spares', '1']);
  await until('there is a spare', async () => (await stage.gateway.health()).processes.spare === 1);
  const before = stage.processes();
  const turn = stage.conversation().next(ANSWER);
  const answered = turn.send();
  const starting = () => stage.processes().filter((pid) => !before.includes(pid));
  await until('the next one starts', () => starting().length === 1);
  for (const pid of starting()) process.kill(pid, 'SIGSTOP');
  turn.expectAnswer(await answered);
  expect((await stage.gateway.health()).processes.spare).toBe(0);
  const exited = once(stage.gateway.child, 'exit');
  stage.gateway.child.kill('SIGTERM');
  // The SDK itself would give the start up after a minute.
  const late = new Promise((resolve) => setTimeout(resolve, 40_000, 'late'));
  expect(await Promise.race([exited, late])).toEqual([0, null]);
  await stage.restart();
}

async function processThatHangs(): Promise<void> {
  stage = await FaultStage.open(['--spares', '0']);
  const conversation = stage.conversation();
  await conversation.take(ANSWER);
  for (const pid of stage.processes()) process.kill(pid, 'SIGSTOP');
  const turn = conversation.next(ANSWER);
  const outcome = await turn.send({ maxTokens: 77 });
  expect(outcome).toMatchObject({ kind: 'answer', path: 'replay' });
  conversation.keep(turn, outcome);
  expect(turn.calls).toHaveLength(1);
}

async function leavingAHangingProcess(): Promise<void> {
  stage = await FaultStage.open(['--spares', '0']);
  const patient = stage.conversation();
  await patient.take(ANSWER);
  const [first = 0] = stage.processes();
  const conversation = stage.conversation();
  await conversation.take(ANSWER);
  for (const pid of stage.processes()) process.kill(pid, 'SIGSTOP');
  const waiting = patient.next(ANSWER);
  const waitingFor = waiting.send({ maxTokens: 77 });
  await until('the first is waited for', async () => (await stage.gateway.health()).processes.streaming === 1);
  const turn = conversation.next(ANSWER);
  const { socket } = turn.sendAlone({ maxTokens: 77 });
  await until('both are waited for', async () => (await stage.gateway.health()).processes.streaming === 2);
  socket.resetAndDestroy();
  await until('one is gone', () => stage.processes().length === 1);
  // The other one has been waited for longer.
  expect(stage.processes()).toEqual([first]);
  expect(turn.calls).toEqual([]);
  conversation.keep(turn, await turn.send());
  patient.keep(waiting, await waitingFor);
}

/** Each waits out how long a process may hang. */
const HANGING: Array<[what: string, run: () => Promise<void>]> = [
  ['a start that hangs keeps others from starting for some seconds only', startThatHangs],
  ['a spare that does nothing any more is given up, or with the client that waits for it', spareThatHangs],
  ['a gateway stops although a spare hangs at its start', stopWithHangingSpare],
  ['a process that does nothing any more is given up, and its turn is replayed', processThatHangs],
  [
    'a client that leaves while a process that hangs is waited for ends it, before it is given up',
    leavingAHangingProcess,
  ],
];
/** One that starts, and one that waits. */
const EVERYDAY_HANGING = [startThatHangs, processThatHangs];

testParts('hangingProcesses', HANGING, { isEveryday: ([, run]) => EVERYDAY_HANGING.includes(run) })(
  '%s',
  async (_what, run) => run(),
);

test('who waits for room gets that of a spare which was just starting', async () => {
  stage = await FaultStage.open(['--spares', '1', '--max-processes', '2']);
  await until('a spare is ready', async () => (await stage.gateway.health()).processes.spare === 1);
  const streaming = stage.conversation().next(NEVER);
  const { socket } = streaming.sendAlone();
  await until('the model is called', () => streaming.calls.length === 1);
  await stage.conversation().take(ANSWER);
  expect(streaming.calls[0]?.outcome).toBe('open');
  socket.resetAndDestroy();
});

test('a client that leaves with a second request behind its first stops both', async () => {
  stage = await FaultStage.open(['--spares', '0']);
  const turns = [stage.conversation().next(NEVER), stage.conversation().next(NEVER)];
  const socket = connect(Number(new URL(stage.gateway.url).port), '127.0.0.1').on('error', () => undefined);
  socket.write(turns.map((turn) => turn.toSend()).join(''));
  await until('both are asked', () => turns.every(({ calls }) => calls.length === 1));
  socket.resetAndDestroy();
  await until('both calls are over', () => turns.every(({ calls }) => calls[0]?.outcome === 'aborted'));
});

test('what is no request, behind a request, ends its answer and is not answered within it', async () => {
  stage = await FaultStage.open(['--spares', '0']);
  const turn = stage.conversation().next({ ...ANSWER, gap_ms: 2_000 });
  let heard = '';
  const socket = connect(Number(new URL(stage.gateway.url).port), '127.0.0.1').on('error', () => undefined);
  socket.setEncoding('utf8').on('data', (text) => {
    heard += text;
  });
  socket.write(turn.toSend());
  await until('it is being answered', () => heard.includes('content_block_delta'));
  socket.write('BREW\r\n\r\n');
  await until('the connection is closed', () => socket.closed);
  expect(heard).toMatch(/^HTTP\/1.1 200 /);
  expect(heard).not.toMatch(/HTTP\/1.1 400|message_stop/);
  await until('the call is over', () => turn.calls[0]?.outcome === 'aborted');
});
