// @ts-check
import { WholeRun } from './bench.js';
import { Cleanup } from './cleanup.js';
import { describeMachine } from './machine.js';
import { parseOptions, USAGE } from './options.js';
import { busyLine, headLine, machineLine, resultLines, slowestLine, unaskedLines } from './report.js';
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
  const whole = await WholeRun.start(options, cleanup);
  print(headLine());
  const results = [];
  /** @type {Array<[name: string, seconds: number]>} */
  const took = [];
  for (const row of chosenRows(options)) {
    const beganAt = performance.now();
    const bench = await whole.bench(row.mode ?? 'bare');
    for (const result of await row.run(bench)) {
      results.push(result);
      for (const text of resultLines(result)) print(text);
    }
    for (const text of unaskedLines(whole.model.takeUnasked())) print(text);
    took.push([row.name, (performance.now() - beganAt) / 1_000]);
  }
  const calls = whole.modelCalls();
  if (calls) {
    results.push(calls);
    for (const text of resultLines(calls)) print(text);
  }
  print(busyLine(whole.busy));
  print(slowestLine(took));
  for (const { name } of results.filter(isDisproved)) {
    print(`failed: ${name}`);
    process.exitCode = 1;
  }
  if (options.save) print(`saved as ${saveResults({ machine, options, busy: whole.busy, results })}`);
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
