// @ts-check
import { join } from 'node:path';
import { installPackages } from './install-packages.js';

/**
 * The path of a Node that runs clients which Node 20 does not: this one, or else the platform package of npm, which holds
 * the binary as it is.
 *
 * @param {string} cache the folder that holds one folder for each installed client
 * @returns {Promise<string>}
 */
export async function installNode22(cache) {
  if (Number.parseInt(process.versions.node, 10) > 22) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  return join(await installPackages(cache, [`${name}@22.23.3`]), 'node_modules', name, 'bin', 'node');
}
