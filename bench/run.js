// @ts-check
import { mkdirSync, writeFileSync } from 'node:fs';
import { Bench } from './bench.js';
import { Cleanup } from './cleanup.js';
import { describeMachine } from './machine.js';
import { parseOptions, USAGE } from './options.js';
import { busyLine, callsLine, comparisonLine, headLine, machineLine, prefixLines, unaskedLines } from './report.js';
import { firstTurnWithoutSpareRow, firstTurnWithSpareRow, replayRow } from './rows/cold-turns.js';
import { promptPrefixRow } from './rows/prompt-prefix.js';
import { followUpRow, lateToolResultRow, toolResultRow } from './rows/warm-turns.js';

/** @typedef {import('./comparison.js').Comparison} Comparison */
/** @typedef {import('./rows/prompt-prefix.js').PrefixReport} PrefixReport */

/** @type {Array<[name: string, row: (bench: Bench) => Promise<Comparison>]>} */
const COMPARISONS = [
  ['tool result', toolResultRow],
  ['tool result, late', lateToolResultRow],
  ['follow-up', followUpRow],
  ['first turn, spare', firstTurnWithSpareRow],
  ['first turn, no spare', firstTurnWithoutSpareRow],
  ['replay 2', replayRow('2 messages', 2, 1_000, 50)],
  ['replay 20', replayRow('20 messages', 20, 20_000, 50)],
  ['replay 200 KB', replayRow('200 KB', 60, 200_000, 50)],
  ['replay 2 MB', replayRow('2 MB', 200, 2_000_000, 150)],
];

/**
 * @param {import('./options.js').Options} options
 * @param {Cleanup} cleanup
 */
async function run(options, cleanup) {
  const machine = describeMachine();
  print(machineLine(machine));
  const bench = await Bench.start(options, cleanup);
  print(headLine());
  const comparisons = [];
  for (const [name, row] of COMPARISONS) {
    if (!name.includes(options.only)) continue;
    const comparison = await row(bench);
    comparisons.push(comparison);
    print(comparisonLine(comparison));
    for (const text of unaskedLines(bench.model.takeUnasked())) print(text);
  }
  const prefix = 'prompt prefix'.includes(options.only) ? await promptPrefixRow(bench) : undefined;
  const calls = bench.model.calls('gateway');
  print(callsLine(calls, bench.turns));
  for (const text of [...(prefix ? prefixLines(prefix) : []), ...unaskedLines(bench.model.takeUnasked())]) print(text);
  print(busyLine(bench.busy));
  if (options.save) {
    print(`saved as ${save({ machine, options, comparisons, modelCalls: calls, turns: bench.turns, prefix })}`);
  }
}

/** @param {object} results */
function save(results) {
  const folder = new URL('results/', import.meta.url);
  const date = new Date().toISOString();
  const file = new URL(`${date.slice(0, 19).replaceAll(':', '')}.json`, folder);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify({ date, ...results }, undefined, 1)}\n`);
  return file.pathname;
}

/** @param {string} text */
function print(text) {
  process.stdout.write(`${text}\n`);
}

const cleanup = new Cleanup();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(name, () => void cleanup.run().finally(() => process.exit(1)));
}
try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) print(USAGE);
  else await run(options, cleanup);
} catch (error) {
  if (!cleanup.hasBegun) process.stderr.write(`bench: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await cleanup.run();
}
