// @ts-check
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../support/free-port.js';

/** Where Debian keeps the programs of each version. */
const DEBIAN = '/usr/lib/postgresql';
const START_DEADLINE_MS = 60_000;

/**
 * The folder of Postgres's own programs.
 *
 * @returns {string | undefined} undefined where there is no Postgres
 */
export function findPostgres() {
  const ofDebian = existsSync(DEBIAN) ? readdirSync(DEBIAN).map((version) => join(DEBIAN, version, 'bin')) : [];
  return [...ofDebian, ...(process.env.PATH ?? '').split(delimiter)].find((folder) =>
    ['initdb', 'postgres'].every((program) => existsSync(join(folder, program))),
  );
}

/**
 * Starts an empty database on 127.0.0.1, which only the returned address opens.
 *
 * @param {string} programs the folder of Postgres's programs
 * @param {string} folder a new one, for its files
 * @param {import('../../../bench/cleanup.js').Cleanup} cleanup
 * @returns {Promise<string>} the address that its clients take, `postgres://…`
 */
export async function startPostgres(programs, folder, cleanup) {
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  const password = randomBytes(24).toString('hex');
  mkdirSync(folder, { recursive: true });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const user = unprivileged();
  if (user) for (const path of [folder, passwordFile]) chownSync(path, user.uid, user.gid);
  chmodSync(folder, 0o700);

  const options = { ...user, cwd: folder, env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' } };
  const made = spawnSync(
    join(programs, 'initdb'),
    ['--pgdata', data, '--username', 'gateway', '--pwfile', passwordFile, '--auth', 'scram-sha-256', '--no-sync'],
    { ...options, encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(`initdb ended with ${made.status}: ${made.stderr}`);

  const port = await freePort();
  const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: '', fsync: 'off' };
  const child = spawn(
    join(programs, 'postgres'),
    ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { ...options, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const exited = once(child, 'exit');
  let output = '';
  child.stderr.on('data', (chunk) => {
    output = `${output}${chunk}`.slice(-10_000);
  });
  cleanup.add(async () => {
    // Its fast end: it waits for no client.
    child.kill('SIGINT');
    await exited;
  });
  const until = performance.now() + START_DEADLINE_MS;
  while (!(await listens(port))) {
    if (child.exitCode !== null) throw new Error(`postgres ended with ${child.exitCode}: ${output}`);
    if (performance.now() > until) throw new Error(`postgres does not listen: ${output}`);
    await sleep(50);
  }
  return `postgres://gateway:${password}@127.0.0.1:${port}/postgres`;
}

/** Postgres refuses to run as root; its package brings a user for it. */
function unprivileged() {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = ['-u', '-g'].map((flag) =>
    Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout),
  );
  if (!uid || !gid) throw new Error('Postgres does not run as root, and there is no user named postgres.');
  return { uid, gid };
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
