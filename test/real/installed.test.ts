import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { freePort } from '../support/free-port.js';
import { surroundings } from '../support/gateway.ts';
import { npm, packPackage } from '../support/packed-package.ts';
import { testParts } from '../support/test-parts.ts';

/** The package as its users get it: installed by npm with the `claude` binary that belongs to it, on each Node. */

const folder = mkdtempSync(join(tmpdir(), 'isthmus-installed-'));
const cache = npm(folder, ['config', 'get', 'cache']).trim();
let tarball = '';

beforeAll(() => {
  tarball = packPackage(folder).tarball;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A user who has nothing but npm, whose cache holds what was once fetched; `npx` installs into a cache of their own. */
class User {
  readonly home: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #remove: () => void;

  /** @param node its version, or `this one`, which runs the tests */
  constructor(node: string) {
    const { env, home, remove } = surroundings('http://127.0.0.1:9');
    this.home = home;
    this.#remove = remove;
    const ownCache = join(home, '.npm');
    mkdirSync(ownCache);
    symlinkSync(join(cache, '_cacache'), join(ownCache, '_cacache'));
    // The demo needs no sign-in; what is fetched comes from where this machine gets its packages.
    const { ANTHROPIC_API_KEY: _key, ANTHROPIC_BASE_URL: _url, HTTP_PROXY: _http, HTTPS_PROXY: _https, ...rest } = env;
    const ofNpm = Object.entries(process.env).filter(([name]) => /^npm_config_registry$|_proxy$/i.test(name));
    this.#env = {
      ...rest,
      ...Object.fromEntries(ofNpm),
      npm_config_cache: ownCache,
      npm_config_update_notifier: 'false',
    };
    this.#env.PATH = `${node === 'this one' ? dirname(process.execPath) : fetchedNode(node)}:${env.PATH}`;
  }

  npm(args: string[]): void {
    npm(this.home, args, this.#env);
  }

  get path(): string {
    return this.#env.PATH ?? '';
  }

  /** Runs a command to its end. */
  run(program: string, args: string[], extra: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> {
    return spawnSync(program, args, { cwd: this.home, env: { ...this.#env, ...extra }, encoding: 'utf8' });
  }

  start(program: string) {
    return spawn(program, { cwd: this.home, env: this.#env, stdio: ['ignore', 'pipe', 'ignore'] });
  }

  leave(): void {
    this.#remove();
  }
}

/** Where a Node of this version is, as npm carries it. */
function fetchedNode(version: string): string {
  const name = `node-${process.platform}-${process.arch}`;
  const prefix = join(folder, `node-${version}`);
  npm(folder, ['install', '--no-save', '--prefix', prefix, `${name}@${version}`]);
  return join(prefix, 'node_modules', name, 'bin');
}

const DEMO = ['demo', '--once', '--port', '0'];

/** Each way to install, with what runs the demo then. */
const WAYS: Record<string, (user: User) => SpawnSyncReturns<string> | Promise<SpawnSyncReturns<string>>> = {
  // By the name of the package alone, as `npx isthmus-gateway demo`.
  'by npx': (user) => user.run('npx', ['--yes', '--prefer-offline', `file:${tarball}`, ...DEMO]),
  globally: async (user) => {
    user.npm(['install', '--global', '--prefix', join(user.home, 'global'), tarball]);
    const bin = join(user.home, 'global', 'bin');
    writeFileSync(join(bin, 'opencode'), CLIENT, { mode: 0o755 });
    const model = user.start(join(bin, 'isthmus-scripted-model'));
    const [line] = await once(model.stdout, 'data');
    const [url = ''] = /http:\S+/.exec(String(line)) ?? [];
    const port = String(await freePort());
    const launched = user.run(join(bin, 'isthmus'), ['launch', 'opencode', '--port', port], {
      ANTHROPIC_API_KEY: 'any',
      ANTHROPIC_BASE_URL: url,
      PATH: `${bin}:${user.path}`,
    });
    model.kill();
    expect(launched).toMatchObject({ status: 0, stdout: 'You said: Hello\n' });
    return user.run(join(bin, 'isthmus'), DEMO);
  },
  'in an empty folder': (user) => {
    writeFileSync(join(user.home, 'package.json'), '{"private": true, "type": "module"}');
    user.npm(['install', tarball]);
    writeFileSync(join(user.home, 'program.js'), PROGRAM);
    expect(user.run('node', ['program.js'])).toMatchObject({ status: 0, stdout: 'Hello back\n' });
    return user.run('npx', ['isthmus', ...DEMO]);
  },
};

/** In place of OpenCode: says hello to whom it is pointed at. */
const CLIENT = `#!/usr/bin/env node
const { baseURL, apiKey } = JSON.parse(process.env.OPENCODE_CONFIG_CONTENT).provider.anthropic.options;
const body = JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 9, messages: [{ role: 'user', content: 'Hello' }] });
const headers = { 'content-type': 'application/json', 'x-api-key': apiKey };
fetch(baseURL + '/messages', { method: 'POST', headers, body })
  .then((response) => response.json())
  .then(({ content }) => console.log(content[0].text));
`;

/** Finds the binary by itself. */
const PROGRAM = `
import { createGateway } from 'isthmus-gateway';
import { answer, startScriptedModel } from 'isthmus-gateway/testing';
const model = await startScriptedModel({ script: [() => answer('Hello back')] });
const environment = { ...process.env, ANTHROPIC_API_KEY: 'any', ANTHROPIC_BASE_URL: model.url };
const gateway = await createGateway({ port: 0, spares: 0, environment });
const body = JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 9, messages: [{ role: 'user', content: 'Hello' }] });
const headers = { 'content-type': 'application/json' };
const response = await fetch(gateway.url + '/v1/messages', { method: 'POST', headers, body });
console.log((await response.json()).content[0].text);
await gateway.stop(1_000);
await model.close();
`;

/** The Node that runs this, and the others that are still maintained. */
const NODES = ['this one', ...['20', '22', '26'].filter((node) => node !== process.versions.node.split('.')[0])];
const ROWS = NODES.flatMap((node) => Object.keys(WAYS).map((way) => [way, node] as const));

testParts('installs', ROWS, {
  isQuick: ([way, node]) => way === 'by npx' && node === 'this one',
  isEveryday: ([way, node]) => way === 'globally' && node === 'this one',
})('installed %s it runs on Node %s', async (way, node) => {
  const user = new User(node);
  const version = user.run('node', ['--version']).stdout;
  expect(version).toMatch(node === 'this one' ? process.version : new RegExp(`^v${node}\\.`));
  const ran = await WAYS[way]?.(user);
  expect(ran?.stdout).toContain('bundled with the Agent SDK');
  expect(ran?.stdout).toContain(
    'Every turn took its path, called the model once, and showed it exactly the client’s messages.',
  );
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  user.leave();
});
