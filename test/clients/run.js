// @ts-check
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installBinary } from './install-binary.js';
import { installCodex } from './install-codex.js';
import { installNode22 } from './install-node-22.js';
import { installOpenCode } from './install-opencode.js';
import { installPackages } from './install-packages.js';

// Runs the checks of foreign clients of every day, or with `--all` every one; of all files, or of those that are named, as in
// `… run.js opencode-server`. With `--install` it only installs the clients.
// Plain JavaScript, because it decides where the checks run before anything that understands TypeScript is started.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const VITEST = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const CONFIGURATION = join(ROOT, 'test', 'clients', 'vitest.config.ts');

/**
 * A network of its own, where nothing is but loopback; and process numbers of its own, so that whatever is still running
 * at the end ends with it.
 */
const NAMESPACES = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
const WITH_LOOPBACK = ['sh', '-c', 'ip link set lo up && "$@"; exit $?', 'sh'];

/**
 * The words to put before a command so that it runs in those namespaces.
 *
 * @returns {string[] | undefined} undefined when this machine does not permit it
 */
function namespacePrefix() {
  // Without root, a user namespace of one's own may permit the others.
  return [
    ['unshare', ...NAMESPACES, ...WITH_LOOPBACK],
    ['unshare', '--map-root-user', ...NAMESPACES, ...WITH_LOOPBACK],
  ].find(([program = '', ...rest]) => spawnSync(program, [...rest, 'true'], { stdio: 'ignore' }).status === 0);
}

/**
 * @param {string[]} command
 * @param {NodeJS.ProcessEnv} env
 * @param {NodeJS.Signals | undefined} ending what to send in place of a signal that asks for the end
 * @returns {Promise<number>} the exit code
 */
function runToEnd([program = '', ...rest], env, ending) {
  const child = spawn(program, rest, { cwd: ROOT, env, stdio: 'inherit' });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => child.kill(ending ?? signal));
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

const words = process.argv.slice(2);
const names = words.filter((word) => !word.startsWith('--'));

const cache = join(ROOT, '.cache', 'clients');
const [binary, vercelAi, ohMyOpenCode, node22, pi, qwenCode, continueCli, cline, kilo, droid, openAi, codex, deepChat] =
  await Promise.all([
    installOpenCode(cache),
    // The last versions that run on Node 20.
    installPackages(cache, ['ai@6.0.324', '@ai-sdk/anthropic@3.0.139', 'zod@4.6.7']),
    // A plugin of OpenCode. Its install scripts would look for binaries that it does without.
    installPackages(cache, ['oh-my-opencode@4.19.4']),
    installNode22(cache),
    installPackages(cache, ['@earendil-works/pi-coding-agent@0.87.1']),
    installPackages(cache, ['@qwen-code/qwen-code@0.24.4']),
    installPackages(cache, ['@continuedev/cli@1.5.47']),
    installBinary(cache, '@cline/cli', '3.0.65', 'cline'),
    installBinary(cache, '@kilocode/cli', '7.7.7', 'kilo'),
    installBinary(cache, '@factory/cli', '0.215.0', 'droid'),
    installPackages(cache, [
      'openai@7.57.0',
      'ai@7.0.173',
      '@ai-sdk/openai@4.0.118',
      '@ai-sdk/openai-compatible@3.0.92',
      '@openai/agents@0.20.0',
      '@langchain/openai@1.6.0',
      '@langchain/core@1.4.0',
      'zod@4.6.7',
    ]),
    installCodex(cache),
    installPackages(cache, ['deep-chat@2.4.2']),
  ]);
if (words.includes('--install')) process.exit();

const prefix = namespacePrefix();
process.stdout.write(
  prefix
    ? 'Network: a namespace in which only loopback exists.\n'
    : 'Network: the host’s own, because `unshare -n` is not permitted here; everything still talks to 127.0.0.1 alone.\n',
);

// Every temporary folder of the checks is made in here, so that none outlives them, however they end.
const temporary = mkdtempSync(join(tmpdir(), 'isthmus-clients-'));
try {
  process.exitCode = await runToEnd(
    [...(prefix ?? []), process.execPath, VITEST, 'run', '--config', CONFIGURATION, ...names],
    {
      ...process.env,
      ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }),
      TMPDIR: temporary,
      ISTHMUS_CLIENTS_ALL: words.includes('--all') ? '1' : '',
      ISTHMUS_CLIENTS_OPENCODE: binary,
      ISTHMUS_CLIENTS_OH_MY_OPENCODE: ohMyOpenCode,
      ISTHMUS_CLIENTS_VERCEL_AI: vercelAi,
      ISTHMUS_CLIENTS_NODE_22: node22,
      ISTHMUS_CLIENTS_PI: pi,
      ISTHMUS_CLIENTS_QWEN_CODE: qwenCode,
      ISTHMUS_CLIENTS_CONTINUE: continueCli,
      ISTHMUS_CLIENTS_CLINE: cline,
      ISTHMUS_CLIENTS_KILO: kilo,
      ISTHMUS_CLIENTS_DROID: droid,
      ISTHMUS_CLIENTS_OPENAI: openAi,
      ISTHMUS_CLIENTS_CODEX: codex,
      ISTHMUS_CLIENTS_DEEP_CHAT: deepChat,
      ISTHMUS_CLIENTS_NETWORK: prefix ? 'loopback' : 'host',
    },
    // `unshare` ignores gentler signals while it waits; all processes in its namespace go with it.
    prefix && 'SIGKILL',
  );
} finally {
  rmSync(temporary, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
