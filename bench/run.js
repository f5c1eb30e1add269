// @ts-check
import { Bench } from './bench.js';
import { Cleanup } from './cleanup.js';
import { describeMachine } from './machine.js';
import { parseOptions, USAGE } from './options.js';
import { busyLine, headLine, machineLine, resultLines, unaskedLines } from './report.js';
import { isDisproved } from './results.js';
import { chosenRows } from './rows.js';
import { saveResults } from './saved-results.js';

/**
 * @param {import('./options.js').Options} options
 * @param {Cleanup} cleanup
 */
async function run(options, cleanup) {
  const machine = describeMachine();
  print(machineLine(machine));
  const bench = await Bench.start(options, cleanup);
  print(headLine());
  const results = [];
  for (const row of chosenRows(options)) {
    for (const result of await row.run(bench)) {
      results.push(result);
      for (const text of resultLines(result)) print(text);
    }
    for (const text of unaskedLines(bench.model.takeUnasked())) print(text);
  }
  const calls = bench.modelCalls();
  if (calls) {
    results.push(calls);
    for (const text of resultLines(calls)) print(text);
  }
  print(busyLine(bench.busy));
  for (const { name } of results.filter(isDisproved)) {
    print(`failed: ${name}`);
    process.exitCode = 1;
  }
  if (options.save) print(`saved as ${saveResults({ machine, options, busy: bench.busy, results })}`);
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
