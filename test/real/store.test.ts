import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { databaseFile } from '../../src/store/database-file.ts';
import { DatabaseStore } from '../../src/store/database-store.ts';
import { ROOT } from '../support/gateway.ts';
import { QUICK } from '../support/quick.ts';

/** The store in programs that are killed, and on a disk that is full. */

const PROGRAM = join(ROOT, 'test', 'support', 'store-program.js');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-store-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Lets a program put until it has acknowledged so many, kills it, and returns them. */
async function acknowledged(prefix: string, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [PROGRAM, 'write', folder, prefix], { stdio: ['ignore', 'pipe', 'inherit'] });
  const turns: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    turns.push(JSON.parse(line).turn);
    if (turns.length === count) child.kill('SIGKILL');
  }
  return turns;
}

test(
  'two programs write at once and are killed, again and again: nothing that was put for good is lost',
  QUICK,
  async () => {
    const turns: string[] = [];
    for (const round of [1, 2, 3, 4]) {
      const both = await Promise.all([
        acknowledged(`${round}-one`, 60 + 17 * round),
        acknowledged(`${round}-other`, 90 + 29 * round),
      ]);
      turns.push(...both.flat());
    }
    const store = new DatabaseStore({
      open: () => openDatabase(databaseFile(folder)),
      limits: { maxAgeMs: 3_600_000, maxBytes: 1e9 },
      memoryBytes: 0,
      onChange: () => undefined,
    });
    const found = await store.find(turns);
    expect(turns.length).toBeGreaterThan(500);
    expect(turns.filter((turn) => !found.has(turn))).toEqual([]);
    await store.close();
  },
);

const onSmallDisk = (place: string) => [
  ...['--mount', 'sh', '-c', `mount -t tmpfs -o size=2m tmpfs "${place}" && exec "$@"`, 'sh'],
];
const canMount = spawnSync('unshare', [...onSmallDisk('/mnt'), 'true'], { stdio: 'ignore' }).status === 0;

test.runIf(canMount)(
  'a full disk is told once, costs no find, and is made good when there is room again',
  QUICK,
  async () => {
    const child = spawn('unshare', [...onSmallDisk(folder), process.execPath, PROGRAM, 'full', folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    await once(child, 'close');
    const lines = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      { problem: expect.stringContaining('full') },
      { refused: 11, found: true },
      { problem: 'over' },
      { outlives: true },
      { found: true },
    ]);
  },
);
