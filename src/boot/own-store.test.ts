import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { expansionRecord } from '../../test/support/expansion-records.ts';
import { ownStore } from './own-store.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'isthmus-own-store-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const SETTINGS = { storeDays: 30, storeMb: 100 };

/** The store of a gateway with these settings, after a record; and whether it said that the record outlives it. */
async function withRecord(noStore: boolean, operator: Record<string, string>) {
  const store = ownStore({ ...SETTINGS, noStore }, operator, () => undefined);
  const record = expansionRecord({ lineage: 'l' });
  const outlives = await store.put(record);
  const found = (await store.find(['l'])).get('l')?.map(({ turn }) => turn);
  await store.close();
  expect(found).toEqual([record.turn]);
  return outlives;
}

test('with --no-store nothing of a conversation comes to the disk', async () => {
  expect(await withRecord(true, { HOME: home })).toBe(false);
  expect(readdirSync(home)).toEqual([]);
});

test('without a home it keeps in memory', async () => {
  expect(await withRecord(false, {})).toBe(false);
});
