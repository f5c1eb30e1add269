// @ts-check
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages } from './install-packages.js';

/**
 * The path of the binary in a platform package of npm. What fetches or links it in the package around it is left out: that is an
 * install script.
 *
 * @param {string} cache the folder that holds one folder for each installed client
 * @param {string} base the package's name without its platform, `@scope/cli`
 * @param {string} version
 * @param {string} program the binary's name
 * @returns {Promise<string>}
 */
export async function installBinary(cache, base, version, program) {
  const name = `${base}-${process.platform}-${process.arch}`;
  const path = join(await installPackages(cache, [`${name}@${version}`]), 'node_modules', name, 'bin', program);
  if (!existsSync(path)) throw new Error(`${name}@${version} has no ${program}.`);
  return path;
}
