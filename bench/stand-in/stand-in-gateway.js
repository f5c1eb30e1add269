// @ts-check
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('program.js', import.meta.url));

/**
 * @typedef {object} Usage
 * @property {number} cpuMs processor time so far
 * @property {{ gateway: number[]; plain: number[] }} times of each request since the last look, in milliseconds: from its
 *   head to its answer's end
 * @property {{ gateway: number[]; plain: number[] }} relays of each event since the last look, in milliseconds: from the
 *   engine, or the plain server's own clock, to the moment when the system has its bytes
 */

/**
 * The gateway's real server, routes and pool over an engine that does nothing, with a plain server beside it. Both run in a
 * process of their own.
 *
 * @typedef {object} StandInGateway
 * @property {string} gatewayUrl
 * @property {string} plainUrl
 * @property {() => Promise<Usage>} usage
 * @property {() => Promise<{ rssBytes: number }>} memory after a garbage collection
 * @property {() => Promise<void>} stop
 */

/**
 * @param {import('../bench.js').Bench} bench
 * @returns {Promise<StandInGateway>}
 */
export async function startStandInGateway({ cleanup, options }) {
  cleanup.assertOpen();
  const child = fork(PROGRAM, {
    env: { PATH: process.env.PATH ?? '' },
    execArgv: ['--expose-gc', ...(options.profile === '' ? [] : ['--cpu-prof', '--cpu-prof-dir', options.profile])],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const exited = once(child, 'exit');
  const stop = cleanup.add(async () => {
    if (child.connected) child.disconnect();
    await exited;
  });
  const reply = async () => {
    const [message] = await Promise.race([
      once(child, 'message'),
      exited.then(([code]) => Promise.reject(new Error(`the stand-in ended with ${code}`))),
    ]);
    return /** @type {any} */ (message);
  };
  const { gatewayUrl, plainUrl } = await reply();
  return {
    gatewayUrl,
    plainUrl,
    async usage() {
      child.send('usage');
      return reply();
    },
    async memory() {
      child.send('memory');
      return reply();
    },
    stop,
  };
}
