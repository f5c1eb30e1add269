// @ts-check
import { isMet } from './comparison.js';
import { median, quantile, ratioRange } from './statistics.js';

/** @typedef {import('./comparison.js').Comparison} Comparison */
/** @typedef {import('./machine.js').Machine} Machine */
/** @typedef {import('./rows/prompt-prefix.js').PrefixReport} PrefixReport */

/** @param {Machine} machine */
export function machineLine(machine) {
  const { cores, processor, memoryMb, platform, node, sdk, claude, commit } = machine;
  return `${cores} cores (${processor}), ${memoryMb} MB, ${platform}, Node ${node}, Agent SDK ${sdk}, Claude Code ${claude}, commit ${commit}`;
}

const WIDTHS = [40, 3, 15, 14, 6, 9, 23, 4, 13];

/** The table's head. */
export function headLine() {
  return line(['ms', 'n', 'gateway p50/p95', 'bare p50/p95', 'ratio', 'p50 diff', 'target', 'met', 'ratio wanders']);
}

/** One row of the table. @param {Comparison} comparison */
export function comparisonLine(comparison) {
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

/**
 * @param {number} calls that the model got through the gateway
 * @param {number} turns that clients were answered
 */
export function callsLine(calls, turns) {
  const ratio = turns === 0 ? Number.NaN : calls / turns;
  return `model calls per client turn: ${ratio.toFixed(3)} (${calls} calls, ${turns} turns; target 1.00)`;
}

/** @param {readonly string[]} requests that no turn asked for */
export function unaskedLines(requests) {
  return requests.map((text) => `  unasked call: ${text}`);
}

/** @param {PrefixReport} report */
export function prefixLines({ requests, kept, breaks }) {
  return [
    `prompt prefix kept byte for byte: ${kept} of ${requests} (target: all)`,
    ...breaks.map((text) => `  ${text}`),
  ];
}

/** What else the machine did. @param {readonly number[]} busy */
export function busyLine(busy) {
  if (busy.length === 0) return 'noise: not watched';
  const percent = (/** @type {number} */ share) => `${Math.round(100 * quantile(busy, share))} %`;
  return `noise: before the samples the machine was ${percent(0.5)} busy (median), ${percent(0.95)} (p95)`;
}

/** @param {number} value */
function number(value) {
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
