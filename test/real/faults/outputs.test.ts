import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { FaultStage, words } from '../../support/fault-stage.ts';
import { until } from '../../support/gateway.ts';
import { QUICK } from '../../support/quick.ts';

/** Turns go on, and end in order, when nobody reads what the gateway prints any more. */

let stage: FaultStage;
afterEach(() => stage?.close());

const ANSWER = words('an answer that takes several deltas');

test('the disk of the log is full', QUICK, async () => {
  const wrap = () => ['sh', '-c', 'exec "$@" 2>/dev/full', 'sh'];
  stage = await FaultStage.open(['--spares', '0'], { wrap });
  const conversation = stage.conversation();
  await conversation.take(ANSWER);
  expect(await conversation.take(ANSWER)).toBe('continue');
});

test('the readers of both outputs have gone, and a signal comes in the middle of an answer', async () => {
  stage = await FaultStage.open(['--spares', '0']);
  const conversation = stage.conversation();
  await conversation.take(ANSWER);
  const { child } = stage.gateway;
  child.stdout?.destroy();
  child.stderr?.destroy();
  expect(await conversation.take(ANSWER)).toBe('continue');
  const turn = conversation.next({ ...ANSWER, gap_ms: 100 });
  const answered = turn.send();
  await until('the model is called', () => turn.calls.length === 1);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  conversation.keep(turn, await answered);
  expect(await exited).toEqual([0, null]);
  await stage.restart();
});
