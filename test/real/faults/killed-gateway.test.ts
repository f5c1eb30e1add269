import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { depthOf } from '../../support/depth.ts';
import { call, FaultStage, HISTORY, words } from '../../support/fault-stage.ts';
import { until } from '../../support/gateway.ts';
import { QUICK } from '../../support/quick.ts';

/** The gateway itself is killed: what it held is replayed by the next one, what it left is removed by it. */

let stage: FaultStage;
afterEach(() => stage?.close());

const ANSWER = words('an answer that takes several deltas');

test(
  'a gateway is killed while a call is held; the next one takes the result, with one call of the model',
  QUICK,
  async () => {
    stage = await FaultStage.open(['--spares', '1']);
    const [held, idle] = [stage.conversation(), stage.conversation()];
    await held.take(call('a', 'b'));
    await idle.take(ANSWER);
    const streaming = stage.conversation();
    const cut = streaming.next({ ...ANSWER, gap_ms: 100 }, ANSWER);
    const sending = cut.send().catch((error: unknown) => error);
    await until('the model answers', () => cut.calls.length === 1);

    await stage.kill();
    await stage.restart();
    // Nobody was left to end the stream well; a client sees its connection break, never an end.
    expect(await sending).toBeInstanceOf(Error);
    await until('the call is over', () => cut.calls[0]?.outcome === 'aborted');

    const result = held.next(ANSWER);
    const outcome = await result.send();
    expect(outcome).toMatchObject({ kind: 'answer', path: 'replay' });
    held.keep(result, outcome);
    expect(result.calls).toHaveLength(1);
    expect(await held.take(ANSWER)).toBe('continue');
    expect(await idle.take(ANSWER)).toBe('replay');
    streaming.keep(cut, await cut.send());
    expect(cut.calls).toHaveLength(2);
  },
);

test('a gateway that is killed again and again leaves no process, and no more than the files of its last life', {
  tags: ['soak'],
}, async () => {
  // A replay that goes to a spare writes no transcript.
  stage = await FaultStage.open(['--spares', '1', '--reuse', 'off']);
  const { runs, isOver } = depthOf('killedGateways');
  const conversation = stage.conversation();
  for (let life = 1; life <= runs && !isOver(); life += 1) {
    // A system prompt and a transcript are on the disk for as long as a replayed conversation lives.
    expect(await conversation.take(life % 2 === 1 ? call('a') : ANSWER)).toBe(life === 1 ? 'start' : 'replay');
    const [directory, ...others] = stage.runDirectories();
    expect(others).toEqual([]);
    expect(readdirSync(join(stage.gateway.home, directory ?? '', 'tmp')).length).toBeGreaterThan(0);
    if (life > 1) expect(stage.transcripts()).toHaveLength(1);
    const calls = stage.model.requests.length;
    await stage.kill();
    await stage.restart();
    expect(stage.runDirectories()).toHaveLength(1);
    expect(stage.runDirectories()).not.toContain(directory);
    expect(stage.transcripts()).toEqual([]);
    expect(stage.model.requests).toHaveLength(calls);
  }
  expect(await conversation.take(ANSWER)).toBe('replay');
});

test('a gateway that is killed and followed at once leaves nothing either', { tags: ['soak'] }, async () => {
  stage = await FaultStage.open(['--spares', '1']);
  const { runs, isOver } = depthOf('killedGateways');
  for (let life = 1; life <= runs && !isOver(); life += 1) {
    const conversations = [stage.conversation(HISTORY), stage.conversation()];
    await Promise.all(conversations.map((conversation) => conversation.take(call('a'))));
    // One dies while it answers, one while it holds a call, one while it starts.
    const turn = conversations[0]?.next({ ...ANSWER, gap_ms: 100 });
    const sending = turn?.send().catch((error: unknown) => error);
    await until('the model answers', () => turn?.calls.length === 1);
    await stage.replace();
    expect(await sending).toBeInstanceOf(Error);
    expect(stage.runDirectories()).toHaveLength(1);
    expect(await conversations[1]?.take(ANSWER)).toBe('replay');
  }
});

test('a gateway that is killed before it listens leaves nothing that the next one does not remove', async () => {
  stage = await FaultStage.open(['--spares', '2']);
  await stage.kill();
  for (const waitMs of [150, 400, 800, 1200]) await stage.startAndKill(waitMs);
  // One that died before it had made its sign of life is taken for one that boots, until some time has passed.
  const long = new Date(Date.now() - 24 * 60 * 60_000);
  for (const name of stage.runDirectories()) utimesSync(join(stage.gateway.home, name), long, long);
  await stage.restart();
  expect(stage.runDirectories()).toHaveLength(1);
  await stage.conversation().take(ANSWER);
});
