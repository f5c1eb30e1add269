import { test } from 'vitest';
import { type WideTable, widthOf } from './depth.ts';
import { testEach } from './quick.ts';

type Of<Row> = (row: Row, at: number) => boolean;

/** Which rows of a table run when. */
export interface Parts<Row> {
  /** In `npm test`, too. */
  isQuick?: Of<Row>;
  /** Every day; the other rows are left to the soak. */
  isEveryday: Of<Row>;
}

/**
 * `test.each` of a table that is too wide for every day. In the soak each of its other rows is a test as well, in an order
 * of the seed, until the table's time is over. Every day has a row for each kind, way, model and credential of the table.
 */
export function testParts<Row extends readonly unknown[] | readonly [unknown]>(
  table: WideTable,
  rows: readonly Row[],
  parts: Parts<Row>,
): (name: string, run: (...row: Row) => Promise<void>) => void;
export function testParts<Row>(
  table: WideTable,
  rows: readonly Row[],
  parts: Parts<Row>,
): (name: string, run: (row: Row) => Promise<void>) => void;
export function testParts<Row>(
  table: WideTable,
  rows: readonly Row[],
  { isQuick = () => false, isEveryday }: Parts<Row>,
) {
  return (name: string, run: (...row: never[]) => Promise<void>): void => {
    const quick = rows.filter(isQuick);
    const everyday = rows.filter((row, at) => isQuick(row, at) || isEveryday(row, at));
    testEach<Row>(everyday, (row) => quick.includes(row))(name, run as (row: Row) => Promise<void>);
    const width = widthOf(table);
    for (const row of width.take(rows.filter((other) => !everyday.includes(other)))) {
      // A row that is tried once more is not left out then.
      let isLeftOut: boolean | undefined;
      test.for([row])(name, { tags: ['soak'] }, async (_row, { skip }) => {
        isLeftOut ??= width.isOver();
        skip(isLeftOut, 'the time of its table is over');
        await run(...((Array.isArray(row) ? row : [row]) as never[]));
      });
    }
  };
}

/** What declares the tests of a suite that several files share. */
export type TestOf = Pick<typeof test, 'each'> & ((name: string, run: () => void | Promise<void>) => void);

/**
 * `test` of a suite that is too wide for every day.
 *
 * @param everyday the names of the tests that run every day, of a table's rows the first one
 */
export function partOf(table: WideTable, everyday: readonly string[]): TestOf {
  const declare = (name: string, run: () => void | Promise<void>) =>
    testParts(table, [name], { isEveryday: () => everyday.includes(name) })('%s', async () => run());
  const each = (rows: readonly unknown[]) => (name: string, run: (row: unknown) => Promise<void>) =>
    testParts(table, rows, { isEveryday: (_row, at) => at === 0 && everyday.includes(name) })(name, run);
  return Object.assign(declare, { each }) as TestOf;
}
