import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { WireMessage } from '../../support/as-the-model-sees.ts';
import { call, FaultStage, type Outcome, words } from '../../support/fault-stage.ts';
import { until } from '../../support/gateway.ts';
import { testParts } from '../../support/test-parts.ts';

/** The disk under the files of the gateway, the SDK and `claude` is full, or they are taken away. */

let stage: FaultStage;
afterEach(() => stage?.close());

const ANSWER = words('an answer that takes several deltas');
const DISK_BYTES = 8 * 1024 * 1024;

/** Gives a command a home on a disk of its own, which ends with it. */
const onOwnDisk = (home: string) => [
  ...['unshare', '--mount', 'sh', '-c'],
  `mount -t tmpfs -o size=${DISK_BYTES} tmpfs "${home}" && exec "$@"`,
  'sh',
];
const canMount = (() => {
  const [program = '', ...rest] = onOwnDisk('/mnt');
  return spawnSync(program, [...rest, 'true'], { stdio: 'ignore' }).status === 0;
})();

/** That disk, seen from outside. */
function disk(): string {
  return `/proc/${stage.gateway.child.pid}/root${stage.gateway.home}`;
}

function fill(butBytes: number): void {
  const reserve = join(disk(), 'reserve');
  writeFileSync(reserve, Buffer.alloc(butBytes));
  for (let size = DISK_BYTES; size >= 1; size = Math.floor(size / 2)) {
    try {
      writeFileSync(join(disk(), `filling-${size}`), Buffer.alloc(size));
    } catch {
      // A part of it has been written; the next one is smaller.
    }
  }
  rmSync(reserve);
}

function makeRoom(): void {
  for (const name of readdirSync(disk())) if (name.startsWith('filling-')) rmSync(join(disk(), name));
}

function expectNotWritten(outcome: Outcome): void {
  expect(outcome).toMatchObject({
    kind: 'error',
    as: 'status',
    status: 500,
    type: 'api_error',
    code: 'files_not_written',
    text: expect.stringContaining(stage.gateway.home),
  });
}

/** A history of 40 messages and about 150 kB. */
function longHistory(): WireMessage[] {
  return Array.from({ length: 40 }, (_, at) => ({
    role: at % 2 === 0 ? 'user' : 'assistant',
    content: [{ type: 'text', text: `${at} `.repeat(1300).trim() }],
  }));
}

test.skipIf(!canMount)(
  'a full disk ends no live conversation, and a new process starts when there is room',
  async () => {
    stage = await FaultStage.open(['--spares', '1'], { wrap: onOwnDisk });
    const [idle, held, late] = [stage.conversation(), stage.conversation(), stage.conversation()];
    await idle.take(ANSWER);
    await held.take(call('a'));
    await until('a spare is ready', async () => (await stage.gateway.health()).processes.spare === 1);
    fill(0);

    expect(await idle.take(ANSWER)).toBe('continue');
    expect(await held.take(ANSWER)).toBe('continue');
    expect(await held.take(call('b'))).toBe('continue');
    // A spare has all that it needs.
    expect(await late.take(ANSWER)).toBe('start');
    const replayed = stage.conversation(longHistory());
    const turn = replayed.next(ANSWER);
    for (const stream of [true, false]) expectNotWritten(await turn.send({ stream }));
    expect(turn.calls).toEqual([]);

    makeRoom();
    const outcome = await turn.send();
    expect(outcome).toMatchObject({ kind: 'answer', path: 'replay' });
    replayed.keep(turn, outcome);
    for (const conversation of [idle, held, late, replayed]) expect(await conversation.take(ANSWER)).toBe('continue');
  },
);

/** Room for the settings, for a part of the transcript, for all of it, and for that which the process then writes. */
const ROOMS: Array<[kilobytes: number, kind?: Outcome['kind']]> = [
  [4, 'error'],
  [40],
  [120],
  [160],
  [170],
  [180],
  [190],
  [200],
  [220],
  [300, 'answer'],
];

testParts('fullDisks', canMount ? ROOMS : [], { isEveryday: ([kilobytes]) => [4, 160, 300].includes(kilobytes) })(
  'a disk with room for %i kB, when a replay is written, loses nothing of its history',
  async (kilobytes, kind) => {
    stage = await FaultStage.open(['--spares', '0'], { wrap: onOwnDisk });
    const conversation = stage.conversation(longHistory());
    const turn = conversation.next(ANSWER);
    fill(kilobytes * 1024);
    const outcome = await turn.send();
    if (kind) expect(outcome.kind).toBe(kind);
    if (outcome.kind === 'error') expectNotWritten(outcome);
    else conversation.keep(turn, outcome);
    expect(turn.calls).toHaveLength(outcome.kind === 'error' ? 0 : 1);
    makeRoom();
    if (outcome.kind === 'error') conversation.keep(turn, await turn.send());
    expect(await conversation.take(ANSWER)).toBe('continue');
    for (const pid of stage.processes()) stage.killProcess(pid);
    await until('its files are gone', () => stage.transcripts(disk()).length === 0);
  },
);

test('a run directory that somebody has cleared away is made again', async () => {
  stage = await FaultStage.open(['--spares', '1']);
  const conversation = stage.conversation();
  await conversation.take(ANSWER);
  const [directory = ''] = stage.runDirectories();
  await until('a spare is ready', async () => (await stage.gateway.health()).processes.spare === 1);
  const pids = stage.processes();
  // Else one of them may write a file into a folder that is being removed.
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  rmSync(join(stage.gateway.home, directory), { recursive: true });
  for (const pid of pids) stage.killProcess(pid);
  await until('they are gone', async () => (await stage.gateway.health()).processes.idle === 0);

  expect(await conversation.take(ANSWER)).toBe('replay');
  expect(await conversation.take(ANSWER)).toBe('continue');
  expect(stage.runDirectories()).toEqual([directory]);
});
