// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CAN_LIST, processesWith } from './process-list.js';
import { createSurroundings } from './surroundings.js';

const PROGRAM = fileURLToPath(new URL('../bin/isthmus.js', import.meta.url));
const PROBE = fileURLToPath(new URL('probe.js', import.meta.url));
const READY_DEADLINE_MS = 60_000;

/**
 * A gateway as users run it: the real program, in a process of its own.
 *
 * @typedef {object} GatewayProcess
 * @property {string} url
 * @property {() => Promise<void>} ready resolves when no turn is under way, all spares are ready, and no process answers a
 *   question of the gateway or is about to exit
 * @property {() => Promise<void>} empty resolves when it has no process
 * @property {() => number[]} processes its living ones
 * @property {number} pid
 * @property {() => string[]} leftFiles files of the gateway and its processes, by their paths in its home
 * @property {import('./surroundings.js').Surroundings} surroundings
 * @property {() => Promise<{ heapBytes: number; rssBytes: number }>} memory after a garbage collection, if it is probed
 * @property {() => Promise<number>} loads turns that processes took that had another conversation, or more of the same
 * @property {() => LoggedTurn[]} turns all that are over, as its log tells of them
 * @property {(how: 'SIGTERM' | 'SIGKILL' | 'crash') => Promise<void>} end resolves when it has exited
 * @property {() => Promise<void>} stop
 */

/**
 * The way that a turn took.
 *
 * @typedef {object} LoggedTurn
 * @property {string} path
 * @property {string} process what served it: `live`, `used`, `spare` or `new`
 */

/**
 * @param {string} modelUrl
 * @param {import('./cleanup.js').Cleanup} cleanup gets the way to end it before it is spawned
 * @param {object} settings
 * @param {import('./surroundings.js').Mode} settings.mode of Claude Code
 * @param {number} [settings.spares] by default two in bare mode, and none in full mode, where each serves one system prompt and
 *   there is none before the first request
 * @param {string[]} [settings.flags] more flags of `isthmus serve`
 * @param {boolean} [settings.isProbed] whether `memory` and `crash` work
 * @param {import('./surroundings.js').Surroundings} [settings.surroundings] of an earlier gateway, in place of new ones
 * @returns {Promise<GatewayProcess>}
 */
export async function startGateway(modelUrl, cleanup, settings) {
  const { mode, flags = [], isProbed = false } = settings;
  const spares = settings.spares ?? (mode === 'bare' ? 2 : 0);
  cleanup.assertOpen();
  const surroundings = settings.surroundings ?? createSurroundings(modelUrl, mode);
  const { env, remove } = surroundings;
  const probe = isProbed ? ['--expose-gc', '--import', PROBE] : [];
  const args = [...probe, PROGRAM, 'serve', '--port', '0', '--spares', String(spares), ...flags];
  const child = spawn(process.execPath, args, {
    env,
    stdio: ['ignore', 'pipe', 'pipe', ...(isProbed ? [/** @type {const} */ ('ipc')] : [])],
  });
  const exited = once(child, 'exit');
  const stop = cleanup.add(async () => {
    child.kill('SIGTERM');
    await exited;
    remove();
  });
  /** @type {LoggedTurn[]} */
  const turns = [];
  const readLog = (/** @type {string} */ line) => {
    const [, path, served] = / turn .* path=(\w+) process=(\w+)/.exec(line) ?? [];
    if (path && served) turns.push({ path, process: served });
  };
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', readLog);
  }
  /** @type {string} */
  const url = await new Promise((resolve, reject) => {
    let output = '';
    const read = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk).slice(-10_000);
      const match = /listens on (\S+)/.exec(output);
      if (match?.[1]) resolve(match[1]);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => reject(new Error(`isthmus serve ended with ${code}: ${output}`)));
  });
  const pid = Number(child.pid);
  // They inherit its home, even after their parent has changed.
  const health = async () => /** @type {any} */ (await (await fetch(`${url}/health`)).json());
  const processes = () => processesWith(`HOME=${env.HOME}`).filter((other) => other !== pid);
  /** @param {(counts: Record<'streaming' | 'held' | 'idle' | 'spare' | 'spawning', number>) => boolean} holds */
  const until = async (holds) => {
    const deadline = performance.now() + READY_DEADLINE_MS;
    for (;;) {
      const { processes: counts } = await health();
      const { held, idle, spare } = counts;
      if (holds(counts) && (!CAN_LIST || processes().length === held + idle + spare)) return;
      if (performance.now() > deadline) throw new Error(`the gateway was not ready: ${JSON.stringify(counts)}`);
      await sleep(20);
    }
  };
  return {
    url,
    stop,
    pid,
    surroundings,
    leftFiles() {
      const home = /** @type {string} */ (env.HOME);
      const state = /** @type {string} */ (env.XDG_STATE_HOME);
      return [
        ...readdirSync(home).filter((name) => join(home, name) !== state),
        // The rest of Claude Code's configuration is its own to keep.
        ...readdirSync(state, { recursive: true, encoding: 'utf8' })
          .filter((name) => /[/]sessions[/]|[/]projects[/]|[.]lock$/.test(name))
          .map((name) => join(relative(home, state), name)),
      ];
    },
    processes,
    async memory() {
      child.send('memory');
      const [message] = await once(child, 'message');
      return /** @type {any} */ (message);
    },
    turns: () => [...turns],
    async loads() {
      const { reuse } = await health();
      return reuse.loads - reuse.failed;
    },
    async end(how) {
      if (how === 'crash') child.send('crash');
      else child.kill(how);
      await exited;
    },
    ready: () => until(({ streaming, spare, spawning }) => spare >= spares && streaming + spawning === 0),
    empty: () => until((counts) => Object.values(counts).every((count) => count === 0)),
  };
}
