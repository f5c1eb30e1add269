import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
// As built: its thread is run from there.
import { openStore } from '../../dist/src/store/open-store.js';
import { databaseFile } from '../../src/store/database-file.ts';
import { LibsqlFile } from '../../src/store/libsql.ts';
import { expansionRecord } from '../support/expansion-records.ts';
import { ROOT } from '../support/gateway.ts';
import { QUICK } from '../support/quick.ts';
import { conformsToExpansionStore } from '../support/store-conformance.ts';

/** The store as a gateway has it, on a thread of its own: in programs that are killed, and on a disk that is full. */

const PROGRAM = join(ROOT, 'test', 'support', 'store-program.js');
const all = mkdtempSync(join(tmpdir(), 'isthmus-store-'));
afterAll(() => rmSync(all, { recursive: true }));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(all, 'state-'));
});

/** A store, and what it said of changes. */
function open(place: string, limits = { maxAgeMs: 24 * 3_600_000, maxBytes: 1e9 }) {
  const changes: Array<string | undefined> = [];
  const store = openStore(place, { limits, memoryBytes: 0, onChange: (problem) => changes.push(problem) });
  return { store, changes };
}

describe('the store on a thread', () => {
  conformsToExpansionStore(
    (limits) => open(mkdtempSync(join(all, 'store-')), limits).store,
    (store) => store.sweep(),
    true,
  );
});

test('a put waits while another program writes, and holds up nobody else', QUICK, async () => {
  const { store, changes } = open(folder);
  await store.put(expansionRecord());
  const other = new LibsqlFile(databaseFile(folder));
  other.prepare('begin').run([]);
  const order: string[] = [];
  const put = store.put(expansionRecord()).then((outlives) => order.push(`put: ${outlives}`));
  await new Promise((resolve) => setTimeout(resolve, 100));
  order.push('the other ends');
  other.prepare('commit').run([]);
  await put;
  other.close();
  await store.close();
  expect(order).toEqual(['the other ends', 'put: true']);
  expect(changes).toEqual([]);
});

test('two gateways open and write it at once, and each finds what the other has put', async () => {
  const both = [open(folder), open(folder)] as const;
  const records = Array.from({ length: 60 }, () => expansionRecord({ bytes: 100 }));
  const results = await Promise.all(records.map((record, at) => both[at % 2 === 0 ? 0 : 1].store.put(record)));
  expect(results).toEqual(records.map(() => true));
  for (const { store, changes } of both) {
    expect((await store.find(records.map(({ lineage }) => lineage))).size).toBe(60);
    await store.close();
    expect(changes).toEqual([]);
  }
});

test('a thread that cannot open the database says why, once', async () => {
  writeFileSync(databaseFile(folder), 'This is no database. '.repeat(500));
  const { store, changes } = open(folder);
  expect(await store.put(expansionRecord())).toBe(false);
  expect(await store.put(expansionRecord())).toBe(false);
  await store.close();
  expect(changes).toEqual(['file is not a database']);
});

test('a thread whose file is removed ends, and another one makes the file anew', async () => {
  const { store, changes } = open(folder);
  await store.put(expansionRecord());
  rmSync(databaseFile(folder));
  expect(await store.put(expansionRecord())).toBe(false);
  const now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now + 60_000);
  expect(await store.put(expansionRecord())).toBe(true);
  vi.restoreAllMocks();
  await store.close();
  expect(changes).toEqual(['The file of the database has been removed.', undefined]);
});

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
    for (const round of [1, 2, 3]) {
      const both = await Promise.all([
        acknowledged(`${round}-one`, 20 + 17 * round),
        acknowledged(`${round}-other`, 30 + 29 * round),
      ]);
      turns.push(...both.flat());
    }
    const { store } = open(folder);
    const found = await store.find(turns);
    expect(turns.length).toBeGreaterThan(400);
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
