// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createSurroundings } from './surroundings.js';

const PROGRAM = fileURLToPath(new URL('../bin/isthmus.js', import.meta.url));
const READY_DEADLINE_MS = 60_000;

/**
 * A gateway as users run it: the real program, in a process of its own.
 *
 * @typedef {object} GatewayProcess
 * @property {string} url
 * @property {() => Promise<void>} ready resolves when it answers no turn and all of its spares are ready
 * @property {() => Promise<void>} stop
 */

/**
 * @param {string} modelUrl
 * @param {import('./cleanup.js').Cleanup} cleanup gets its end before it has begun
 * @param {object} [settings]
 * @param {number} [settings.spares]
 * @param {string[]} [settings.flags] more flags of `isthmus serve`
 * @returns {Promise<GatewayProcess>}
 */
export async function startGateway(modelUrl, cleanup, { spares = 2, flags = [] } = {}) {
  cleanup.assertOpen();
  const { env, remove } = createSurroundings(modelUrl);
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--port', '0', '--spares', String(spares), ...flags], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = cleanup.add(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    }
    remove();
  });
  /** @type {string} */
  const url = await new Promise((resolve, reject) => {
    let output = '';
    const read = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk).slice(-10_000);
      const match = /listens on (\S+)/.exec(output);
      if (match?.[1]) resolve(match[1]);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`isthmus serve ended with ${code}: ${output}`)));
  });
  return {
    url,
    stop,
    async ready() {
      const until = performance.now() + READY_DEADLINE_MS;
      for (;;) {
        const { processes } = /** @type {any} */ (await (await fetch(`${url}/health`)).json());
        if (processes.spare === spares && processes.streaming === 0) return;
        if (performance.now() > until) throw new Error(`the spares were not ready: ${JSON.stringify(processes)}`);
        await sleep(20);
      }
    },
  };
}
