// @ts-check
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sdkVersions } from '../dist/src/engine/environment/executable.js';

/** How long the machine is watched before it counts as quiet, in milliseconds. */
const WATCH_MS = 150;
/** The share of its cores below which it counts as quiet. */
const QUIET = 0.15;
/** The longest wait for a quiet machine, in milliseconds; then the sample is taken anyway. */
const PATIENCE_MS = 2_000;

/**
 * What a reader needs to know to compare two runs.
 *
 * @typedef {object} Machine
 * @property {number} cores
 * @property {string} processor
 * @property {number} memoryMb
 * @property {string} platform
 * @property {string} node
 * @property {string} sdk
 * @property {string} claude
 * @property {string} commit
 */

/** @returns {Machine} */
export function describeMachine() {
  const { sdk, claudeCode } = sdkVersions();
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memoryMb: Math.round(totalmem() / 1024 / 1024),
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
    sdk,
    claude: claudeCode ?? 'unknown',
    commit: commit(),
  };
}

/**
 * Waits until the machine is quiet, for a while at most.
 *
 * @returns {Promise<number>} the share of the cores that was busy when the wait ended
 */
export async function settle() {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const before = times();
    await sleep(WATCH_MS);
    const after = times();
    const busy = (after.busy - before.busy) / Math.max(1, after.all - before.all);
    if (busy < QUIET || performance.now() > until) return busy;
  }
}

function times() {
  const sum = { busy: 0, all: 0 };
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.idle + times.irq;
    sum.all += all;
    sum.busy += all - times.idle;
  }
  return sum;
}

/** The commit that was measured, marked if the tree differs from it. */
function commit() {
  const git = (/** @type {string[]} */ ...args) =>
    execFileSync('git', args, { cwd: fileURLToPath(new URL('.', import.meta.url)), stdio: 'pipe' })
      .toString()
      .trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', '../src', '../scripted-model') ? ' with changes' : ''}`;
  } catch {
    return 'unknown';
  }
}
