// @ts-check
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { atMostTimes, byTurns } from '../comparison.js';

const ISTHMUS = fileURLToPath(new URL('../../bin/isthmus.js', import.meta.url));

/** @param {string[]} args */
function timeOf(args) {
  const begun = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}.`);
  return performance.now() - begun;
}

/**
 * How long a command that starts nothing takes, whole; the bare side is Node itself.
 *
 * @param {import('../bench.js').Bench} bench
 * @returns {Promise<import('../comparison.js').Comparison[]>}
 */
export async function helpTextRow(bench) {
  const compared = await byTurns(
    bench.options.warm,
    async () => timeOf([ISTHMUS, '--help']),
    async () => timeOf(['-e', '0']),
  );
  const target = atMostTimes(2);
  return [{ kind: 'comparison', name: 'isthmus --help, whole; bare: node -e 0', ...compared, target }];
}
