// @ts-check
import { isMet } from './comparison.js';
import { isWithinBounds } from './results.js';
import { median, quantile, ratioRange } from './statistics.js';

/** @typedef {import('./comparison.js').Comparison} Comparison */
/** @typedef {import('./machine.js').Machine} Machine */
/** @typedef {import('./results.js').Curve} Curve */
/** @typedef {import('./results.js').Figures} Figures */
/** @typedef {import('./results.js').Result} Result */

/** @param {Machine} machine */
export function machineLine(machine) {
  const { cores, processor, memoryMb, platform, node, sdk, claude, commit } = machine;
  return `${cores} cores (${processor}), ${memoryMb} MB, ${platform}, Node ${node}, Agent SDK ${sdk}, Claude Code ${claude}, commit ${commit}`;
}

const WIDTHS = [48, 3, 15, 14, 6, 9, 23, 4, 13];

/** The table's head. */
export function headLine() {
  return line(['ms', 'n', 'gateway p50/p95', 'bare p50/p95', 'ratio', 'p50 diff', 'target', 'met', 'ratio wanders']);
}

/**
 * @param {Result} result
 * @returns {string[]}
 */
export function resultLines(result) {
  switch (result.kind) {
    case 'comparison':
      return [comparisonLine(result)];
    case 'figures':
      return figuresLines(result);
    case 'curve':
      return curveLines(result);
  }
}

/** @param {Comparison} comparison */
function comparisonLine(comparison) {
  const { name, gateway, bare, target } = comparison;
  const range = ratioRange(gateway, bare);
  return line([
    name,
    String(gateway.length),
    `${number(median(gateway))} / ${number(quantile(gateway, 0.95))}`,
    `${number(median(bare))} / ${number(quantile(bare, 0.95))}`,
    (median(gateway) / median(bare)).toFixed(2),
    number(median(gateway) - median(bare)),
    target.text,
    isMet(comparison) ? 'yes' : 'NO',
    range ? `${range.least.toFixed(2)}-${range.greatest.toFixed(2)}` : '',
  ]);
}

/** @param {Figures} figures */
function figuresLines({ name, figures, notes = [] }) {
  const cells = figures.map((figure) => {
    const { label, value, unit, atMost, atLeast } = figure;
    const bounds = [
      ...(atLeast === undefined ? [] : [`>= ${atLeast}`]),
      ...(atMost === undefined ? [] : [`<= ${atMost}`]),
    ];
    const verdict = bounds.length === 0 ? '' : ` (${bounds.join(', ')}: ${isWithinBounds(figure) ? 'yes' : 'NO'})`;
    return `${precise(value)} ${unit} ${label}${verdict}`;
  });
  return [`${name.padEnd(WIDTHS[0] ?? 0)} ${cells.join(', ')}`, ...notes.map((text) => `  ${text}`)];
}

/** @param {Curve} curve */
function curveLines({ name, x, y, series }) {
  const positions = [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => a - b);
  const rows = [
    [x.label, ...positions.map(String)],
    ...series.map(({ name: label, points }) => {
      const values = new Map(points);
      return [`${label}, ${y.label}`, ...positions.map((at) => (values.has(at) ? precise(values.get(at) ?? 0) : ''))];
    }),
  ];
  return [
    name,
    ...rows.map(([label = '', ...cells]) => `  ${label.padEnd(46)}${cells.map((cell) => cell.padStart(9)).join('')}`),
  ];
}

/** @param {readonly string[]} requests that no turn asked for */
export function unaskedLines(requests) {
  return requests.map((text) => `  unasked call: ${text}`);
}

/** The other load on the machine. @param {readonly number[]} busy */
export function busyLine(busy) {
  if (busy.length === 0) return 'noise: not watched';
  const percent = (/** @type {number} */ share) => `${Math.round(100 * quantile(busy, share))} %`;
  return `noise: before the samples the machine was ${percent(0.5)} busy (median), ${percent(0.95)} (p95)`;
}

/** The rows that took the longest. @param {Array<[name: string, seconds: number]>} took */
export function slowestLine(took) {
  const slowest = took.sort(([, one], [, other]) => other - one).slice(0, 10);
  return `the slowest rows: ${slowest.map(([name, seconds]) => `${name} ${seconds.toFixed(0)} s`).join(', ')}`;
}

/** Three significant digits. @param {number} value */
export function precise(value) {
  if (Number.isInteger(value) || Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.abs(value) < 10 ? 2 : 1);
}

/** Milliseconds. @param {number} value */
export function number(value) {
  return value.toFixed(Math.abs(value) < 100 ? 1 : 0);
}

/** @param {string[]} cells */
function line(cells) {
  return cells
    .map((cell, index) =>
      index === 0 || index === 6 ? cell.padEnd(WIDTHS[index] ?? 0) : cell.padStart(WIDTHS[index] ?? 0),
    )
    .join(' ')
    .trimEnd();
}
