import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ScriptedModel } from '../../scripted-model/server.ts';
import { versionOf } from '../../src/clients/find-client.ts';
import { openCode } from '../../src/clients/opencode.ts';
import { CANNOT_START } from '../../src/service/exit-code.ts';
import { freePort } from '../support/free-port.js';
import { ISTHMUS, startGateway, surroundings, type TestGateway, until } from '../support/gateway.ts';
import { QUICK } from '../support/quick.ts';

/** `isthmus launch` with a program that stands in for a client; the real ones are in `test/clients`. */

/** Does what its words say, one after the other. */
const STAND_IN = `#!${process.execPath}
const [...words] = process.argv.slice(2);
const { options } = JSON.parse(process.env.OPENCODE_CONFIG_CONTENT).provider.anthropic;
process.on('SIGUSR2', () => undefined);
for (const word of words) {
  if (word === 'ask') {
    const body = JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 99, messages: [{ role: 'user', content: 'Hello' }] });
    const headers = { 'content-type': 'application/json', 'x-api-key': options.apiKey };
    console.log(await (await fetch(options.baseURL + '/messages', { method: 'POST', headers, body })).text());
  } else if (word === 'url') console.log(options.baseURL);
  else if (word === 'wait') {
    const parent = process.ppid;
    setInterval(() => process.ppid === parent || process.exit(), 200);
    console.log('waiting');
    await new Promise(() => undefined);
  } else if (word === 'heed') for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => { console.log('heard ' + name); process.exit(3); });
  else if (word === 'die') process.kill(process.pid, 'SIGKILL');
  else process.exit(Number(word));
}
`;

let model: ScriptedModel;
let standing: TestGateway;
const here = surroundings('http://127.0.0.1:9');
const client = join(here.home, 'bin', 'opencode');

beforeAll(async () => {
  mkdirSync(join(here.home, 'bin'));
  writeFileSync(client.replace(/opencode$/, 'package.json'), '{"type": "module"}');
  writeFileSync(client, STAND_IN, { mode: 0o755 });
  model = await ScriptedModel.start();
  standing = await startGateway(model.url, ['--spares', '0']);
});
// A test that fails may not come to the end of what it has started.
const started = new Set<ChildProcess>();
afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  here.remove();
  await standing?.stop();
  await model.close();
});

interface Launched {
  child: ChildProcess;
  output: { stdout: string; stderr: string };
  /** How it ended: its code or its signal. */
  ended: Promise<unknown>;
}

/** Starts the program as a user does who has the stand-in on PATH. */
function start(args: string[], extra: Record<string, string> = {}): Launched {
  const env = {
    ...here.env,
    ANTHROPIC_BASE_URL: model.url,
    PATH: `${join(here.home, 'bin')}:${here.env.PATH}`,
    ...extra,
  };
  const child = spawn(process.execPath, [ISTHMUS, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  started.add(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += chunk));
  child.stderr.on('data', (chunk) => (output.stderr += chunk));
  return { child, output, ended: once(child, 'close').then(([code, signal]) => code ?? signal) };
}

async function run(args: string[], extra?: Record<string, string>) {
  const { output, ended } = start(args, extra);
  return { end: await ended, ...output };
}

const portOf = (url: string) => new URL(url).port;
const launch = (url: string, ...words: string[]) => ['launch', 'opencode', '--port', portOf(url), '--', ...words];
const leftInTemporaryFolder = () => readdirSync(here.home).filter((name) => name.startsWith('isthmus-'));

test('without a gateway it starts one, which ends with the client and leaves nothing', QUICK, async () => {
  const asked = model.requests.length;
  const { end, stdout, stderr } = await run(launch(`http://127.0.0.1:${await freePort()}`, 'ask', 'url'));
  expect(stdout).toContain('You said: Hello');
  expect(end).toBe(0);
  expect(model.requests.length - asked).toBe(1);
  expect(stderr).toMatch(
    /^isthmus: OpenCode asks Isthmus on http:\S+, started for it with API key \(ANTHROPIC_API_KEY\)\n$/,
  );
  await expect(fetch(/http:\S+/.exec(stdout.split('\n').at(-2) ?? '')?.[0] ?? '')).rejects.toThrow('fetch failed');
  expect(leftInTemporaryFolder()).toEqual([]);
});

test('the gateway that runs is used', async () => {
  const { end, stdout, stderr } = await run(launch(standing.url, 'url', '7'));
  expect(end).toBe(7);
  expect(stdout).toBe(`${standing.url}/v1\n`);
  expect(stderr).toBe(
    `isthmus: OpenCode asks Isthmus on ${standing.url}, which runs already with API key (ANTHROPIC_API_KEY)\n`,
  );
  expect(leftInTemporaryFolder()).toEqual([]);
});

test('what else listens is told, and of a client that fails the log of the gateway is kept', async () => {
  const stranger = createServer((socket) => socket.end('SSH-2.0-other\r\n')).listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  const url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
  // Without the programs of the system there is something to warn of.
  const { end, stderr } = await run(launch(url, 'ask', '4'), { PATH: join(here.home, 'bin') });
  stranger.close();
  expect(end).toBe(4);
  expect(stderr).toContain(`started for it since what listens on ${url} is not Isthmus`);
  expect(stderr.includes('isthmus: warning: setpriv (package util-linux) is missing')).toBe(
    process.platform === 'linux',
  );
  const [, log = ''] = /The log of the gateway is (\S+)/.exec(stderr) ?? [];
  expect(readFileSync(log, 'utf8')).toContain(' turn ');
  rmSync(log);
  expect(leftInTemporaryFolder()).toEqual([]);
});

test.each<[NodeJS.Signals, string[], unknown, string]>([
  ['SIGTERM', ['heed', 'wait'], 3, 'heard SIGTERM'],
  ['SIGINT', ['heed', 'wait'], 3, 'heard SIGINT'],
  ['SIGTERM', ['wait'], 143, ''],
])('%s goes to the client, whose end is passed on: %j', async (signal, words, end, heard) => {
  const { child, output, ended } = start(launch(standing.url, ...words));
  await until('the client waits', () => output.stdout.includes('waiting'));
  child.kill(signal);
  expect(await ended).toBe(end);
  expect(output.stdout).toContain(heard);
});

test('a client that a signal has ended', async () => {
  expect((await run(launch(standing.url, 'die'))).end).toBe(137);
});

test.each<[args: string[], extra: Record<string, string>, message: string]>([
  [['launch', 'qwen'], {}, 'Qwen Code is not installed: there is no qwen on PATH. Install it: npm install --global'],
  [['launch', 'opencod'], {}, 'There is no client "opencod". Did you mean opencode?'],
  [['launch', 'opencode', 'run'], {}, 'What OpenCode is to get stands behind --: isthmus launch opencode -- run'],
  [['launch', 'opencode', '--port', '0'], { ANTHROPIC_API_KEY: '' }, 'No credential found.'],
  [
    ['launch', 'opencode', '--port', '9'],
    { ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' },
    'ANTHROPIC_BASE_URL is http://127.0.0.1:9, as `isthmus env` sets it, and no Isthmus runs there.',
  ],
  [['env', '--shell', 'csh'], {}, '--shell must be bash, zsh, pwsh, sh, fish, powershell (it is "csh").'],
  [['env', '--port', '0'], {}, 'Port 0 is another one at each start'],
])('isthmus %j is refused in one line', async (args, extra, message) => {
  const { end, stderr } = await run(args, extra);
  expect(stderr).toMatch(/^isthmus: [^\n]*\n$/);
  expect(stderr).toContain(message);
  // What the surroundings keep from a start ends as `serve` does.
  expect(end).toBe(Object.keys(extra).length > 0 ? CANNOT_START : 1);
});

test('without a client it lists them; clients says what is there', async () => {
  const listing = await run(['launch']);
  expect(listing.stdout).toMatch(new RegExp(`opencode +OpenCode +${client}\n`));
  expect(listing.stdout).toMatch(/claude-code +Claude Code +not installed/);
  writeFileSync(client, '#!/bin/sh\necho opencode 1.2.3', { mode: 0o755 });
  const clients = await run(['clients']);
  expect(clients.stdout).toMatch(new RegExp(`^opencode +1\\.2\\.3 .*OPENCODE_CONFIG_CONTENT +${client}$`, 'm'));
});

test('a client that does not say its version is not waited for, and ends with all that it has started', async () => {
  const pids = join(here.home, 'pids');
  const silent = join(here.home, 'bin', 'silent');
  writeFileSync(silent, `#!/bin/sh\nsleep 600 & echo $$ $! > '${pids}.new'; mv '${pids}.new' '${pids}'; wait`, {
    mode: 0o755,
  });
  const asked = versionOf(openCode, silent, here.env, 2_000);
  expect(await asked).toBeUndefined();
  const both = readFileSync(pids, 'utf8').trim().split(' ').map(Number);
  expect(both).toHaveLength(2);
  await until('they are gone', () => !both.some(isAlive));
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a shell takes the lines of env', async () => {
  const { stdout } = await run(['env', '--shell', 'sh', '--port', '4567']);
  const script = 'eval "$LINES_OF_ENV"; echo "$ANTHROPIC_BASE_URL $ANTHROPIC_AUTH_TOKEN $ANTHROPIC_API_KEY"';
  const said = execFileSync('sh', ['-c', script], { env: { LINES_OF_ENV: stdout }, encoding: 'utf8' });
  expect(said).toBe('http://127.0.0.1:4567 isthmus isthmus\n');
});
