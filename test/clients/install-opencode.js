// @ts-check
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The version that the checks were written against. */
const VERSION = '1.18.33';

/**
 * The path of an OpenCode binary of the pinned version that runs on this machine; installs it when it is not there yet.
 *
 * No install script runs: the binaries are in the platform packages as they are.
 *
 * @param {string} cache the folder that holds one folder for each installed client
 * @returns {string}
 */
export function installOpenCode(cache) {
  const folder = join(cache, `opencode-${VERSION}`);
  const installed = findBinary(folder);
  if (installed) return installed;

  process.stdout.write(`Installing opencode-ai ${VERSION} into ${folder} …\n`);
  mkdirSync(cache, { recursive: true });
  // Renamed at the end, so that an interrupted install is never taken for a whole one.
  const unfinished = mkdtempSync(join(cache, '.installing-'));
  try {
    const options = ['--ignore-scripts', '--save-exact', '--no-audit', '--no-fund', '--loglevel=error'];
    const { status } = spawnSync('npm', ['install', '--prefix', unfinished, ...options, `opencode-ai@${VERSION}`], {
      stdio: 'inherit',
    });
    if (status !== 0) throw new Error(`npm could not install opencode-ai ${VERSION}.`);
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
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
