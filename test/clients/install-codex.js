// @ts-check
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages } from './install-packages.js';

/** The version that the checks were written against. */
const VERSION = '0.169.0';

/**
 * The path of the Codex binary for this machine. Its platforms are versions of one package.
 *
 * @param {string} cache the folder that holds one folder for each installed client
 * @returns {Promise<string>}
 */
export async function installCodex(cache) {
  const folder = await installPackages(cache, [`@openai/codex@${VERSION}-${process.platform}-${process.arch}`]);
  const vendor = join(folder, 'node_modules', '@openai', 'codex', 'vendor');
  const [target = ''] = readdirSync(vendor);
  return join(vendor, target, 'bin', 'codex');
}
