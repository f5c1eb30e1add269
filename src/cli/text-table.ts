import { escapeUnseen } from '../telemetry/escape-unseen.ts';

/** The lines of a table whose columns are as wide as their widest cell. */
export function table(rows: readonly string[][]): string[] {
  const clean = rows.map((row) => row.map(escapeUnseen));
  const widths = clean[0]?.map((_, column) => Math.max(...clean.map((row) => row[column]?.length ?? 0))) ?? [];
  return clean.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
