import { afterEach, expect, test, vi } from 'vitest';
import { WIDE_TABLES, widthOf } from '../support/depth.ts';

const ROWS = ['a', 'b', 'c', 'd', 'e'];

afterEach(() => {
  vi.unstubAllEnvs();
});

/** The tables of which a soak takes rows. */
function tables(minutes: string, seed: number): string[] {
  vi.stubEnv('ISTHMUS_SOAK_MINUTES', minutes);
  vi.stubEnv('ISTHMUS_TEST_SEED', String(seed));
  return WIDE_TABLES.filter((table) => widthOf(table).take(ROWS).length > 0);
}

test('every day takes no row that is left to the soak', () => {
  vi.stubEnv('ISTHMUS_SOAK_MINUTES', '');
  expect(WIDE_TABLES.flatMap((table) => widthOf(table).take(ROWS))).toEqual([]);
});

test('a soak without minutes takes all rows of all tables, in an order of its seed, and is never over', () => {
  expect(tables('Infinity', 20_261_126)).toEqual(WIDE_TABLES);
  const width = widthOf('signIns');
  expect(width.take(ROWS).sort()).toEqual(ROWS);
  expect(width.isOver()).toBe(false);
  vi.stubEnv('ISTHMUS_TEST_SEED', '20261127');
  expect(widthOf('signIns').take(ROWS)).not.toEqual(width.take(ROWS));
});

test('soaks of minutes take each table within two weeks', () => {
  const days = Array.from({ length: 14 }, (_, day) => tables('3', 20_261_126 + day));
  expect(new Set(days.flat())).toEqual(new Set(WIDE_TABLES));
  expect(Math.max(...days.map(({ length }) => length))).toBeLessThan(WIDE_TABLES.length / 2);
});
