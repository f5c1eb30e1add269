// @ts-check
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = new URL('results/', import.meta.url);

/**
 * Everything that a run measured, down to the samples.
 *
 * @typedef {object} SavedRun
 * @property {string} date
 * @property {import('./machine.js').Machine} machine
 * @property {import('./options.js').Options} options
 * @property {number[]} busy the share of the cores that was busy before each sample that starts a process
 * @property {import('./results.js').Result[]} results
 */

/**
 * @param {Omit<SavedRun, 'date'>} run
 * @returns {string} the file's path
 */
export function saveResults(run) {
  const date = new Date().toISOString();
  const { cores, processor } = run.machine;
  const machine = `${cores}-cores-${processor}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const file = new URL(`${date.slice(0, 19).replaceAll(':', '')}-${machine}.json`, FOLDER);
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(file, `${JSON.stringify({ date, ...run }, withoutNoise, 1)}\n`);
  return fileURLToPath(file);
}

/** The latest saved run: the names begin with the dates. @returns {string | undefined} */
export function latestResults() {
  if (!existsSync(FOLDER)) return undefined;
  const latest = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .at(-1);
  return latest && fileURLToPath(new URL(latest, FOLDER));
}

/**
 * @param {string} file
 * @returns {SavedRun}
 */
export function readResults(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Microseconds are enough. @param {string} _key @param {unknown} value */
function withoutNoise(_key, value) {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value;
}
