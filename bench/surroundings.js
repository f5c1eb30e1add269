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

/**
 * @param {string} modelUrl
 * @returns {Surroundings}
 */
export function createSurroundings(modelUrl) {
  const home = mkdtempSync(join(tmpdir(), 'isthmus-bench-'));
  return {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      TMPDIR: home,
      CLAUDE_CONFIG_DIR: join(home, 'claude'),
      ANTHROPIC_API_KEY: 'dummy',
      ANTHROPIC_BASE_URL: modelUrl,
    },
    remove: () => rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 }),
  };
}
