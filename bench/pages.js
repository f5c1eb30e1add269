// @ts-check
import { isMet } from './comparison.js';
import { plot } from './plot.js';
import { busyLine, machineLine, number, precise } from './report.js';
import { isWithinBounds } from './results.js';
import { median, quantile, ratioRange } from './statistics.js';

/** @typedef {import('./results.js').Result} Result */
/** @typedef {import('./results.js').Curve} Curve */

/**
 * The pages of a run that was saved.
 *
 * @param {import('./saved-results.js').SavedRun} run
 * @returns {Promise<Array<[name: string, text: string]>>} `benchmark.md` and the plots that it shows
 */
export async function benchmarkPages(run) {
  const curves = run.results.filter((result) => result.kind === 'curve');
  /** @type {Array<[string, string]>} */
  const plots = [];
  for (const curve of curves) plots.push([plotName(curve), await plot(curve)]);
  return [['benchmark.md', page(run, curves)], ...plots];
}

/** @param {Curve} curve */
function plotName({ file }) {
  return `benchmark-${file}.svg`;
}

/**
 * @param {import('./saved-results.js').SavedRun} run
 * @param {Curve[]} curves
 */
function page({ date, machine, busy, results }, curves) {
  return `# The last benchmark that was kept

Made by \`npm run docs\` from the latest file in \`bench/results\`, which has all samples. Measured on ${date.slice(0, 10)}:
${machineLine(machine)}; ${busyLine(busy)}.

Absolute times move with the machine; compare within one run. "Bare" is the same step with the Agent SDK alone, taken by
turns with the gateway's. Both sides are in Claude Code's bare mode, unless the name says full mode. Times are milliseconds,
p50 / p95, until the model is called, unless the name says otherwise.

${table(['step', 'n', 'gateway', 'bare', 'ratio', 'over its thirds', 'target', 'met'], results.flatMap(comparisonCells))}

## The gateway by itself

${table(['what', 'value', 'target', 'met'], results.flatMap(figureCells))}

## Growth

${curves.map((curve) => `![${curve.name}](${plotName(curve)})\n\n${capitalised(curve.name)}.`).join('\n\n')}
`;
}

/** @param {Result} result */
function comparisonCells(result) {
  if (result.kind !== 'comparison') return [];
  const { name, gateway, bare, target } = result;
  const times = (/** @type {number[]} */ samples) => `${number(median(samples))} / ${number(quantile(samples, 0.95))}`;
  const range = ratioRange(gateway, bare);
  return [
    [
      name,
      String(gateway.length),
      times(gateway),
      times(bare),
      (median(gateway) / median(bare)).toFixed(2),
      range ? `${range.least.toFixed(2)} – ${range.greatest.toFixed(2)}` : '',
      target.text,
      isMet(result) ? 'yes' : '**no**',
    ],
  ];
}

/** @param {Result} result */
function figureCells(result) {
  if (result.kind !== 'figures') return [];
  return result.figures.map((figure) => {
    const { label, value, unit, atLeast, atMost } = figure;
    const bounds = [atLeast === undefined ? '' : `≥ ${atLeast}`, atMost === undefined ? '' : `≤ ${atMost}`];
    const target = bounds.filter((bound) => bound !== '').join(', ');
    return [
      `${result.name}: ${label}`,
      `${precise(value)} ${unit}`.trim(),
      target,
      target === '' ? '' : isWithinBounds(figure) ? 'yes' : '**no**',
    ];
  });
}

/**
 * @param {string[]} head
 * @param {string[][]} lines
 */
function table(head, lines) {
  const rows = [head, head.map(() => '---'), ...lines];
  return rows.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
}

/** @param {string} text */
function capitalised(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
