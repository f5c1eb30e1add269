// @ts-check
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPackages } from './install-packages.js';

/** The version that the checks were written against. */
const VERSION = '1.18.33';

/**
 * The path of an OpenCode binary of the pinned version that runs on this machine; installs it when it is not there yet.
 *
 * No install script runs: the binaries are in the platform packages as they are.
 *
 * @param {string} cache the folder that holds one folder for each installed client
 * @returns {Promise<string>}
 */
export async function installOpenCode(cache) {
  const folder = await installPackages(cache, [`opencode-ai@${VERSION}`]);
  const binary = findBinary(folder);
  if (!binary) throw new Error(`None of the OpenCode binaries in ${folder} runs on this machine.`);
  return binary;
}

/**
 * The first platform binary that says the pinned version: one built for another processor or C library fails to start.
 *
 * @param {string} folder
 */
function findBinary(folder) {
  const base = `opencode-${process.platform}-${process.arch}`;
  const names = [base, `${base}-baseline`, `${base}-musl`, `${base}-baseline-musl`];
  const home = mkdtempSync(join(tmpdir(), 'isthmus-opencode-'));
  try {
    return names
      .map((name) => join(folder, 'node_modules', name, 'bin', 'opencode'))
      .find((path) => existsSync(path) && saysVersion(path, home));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/**
 * @param {string} path
 * @param {string} home
 */
function saysVersion(path, home) {
  const env = { PATH: process.env.PATH ?? '', HOME: home, TMPDIR: home, OPENCODE_DISABLE_AUTOUPDATE: '1' };
  return spawnSync(path, ['--version'], { env, encoding: 'utf8' }).stdout?.trim() === VERSION;
}
