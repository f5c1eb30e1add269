import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { FaultStage, HISTORY, words } from '../../support/fault-stage.ts';
import { ownConfigurationIn, startGateway } from '../../support/gateway.ts';
import { canLeave, ELSEWHERE } from '../../support/namespace.ts';

/** Two containers with one temporary directory and one home: each gateway leaves alone what the other lives on. */

let stage: FaultStage;
afterEach(() => stage?.close());

const ANSWER = words('an answer that takes several deltas');

test.skipIf(!canLeave)('a gateway in another PID namespace removes nothing of one that lives', async () => {
  // A replay that goes to a spare writes no transcript.
  stage = await FaultStage.open(['--spares', '1', '--reuse', 'off']);
  const [begun, replayed] = [stage.conversation(), stage.conversation(HISTORY)];
  await begun.take(ANSWER);
  await replayed.take(ANSWER);
  const sessions = join(ownConfigurationIn(stage.gateway.home), 'sessions');
  const belongings = () => ({
    directories: stage.runDirectories(),
    transcripts: stage.transcripts(),
    files: stage.runDirectories().flatMap((name) => readdirSync(join(stage.gateway.home, name, 'tmp'))),
    sessions: existsSync(sessions) ? readdirSync(sessions) : [],
  });
  await expect.poll(async () => (await stage.gateway.health()).processes.spare).toBe(1);
  const before = belongings();
  expect(before.transcripts.length).toBeGreaterThan(0);

  const options = { home: stage.gateway.home, wrap: () => ELSEWHERE };
  const other = await startGateway(stage.model.url, ['--spares', '0'], options);
  const { directories, transcripts, files, sessions: records } = belongings();
  expect(directories).toHaveLength(2);
  for (const [now, then] of [
    [directories, before.directories],
    [transcripts, before.transcripts],
    [files, before.files],
    [records, before.sessions],
  ] as const)
    expect(now).toEqual(expect.arrayContaining([...then]));
  expect(await begun.take(ANSWER)).toBe('continue');
  expect(await replayed.take(ANSWER)).toBe('continue');

  const { pid } = other.child;
  const inner = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
  const exited = once(other.child, 'exit');
  process.kill(inner, 'SIGTERM');
  await exited;
  expect(stage.runDirectories()).toEqual(before.directories);
  expect(await stage.conversation(HISTORY).take(ANSWER)).toBe('replay');
});
