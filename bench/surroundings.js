// @ts-check
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * An environment built from nothing. What the benchmark starts sees no setting, sign-in or configuration of this machine's
 * user, and talks to the scripted model only.
 *
 * @typedef {object} Surroundings
 * @property {Record<string, string>} env
 * @property {() => void} remove
 */

/** @typedef {import('../src/engine/environment/environment.ts').Mode} Mode */

/** The variable of a credential with which Claude Code runs in each mode. @type {Record<Mode, string>} */
const CREDENTIALS = { bare: 'ANTHROPIC_API_KEY', full: 'CLAUDE_CODE_OAUTH_TOKEN' };

/**
 * @param {string} modelUrl
 * @param {Mode} mode
 * @returns {Surroundings}
 */
export function createSurroundings(modelUrl, mode) {
  const home = mkdtempSync(join(tmpdir(), 'isthmus-bench-'));
  return {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      TMPDIR: home,
      CLAUDE_CONFIG_DIR: join(home, 'claude'),
      XDG_STATE_HOME: join(home, 'state'),
      [CREDENTIALS[mode]]: 'dummy',
      ANTHROPIC_BASE_URL: modelUrl,
    },
    remove: () => rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }),
  };
}
