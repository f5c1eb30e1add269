// @ts-check
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * An environment built from nothing: nothing that the user of this machine has set, signed in to or configured is seen
 * by what the benchmark starts, and all of it talks to the scripted model alone.
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
