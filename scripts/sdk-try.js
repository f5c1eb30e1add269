// @ts-check
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

// Runs the tests of the facts about the Agent SDK over its newest published version, or over a named one:
// `npm run sdk:try 0.3.332`. It works in a copy: the checkout, its lock file and its packages stay as they are.

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FACTS = ['--project', 'real', 'test/real/sdk-facts', 'test/sdk-recordings'];
const SDK = '@anthropic-ai/claude-agent-sdk';
const NOT_COPIED = new Set(['.cache', '.git', 'dist', 'node_modules']);

/** @type {import('node:child_process').ChildProcess | undefined} */
let running;
let isEnded = false;
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    isEnded = true;
    running?.kill(signal);
  });
}

/**
 * Runs a command in the copy. A signal to this program goes to the command.
 *
 * @param {string} cwd
 * @param {string} program
 * @param {string[]} line
 * @returns {Promise<boolean>} whether it went well
 */
function run(cwd, program, ...line) {
  // The facts have rows that do not run every day.
  const env = { ...process.env, ISTHMUS_SOAK_MINUTES: 'Infinity' };
  const child = spawn(program, line, { cwd, env, stdio: 'inherit' });
  running = child;
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code === 0));
  });
}

/** @param {string} copy */
function installedVersion(copy) {
  const file = join(copy, 'node_modules', SDK, 'package.json');
  const { version, claudeCodeVersion } = JSON.parse(readFileSync(file, 'utf8'));
  return `Agent SDK ${version} with Claude Code ${claudeCodeVersion}`;
}

/**
 * @param {string} copy an empty folder
 * @param {string} version
 * @returns {Promise<boolean>} whether every fact holds
 */
async function tryVersion(copy, version) {
  cpSync(ROOT, copy, { recursive: true, filter: (source) => !NOT_COPIED.has(relative(ROOT, source)) });
  // The other packages come by the copied lock file, and the `claude` binary with its SDK.
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  if (!(await run(copy, 'npm', 'install', ...options, `${SDK}@${version}`))) {
    process.stdout.write(`${SDK}@${version} ${isEnded ? 'was not' : 'could not be'} installed.\n`);
    return false;
  }
  const tried = installedVersion(copy);
  process.stdout.write(`Trying ${tried}.\n`);
  const holds = await run(copy, process.execPath, join('node_modules', 'vitest', 'vitest.mjs'), 'run', ...FACTS);
  const failed = isEnded ? 'ended before every fact was tried' : 'not every fact held, see above';
  process.stdout.write(`${tried}: ${holds ? 'every fact held' : failed}.\n`);
  return holds;
}

const copy = mkdtempSync(join(tmpdir(), 'isthmus-sdk-try-'));
try {
  process.exitCode = (await tryVersion(copy, process.argv[2] ?? 'latest')) ? 0 : 1;
} finally {
  rmSync(copy, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
