// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A folder whose `node_modules` holds these packages; installs them when they are not there yet. No install script runs.
 *
 * @param {string} cache the folder that holds one folder for each installed client
 * @param {string[]} packages with their exact versions, `name@1.2.3`; the first one names the folder
 * @returns {Promise<string>}
 */
export async function installPackages(cache, packages) {
  const folder = join(cache, String(packages[0]).replace(/^@/, '').replaceAll(/[@/]/g, '-'));
  if (existsSync(folder)) return folder;
  process.stdout.write(`Installing ${packages.join(', ')} into ${folder} …\n`);
  mkdirSync(cache, { recursive: true });
  // Renamed at the end, so that an interrupted install is never taken for a whole one.
  const unfinished = mkdtempSync(join(cache, '.installing-'));
  try {
    const options = ['--ignore-scripts', '--save-exact', '--no-audit', '--no-fund', '--loglevel=error'];
    const npm = spawn('npm', ['install', '--prefix', unfinished, ...options, ...packages], { stdio: 'inherit' });
    const [code] = await once(npm, 'exit');
    if (code !== 0) throw new Error(`npm could not install ${packages.join(', ')}.`);
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}
