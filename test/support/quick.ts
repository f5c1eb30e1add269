import { test } from 'vitest';

/** The tag of a test over the real SDK that `npm test` runs too: one for each path, kind of fault and fact. */
export const QUICK = { tags: ['quick'] };

/**
 * `test.each`, of whose rows some have the tag.
 *
 * @param isQuick whether `npm test` runs the row at this place, too
 */
export function testEach<Row extends readonly unknown[] | readonly [unknown]>(
  rows: readonly Row[],
  isQuick: (row: Row, at: number) => boolean,
): (name: string, run: (...row: Row) => Promise<void>) => void;
export function testEach<Row>(
  rows: readonly Row[],
  isQuick: (row: Row, at: number) => boolean,
): (name: string, run: (row: Row) => Promise<void>) => void;
export function testEach<Row>(rows: readonly Row[], isQuick: (row: Row, at: number) => boolean) {
  return (name: string, run: (...row: never[]) => Promise<void>): void => {
    for (const [at, row] of rows.entries()) {
      test.each([row])(name, isQuick(row, at) ? QUICK : {}, run as (...row: unknown[]) => Promise<void>);
    }
  };
}
