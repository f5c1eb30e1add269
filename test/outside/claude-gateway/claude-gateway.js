// @ts-check
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findExecutable } from '../../../dist/src/engine/environment/executable.js';
import { freePort } from '../../support/free-port.js';
import { CLIENT, startIssuer } from './issuer.js';
import { startPostgres } from './postgres.js';
import { signIn } from './sign-in.js';

const START_DEADLINE_MS = 60_000;

/**
 * Claude Code's own gateway, over a model.
 *
 * @typedef {object} ClaudeGateway
 * @property {string} url
 * @property {string} token what its clients send as bearer
 */

/**
 * Starts `claude gateway`, with all that it wants around it, and signs in.
 *
 * @param {string} modelUrl
 * @param {string} postgres the folder of Postgres's programs
 * @param {string} folder a new one, for all files
 * @param {import('../../../bench/cleanup.js').Cleanup} cleanup
 * @returns {Promise<ClaudeGateway>}
 */
export async function startClaudeGateway(modelUrl, postgres, folder, cleanup) {
  const store = await startPostgres(postgres, join(folder, 'postgres'), cleanup);
  const issuer = await startIssuer(cleanup);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const home = join(folder, 'home');
  const configuration = join(folder, 'gateway.yaml');
  mkdirSync(home, { recursive: true });
  // YAML takes JSON.
  writeFileSync(
    configuration,
    JSON.stringify({
      listen: { host: '127.0.0.1', port, public_url: url },
      session: { jwt_secret: randomBytes(32).toString('hex') },
      store: { postgres_url: store },
      oidc: { issuer, client_id: CLIENT.id, client_secret: CLIENT.secret },
      upstreams: [{ name: 'scripted', provider: 'anthropic', base_url: modelUrl, auth: { api_key: 'dummy' } }],
    }),
  );
  const child = spawn(findExecutable(undefined).path, ['gateway', '--config', configuration], {
    env: { PATH: process.env.PATH ?? '', HOME: home, TMPDIR: home, CLAUDE_GATEWAY_ALLOW_LOOPBACK: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output = `${output}${chunk}`.slice(-10_000);
    });
  }
  cleanup.add(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const until = performance.now() + START_DEADLINE_MS;
  while (!(await fetch(`${url}/readyz`).catch(() => undefined))?.ok) {
    if (child.exitCode !== null) throw new Error(`claude gateway ended with ${child.exitCode}: ${output}`);
    if (performance.now() > until) throw new Error(`claude gateway is not ready: ${output}`);
    await sleep(100);
  }
  return { url, token: await signIn(url) };
}
