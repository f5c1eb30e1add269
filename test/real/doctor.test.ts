import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ScriptedModel } from '../../scripted-model/server.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { startFirstPartyStandIn } from '../support/first-party/stand-in.ts';
import { freePort } from '../support/free-port.js';
import { runIsthmus, signIn, startGateway, surroundings } from '../support/gateway.ts';
import { QUICK } from '../support/quick.ts';

/** `isthmus doctor` and `isthmus status` as their user meets them, with what is wrong in turn. */

let model: ScriptedModel;
let here: ReturnType<typeof surroundings>;
let port: number;
beforeAll(async () => {
  model = await ScriptedModel.start();
  here = surroundings(model.url, { ANTHROPIC_API_KEY: 'dummy-key' });
  port = await freePort();
});
afterAll(async () => {
  here.remove();
  await model.close();
});

/** Runs the doctor; no value of a variable is in what it says. */
async function examined(args: string[], env: Record<string, string> = {}) {
  const { code, output } = await runIsthmus(['doctor', '--json', '--port', String(port), ...args], {
    ...here.env,
    ...env,
  });
  expect(output).not.toMatch(/dummy|sk-ant|example\.test/);
  const { level, findings } = JSON.parse(output) as { level: string; findings: Finding[] };
  expect(code).toBe(level === 'problem' ? 1 : 0);
  const of = (name: string) => findings.filter(({ check }) => check === name);
  return { code, findings, of, problems: findings.filter((finding) => finding.level === 'problem') };
}

test('with a key nothing is wrong, nothing is paid, and nothing is left', QUICK, async () => {
  const { code, findings, of, problems } = await examined([]);
  expect(problems).toEqual([]);
  expect(code).toBe(0);
  expect([...new Set(findings.map(({ check }) => check))]).toEqual([
    ...[
      'settings',
      'isthmus',
      'binary',
      'credential',
      'port',
      'proxy',
      'certificates',
      'api',
      'clock',
      'disk',
      'memory',
    ],
    ...['open files', 'claude settings', 'clients', 'agents', 'turn'],
  ]);
  expect(of('credential')[0]).toMatchObject({
    level: 'ok',
    says: expect.stringContaining('API key (ANTHROPIC_API_KEY)'),
  });
  expect(of('api')).toMatchObject([{ level: 'ok', says: expect.stringContaining('HTTP 404') }]);
  expect(of('clock')).toMatchObject([{ level: 'ok' }]);
  expect(of('turn')).toMatchObject([{ level: 'ok' }]);
  expect(model.requests).toEqual([]);
  expect(readdirSync(here.home)).toEqual([]);
});

test.each([
  ['a token', 'OAuth token (CLAUDE_CODE_OAUTH_TOKEN)', { CLAUDE_CODE_OAUTH_TOKEN: 'dummy-token' }],
  ['a login', 'Claude login (Claude Max)', undefined],
])('in full mode, with %s', async (_name, credential, env) => {
  const given = env ?? signIn(here.home);
  try {
    const { of, problems } = await examined([], { ANTHROPIC_API_KEY: '', ...given });
    expect(problems).toEqual([]);
    expect(of('credential')[0]).toMatchObject({ level: 'ok', says: `${credential} pays, in Claude Code’s full mode.` });
  } finally {
    rmSync(join(here.home, 'claude'), { recursive: true, force: true });
  }
});

test('without a credential it says how to get one', QUICK, async () => {
  const { code, problems } = await examined([], { ANTHROPIC_API_KEY: '' });
  expect(problems).toMatchObject([
    {
      check: 'credential',
      says: 'No credential found.',
      cure: expect.stringMatching(/^Set ANTHROPIC_API_KEY.* auth login/),
    },
  ]);
  expect(code).toBe(1);
  // Claude Code has looked for a login in the user's own configuration.
  expect(readdirSync(join(here.home, 'claude', 'projects'))).toEqual([]);
  rmSync(join(here.home, 'claude'), { recursive: true });
});

const BROKEN: Array<
  [name: string, args: string[], env: Record<string, string>, problem: Partial<Record<keyof Finding, unknown>>]
> = [
  [
    'a setting',
    ['--spares', 'x'],
    {},
    { check: 'settings', says: expect.stringContaining('--spares must be a number') },
  ],
  ['the binary', ['--claude', '/bin/false'], {}, { check: 'binary', says: expect.stringContaining('exit code 1') }],
  [
    'a base URL',
    [],
    { ANTHROPIC_BASE_URL: '127.0.0.1:9' },
    { check: 'api', says: 'ANTHROPIC_BASE_URL is not the URL of a server.' },
  ],
  [
    'the address of the API',
    [],
    { ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' },
    { check: 'api', says: 'The API at ANTHROPIC_BASE_URL cannot be reached (ECONNREFUSED).' },
  ],
  [
    'the way to Anthropic',
    [],
    { ANTHROPIC_BASE_URL: '' },
    { check: 'api', says: 'The proxy at HTTPS_PROXY cannot be reached (ECONNREFUSED).' },
  ],
  [
    'certificates',
    [],
    { NODE_EXTRA_CA_CERTS: '/etc/hostname' },
    { check: 'certificates', cure: expect.stringContaining('PEM') },
  ],
  ['the temporary directory', [], { TMPDIR: '/proc' }, { check: 'disk', cure: expect.stringContaining('TMPDIR') }],
  [
    'an agent',
    ['--agent-level', 'read', '--workspace', '/'],
    {},
    { check: 'agents', says: expect.stringContaining('agents.agent.workspace is the whole disk') },
  ],
];

test.each(BROKEN)('%s is broken', async (_name, args, env, problem) => {
  const { problems } = await examined(['--quick', ...args], env);
  expect(problems).toMatchObject([problem]);
});

test('a port that another program holds is told with who it is', async () => {
  const server = createServer((_, response) => response.end('hello'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { problems } = await examined(['--quick', '--port', String((server.address() as AddressInfo).port)]);
  server.close();
  const holder = process.platform === 'linux' ? `process ${process.pid}, ` : '';
  expect(problems).toMatchObject([{ check: 'port', says: expect.stringContaining(holder) }]);
});

test('no request of its own has a credential, and a web page is told from an API', async () => {
  const asked: IncomingHttpHeaders[] = [];
  const server = createServer(({ headers }, response) => {
    asked.push(headers);
    response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Sign in</p>');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = `http://someone:dummy-password@127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { of } = await examined(['--quick'], { ANTHROPIC_BASE_URL: address });
  server.close();
  expect(of('api')).toMatchObject([{ level: 'warning', says: expect.stringContaining('a web page') }]);
  expect(asked).toHaveLength(1);
  expect(JSON.stringify(asked)).not.toMatch(/authorization|api-key|dummy|c29tZW9uZ/);
});

test('Anthropic’s API is asked through the proxy, with the certificates that the variables name', async () => {
  const standIn = await startFirstPartyStandIn();
  const env: Record<string, string> = { ANTHROPIC_BASE_URL: '', ...standIn.variables };
  const trusting = await examined(['--quick'], env);
  expect(trusting.of('api')).toMatchObject([
    {
      level: 'ok',
      says: expect.stringMatching(/^api\.anthropic\.com answers .*HTTP 404 .*by the proxy at HTTPS_PROXY/),
    },
  ]);
  const { NODE_EXTRA_CA_CERTS: _, ...without } = env;
  const { problems } = await examined(['--quick'], without);
  expect(problems).toMatchObject([{ check: 'api', cure: expect.stringContaining('NODE_EXTRA_CA_CERTS=FILE') }]);
  await standIn.close();
});

test('the settings of Claude Code and the shell’s address are warned of by names alone', async () => {
  mkdirSync(join(here.home, 'claude'), { recursive: true });
  const env = { ANTHROPIC_AUTH_TOKEN: 'dummy-token' };
  writeFileSync(join(here.home, 'claude', 'settings.json'), JSON.stringify({ env }));
  const { of, problems } = await examined(['--quick'], { ANTHROPIC_BASE_URL: `http://localhost:${port}` });
  rmSync(join(here.home, 'claude'), { recursive: true });
  expect(of('claude settings')).toMatchObject([
    { level: 'warning', says: expect.stringContaining('ANTHROPIC_AUTH_TOKEN') },
  ]);
  expect(of('clients')).toMatchObject([{ level: 'note', says: expect.stringContaining('points at Isthmus itself') }]);
  // What is called then is Anthropic's API, which the proxy keeps away here.
  expect(problems).toMatchObject([{ check: 'api', says: expect.stringContaining('HTTPS_PROXY') }]);
});

test('of a gateway that runs: status, and the doctor’s word on its port', QUICK, async () => {
  const gateway = await startGateway(model.url, ['--spares', '0']);
  const at = ['--port', new URL(gateway.url).port];
  const running = await runIsthmus(['status', ...at], here.env);
  expect(running.output).toMatch(
    /^Isthmus 0\.1\.0 takes requests on http:\/\/127\.0\.0\.1:\d+\n {2}since +\d{4}-.* \(\d+ seconds?\)\n/,
  );
  expect(running.output).toContain('credential  API key (ANTHROPIC_API_KEY), bare mode');
  expect(running.code).toBe(0);
  const json = await runIsthmus(['status', '--json', ...at], here.env);
  expect(JSON.parse(json.output)).toMatchObject({
    url: gateway.url,
    isRunning: true,
    isReady: true,
    health: { status: 'ok' },
  });
  const { of, problems } = await examined(['--quick', ...at]);
  expect(problems).toEqual([]);
  expect(of('port')).toMatchObject([
    { level: 'ok', says: expect.stringContaining(`Isthmus 0.1.0 runs on ${gateway.url}`) },
  ]);
  await gateway.stop();
  const stopped = await runIsthmus(['status', ...at], here.env);
  expect(stopped.output).toMatch(/^Nothing answers on .*ECONNREFUSED.*`isthmus serve`/);
  expect(stopped.code).toBe(3);
});

test('the log of the service is shown by what keeps it; without a service it says where the log is', async () => {
  const none = await runIsthmus(['logs', '-f'], here.env);
  expect(none.output).toMatch(/^isthmus: No service of this user is installed, .*stderr.*\n$/);
  expect(none.code).toBe(1);
  if (process.platform !== 'linux') return;
  const units = join(here.home, '.config', 'systemd', 'user');
  mkdirSync(units, { recursive: true });
  writeFileSync(join(units, 'isthmus.service'), '');
  writeFileSync(join(units, 'journalctl'), '#!/bin/sh\necho "$@"\nexit 7\n', { mode: 0o755 });
  const shown = await runIsthmus(['logs', '-f', '-n', '3'], { ...here.env, PATH: `${units}:${here.env.PATH}` });
  rmSync(join(here.home, '.config'), { recursive: true });
  expect(shown.output).toContain('From the journal of systemd’s user unit isthmus.service:\n');
  expect(shown.output).toContain('--user --unit isthmus.service --lines 3 --output cat --no-pager --follow\n');
  expect(shown.code).toBe(7);
});
