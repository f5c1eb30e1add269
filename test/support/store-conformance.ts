import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ExpansionStore } from '../../src/spec/expansion-store.ts';
import type { StoreLimits } from '../../src/store/store-limits.ts';
import { expansionRecord } from './expansion-records.ts';

const DAY_MS = 24 * 3_600_000;

/**
 * What every store of expansions keeps.
 *
 * @param open makes an empty one
 * @param swept waits until it has enforced its limits
 * @param outlives what a put that works resolves to
 */
export function conformsToExpansionStore<Store extends ExpansionStore>(
  open: (limits: StoreLimits) => Store,
  swept: (store: Store) => Promise<void>,
  outlives: boolean,
): void {
  let store: Store;
  beforeAll(async () => {
    store = open({ maxAgeMs: 30 * DAY_MS, maxBytes: 100_000_000 });
  });
  afterAll(() => store.close());

  test('what was put is found by its lineage, byte for byte, and nothing else is', async () => {
    const one = expansionRecord();
    const other = expansionRecord({ clientSession: 'ses_1', bytes: 0, steps: { steps: [], changedFiles: [] } });
    expect(await store.put(one)).toBe(outlives);
    expect(await store.put(other)).toBe(outlives);
    expect(await store.find([other.lineage, 'unknown', one.lineage])).toEqual(
      new Map([
        [one.lineage, [one]],
        [other.lineage, [other]],
      ]),
    );
    expect(await store.find([])).toEqual(new Map());
  });

  test('conversations that look alike are found together, the newest first', async () => {
    const first = expansionRecord({ lineage: 'alike' });
    const second = expansionRecord({ lineage: 'alike' });
    const third = expansionRecord({ lineage: 'alike' });
    for (const record of [second, first, third]) await store.put(record);
    expect((await store.find(['alike'])).get('alike')).toEqual([third, second, first]);
  });

  test('a second record of a lineage and session replaces the first, whole', async () => {
    const first = expansionRecord({ clientSession: 'ses_1', signatures: 'first' });
    const again = { lineage: first.lineage, session: first.session };
    const second = expansionRecord({ ...again, bytes: 10, agent: 'web', signatures: 'second' });
    const third = expansionRecord(again);
    await store.put(first);
    for (const record of [second, third]) {
      await store.put(record);
      expect((await store.find([first.lineage])).get(first.lineage)).toEqual([record]);
      expect(await store.turn(first.turn, first.caller)).toBeUndefined();
      expect(await store.turn(record.turn, record.caller)).toEqual(record);
    }
  });

  test('puts at a time are all kept, and of one lineage and session the last', async () => {
    const records = Array.from({ length: 20 }, () => expansionRecord({ bytes: 100 }));
    const again = expansionRecord({ lineage: 'lineage', session: 'session', bytes: 1 });
    const last = expansionRecord({ lineage: 'lineage', session: 'session', bytes: 2 });
    const results = await Promise.all([...records, again, last].map((record) => store.put(record)));
    expect(results).toEqual(results.map(() => outlives));
    const found = await store.find([...records, last].map(({ lineage }) => lineage));
    expect([...found.values()].flat().sort((one, two) => one.at - two.at)).toEqual([...records, last]);
  });

  test('a turn is found by its id, by its caller alone', async () => {
    const record = expansionRecord();
    await store.put(record);
    expect(await store.turn(record.turn, record.caller)).toEqual(record);
    expect(await store.turn(record.turn, 'another caller')).toBeUndefined();
    expect(await store.turn('unknown', record.caller)).toBeUndefined();
  });

  test('of turns with one id, the client’s own, the newest is found', async () => {
    for (const turn of ['in its order', 'in another order']) {
      const older = expansionRecord({ turn });
      const newer = expansionRecord({ turn });
      for (const record of turn === 'in its order' ? [older, newer] : [newer, older]) await store.put(record);
      expect(await store.turn(turn, older.caller)).toEqual(newer);
    }
  });

  test('a history of thousands of messages is looked up at once', async () => {
    const record = expansionRecord();
    await store.put(record);
    const lineages = Array.from({ length: 5_000 }, (_, at) => `not-${at}`);
    expect([...(await store.find([...lineages, record.lineage])).keys()]).toEqual([record.lineage]);
  });

  test('beyond the limit of age none is found', async () => {
    const old = expansionRecord({ at: Date.now() - 31 * DAY_MS });
    const young = expansionRecord({ at: Date.now() - 29 * DAY_MS });
    await store.put(old);
    await store.put(young);
    expect([...(await store.find([old.lineage, young.lineage])).keys()]).toEqual([young.lineage]);
    expect(await store.turn(old.turn, old.caller)).toBeUndefined();
    expect(await store.turn(young.turn, young.caller)).toEqual(young);
  });

  test('beyond the limit of size the oldest go, and what is larger than all of it drives none out', async () => {
    const small = open({ maxAgeMs: 30 * DAY_MS, maxBytes: 100_000 });
    const records = Array.from({ length: 8 }, () => expansionRecord({ bytes: 20_000 }));
    for (const record of records) await small.put(record);
    const large = expansionRecord({ bytes: 100_001 });
    expect(await small.put(large)).toBe(false);
    await swept(small);
    const found = await small.find([...records, large].map(({ lineage }) => lineage));
    expect([...found.values()].flat().map(({ turn }) => turn)).toEqual(records.slice(-4).map(({ turn }) => turn));
    await small.close();
  });
}
