import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { expansionRecord } from '../../test/support/expansion-records.ts';
import { folderInMemory } from '../../test/support/folder-in-memory.ts';
import { conformsToExpansionStore } from '../../test/support/store-conformance.ts';
import { openDatabase } from './database.ts';
import { DatabaseStore } from './database-store.ts';
import { DatabaseTable } from './database-table.ts';
import type { StoreLimits } from './store-limits.ts';

const LIMITS: StoreLimits = { maxAgeMs: 30 * 24 * 3_600_000, maxBytes: 10_000_000 };

const folders: string[] = [];
const stores: DatabaseStore[] = [];
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  for (const store of stores) await store.close();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A place for a database that nothing else uses. */
function newFile(): string {
  const folder = folderInMemory('isthmus-store-');
  folders.push(folder);
  return join(folder, 'state', 'isthmus.db');
}

let file: string;
beforeEach(() => {
  file = newFile();
});

/** A store over the file, and what it said of changes. */
function openStore(limits = LIMITS, place = file) {
  const changes: Array<string | undefined> = [];
  const store = new DatabaseStore({
    open: () => DatabaseTable.open(place),
    limits,
    memoryBytes: 100_000,
    onChange: (problem) => changes.push(problem),
  });
  stores.push(store);
  return { store, changes };
}

/** As if the time after which a database is opened again had passed. */
function passTime(): void {
  const now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now + 60_000);
}

describe('the store in a database', () => {
  conformsToExpansionStore(
    (limits) => openStore(limits, newFile()).store,
    (store) => store.sweep(),
    true,
  );
});

describe('the database of the store', () => {
  test('keeps everything for the next gateway, in a file for its user alone', async () => {
    const { store } = openStore();
    const records = Array.from({ length: 30 }, () => expansionRecord());
    await Promise.all(records.map((record) => store.put(record)));
    expect(statSync(dirname(file)).mode & 0o777).toBe(0o700);
    for (const suffix of ['', '-wal', '-shm']) expect(statSync(file + suffix).mode & 0o777).toBe(0o600);
    await store.close();
    const next = openStore().store;
    expect((await next.find(records.map(({ lineage }) => lineage))).size).toBe(30);
  });

  /** In place of the database. */
  const garbage = () => {
    mkdirSync(dirname(file));
    writeFileSync(file, 'This is no database. '.repeat(500));
  };

  test.each<[string, () => void, RegExp]>([
    ['is no database', garbage, /not a database/],
    ['has no place', () => writeFileSync(dirname(file), ''), /unable to open|Unable to open/],
    ['is a folder', () => mkdirSync(file, { recursive: true }), /unable to open|Unable to open/],
  ])('one that %s costs what outlives the gateway, and is told once', async (_, breakIt, words) => {
    breakIt();
    const { store, changes } = openStore();
    const records = Array.from({ length: 5 }, () => expansionRecord());
    for (const record of records) expect(await store.put(record)).toBe(false);
    expect((await store.find(records.map(({ lineage }) => lineage))).size).toBe(5);
    expect(await store.turn(records[2]?.turn ?? '', 'a caller')).toEqual(records[2]);
    expect(changes).toEqual([expect.stringMatching(words)]);
  });

  test('what memory keeps meanwhile is bounded, the oldest go', async () => {
    garbage();
    const { store } = openStore();
    const records = Array.from({ length: 8 }, () => expansionRecord({ bytes: 20_000 }));
    for (const record of records) await store.put(record);
    expect([...(await store.find(records.map(({ lineage }) => lineage))).keys()]).toEqual(
      records.slice(-4).map(({ lineage }) => lineage),
    );
  });

  test('one that works again gets what memory has kept, and that is told once', async () => {
    garbage();
    const { store, changes } = openStore();
    const kept = Array.from({ length: 3 }, () => expansionRecord());
    for (const record of kept) await store.put(record);
    rmSync(file);
    passTime();
    const newer = expansionRecord({ lineage: kept[0]?.lineage ?? '', session: kept[0]?.session ?? '' });
    expect(await store.put(newer)).toBe(true);
    expect(await store.put(expansionRecord())).toBe(true);
    await store.close();
    const lineages = kept.map(({ lineage }) => lineage);
    expect([...(await openStore().store.find(lineages)).values()].flat()).toEqual(
      expect.arrayContaining([newer, ...kept.slice(1)]),
    );
    expect(changes).toEqual([expect.any(String), undefined]);
  });

  test('what memory keeps goes before what the database had of the same answer', async () => {
    const { store } = openStore();
    const first = expansionRecord();
    const second = expansionRecord({ lineage: first.lineage, session: first.session });
    await store.put(first);
    vi.spyOn(DatabaseTable.prototype, 'write').mockRejectedValueOnce(new Error('database or disk is full'));
    expect(await store.put(second)).toBe(false);
    expect((await store.find([first.lineage])).get(first.lineage)).toEqual([second]);
  });

  test('has nothing of what is swept, nor have the files beside it', async () => {
    const table = await DatabaseTable.open(file);
    const mark = 'the mark of a step';
    await table.write([
      expansionRecord({ steps: { steps: [{ tool: 'Read', about: mark, isError: false }], changedFiles: [] } }),
    ]);
    const holders = () => ['', '-wal'].filter((suffix) => readFileSync(file + suffix).includes(mark));
    expect(holders()).toContain('-wal');
    await table.sweep(Date.now() + 1, LIMITS.maxBytes);
    expect(holders()).toEqual([]);
    await table.close();
  });

  test('one of a newer version is left as it is', async () => {
    const { database } = await openDatabase(file);
    await database.insertInto('schema_version').values({ version: 1_000 }).execute();
    await database.destroy();
    const { store, changes } = openStore();
    expect(await store.put(expansionRecord())).toBe(false);
    expect(changes).toEqual(['It was made by a newer version of Isthmus.']);
  });
});
