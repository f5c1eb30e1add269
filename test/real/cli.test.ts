import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ScriptedModel, startScriptedModel } from '../../scripted-model/testing.ts';
import { COMMAND_NAMES } from '../../src/cli/command-table.ts';
import { findExecutable, TESTED } from '../../src/engine/environment/executable.ts';
import { CANNOT_START } from '../../src/service/exit-code.ts';
import { startFirstPartyStandIn } from '../support/first-party/stand-in.ts';
import { freePort } from '../support/free-port.js';
import { ISTHMUS, ROOT, runIsthmus, startGateway, surroundings, until } from '../support/gateway.ts';
import { QUICK } from '../support/quick.ts';
import { testParts } from '../support/test-parts.ts';

/** The program as its user meets it: what it says, and how it fails. */

let model: ScriptedModel;
const here = surroundings('http://127.0.0.1:9');

beforeAll(async () => {
  model = await startScriptedModel();
});
afterAll(async () => {
  here.remove();
  await model.close();
});

test('serve says where it listens, what it runs, what pays, and how to point clients at it', QUICK, async () => {
  const gateway = await startGateway(model.url, ['--spares', '0']);
  await expect.poll(() => gateway.output()).toContain('ANTHROPIC_API_KEY=any');
  const output = gateway.output();
  expect(output).toContain(`Isthmus listens on ${gateway.url}`);
  expect(output).toContain(`claude ${TESTED.claudeCode} (bundled with the Agent SDK ${TESTED.sdk})`);
  expect(output).toContain('credential  API key (ANTHROPIC_API_KEY)');
  expect(output).toContain(`isthmus launch CLIENT --port ${new URL(gateway.url).port}`);
  expect(output).toContain(`ANTHROPIC_BASE_URL=${gateway.url}`);
  expect(output).not.toContain('dummy');
  expect(await gateway.health()).toMatchObject({
    status: 'ok',
    version: '0.1.0',
    mode: 'bare',
    credential: 'API key (ANTHROPIC_API_KEY)',
  });
  expect(await gateway.stop()).toBe(0);
});

test('a base URL that leads back to the gateway and the key of a client are dropped with a warning', async () => {
  const port = await freePort();
  // What is left is the first party's API.
  const standIn = await startFirstPartyStandIn();
  const gateway = await startGateway(`http://localhost:${port}`, ['--port', String(port), '--spares', '0'], {
    env: { ...standIn.variables, ANTHROPIC_AUTH_TOKEN: 'isthmus' },
  });
  await expect
    .poll(() => gateway.output())
    .toContain(
      'warning     ANTHROPIC_BASE_URL points at Isthmus itself: ANTHROPIC_BASE_URL and ANTHROPIC_AUTH_TOKEN in the environment of Isthmus are for its clients, and not passed on.',
    );
  expect(gateway.output()).toContain('credential  API key (ANTHROPIC_API_KEY)');
  await gateway.stop();
  await standIn.close();
});

test.each([
  ['n', 'n\n', 1],
  ['y', 'y\n', 0],
  ['Ctrl-C', '\x03', 1],
  ['Ctrl-D', '\x04', 1],
])('setup asks on a terminal, and after %s ends', async (_name, typed, code) => {
  const home = mkdtempSync(join(tmpdir(), 'isthmus-setup-'));
  const file = join(home, '.pi', 'agent', 'models.json');
  const command = `"${process.execPath}" "${ISTHMUS}" setup pi`;
  const terminal = spawn('script', ['-qec', command, '/dev/null'], { env: { PATH: process.env.PATH, HOME: home } });
  let output = '';
  terminal.stdout.on('data', (chunk) => (output += chunk));
  await until('it asks', () => output.includes(`Write ${file}? [y/N]`));
  expect(output).toContain('+      "baseUrl": "http://127.0.0.1:3456"');
  terminal.stdin.write(typed);
  expect(await once(terminal, 'close')).toEqual([code, null]);
  expect(output).toContain(code === 0 ? 'pi is set up' : '\nNothing was written.');
  expect(output).not.toContain('node:internal');
  expect(existsSync(file)).toBe(code === 0);
  rmSync(home, { recursive: true });
});

test('settings come from the environment and a file too', async () => {
  mkdirSync(join(here.home, '.config', 'isthmus'), { recursive: true });
  writeFileSync(join(here.home, 'mine.json'), JSON.stringify({ spares: 0 }));
  const gateway = await startGateway(model.url, ['--config', join(here.home, 'mine.json')], {
    env: { ISTHMUS_HOST: 'localhost' },
  });
  expect(gateway.url).toMatch(/^http:\/\/localhost:/);
  expect((await gateway.health()).processes.spare).toBe(0);
  await gateway.stop();
});

test('agents are told at the start, and so is a second gateway in their folder while the first lives', async () => {
  const workspace = join(here.home, 'agents-folder');
  mkdirSync(workspace);
  const start = () =>
    startGateway(model.url, ['--spares', '0', '--agent-level', 'edit', '--workspace', workspace], {
      env: { XDG_STATE_HOME: join(here.home, 'state') },
    });
  const warning = `warning     Another gateway has an agent that writes in ${workspace}`;
  const first = await start();
  await expect.poll(() => first.output()).toContain(`agent       agent: edit in ${workspace}, for any client`);
  const second = await start();
  await expect.poll(() => second.output()).toContain(warning);
  expect(first.output()).not.toContain('warning');
  await second.stop();
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  const third = await start();
  await expect.poll(() => third.output()).toContain('agent       agent: edit');
  expect(third.output()).not.toContain(warning);
  expect(await third.health()).toMatchObject({ agents: [{ name: 'agent', level: 'edit' }] });
  await third.stop();
  await first.stop();
  expect(readdirSync(workspace)).toEqual([]);
});

test('an agent that runs commands is refused where its sandbox is not installed, with the packages that it needs', async () => {
  const workspace = join(here.home, 'commands');
  mkdirSync(workspace);
  const args = ['serve', '--port', '0', '--agent-level', 'shell', '--workspace', workspace];
  const { code, output } = await runIsthmus(args, { ...here.env, PATH: workspace });
  expect(output).toMatch(
    /^isthmus: agents: agent: The sandbox of commands needs bwrap and socat, .*install the packages bubblewrap and socat /,
  );
  expect(output.trim().split('\n')).toHaveLength(1);
  expect(code).toBe(CANNOT_START);
});

test('a socket is for this user alone, and takes the place of one that a killed gateway has left', async () => {
  const socket = join(here.home, 'gateway.sock');
  const start = () => startGateway(model.url, ['--spares', '0', '--socket', socket]);
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const asked = request({ socketPath: socket, path, headers: { host: 'localhost', ...headers } }).end();
    const [response]: IncomingMessage[] = await once(asked, 'response');
    response?.resume();
    return response?.statusCode;
  };
  const first = await start();
  expect(first.url).toBe(socket);
  await expect.poll(() => first.output()).toContain(`curl --unix-socket ${socket} http://localhost/v1/models`);
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  expect([await ask('/v1/models'), await ask('/v1/models', { host: 'evil.example' })]).toEqual([200, 403]);
  expect(await runIsthmus(['serve', '--socket', socket], here.env)).toEqual({
    code: 78,
    output: `isthmus: Another program listens on the socket ${socket}. Stop it, or choose another path: --socket PATH.\n`,
  });
  first.child.kill('SIGKILL');
  await once(first.child, 'exit');
  const second = await start();
  expect(await ask('/readyz')).toBe(200);
  expect(await second.stop()).toBe(0);
  expect(existsSync(socket)).toBe(false);
  await first.stop();
});

test('an address that stands for all is printed as one to call, with the names that are allowed', async () => {
  const gateway = await startGateway(model.url, [
    '--spares',
    '0',
    '--host',
    '0.0.0.0',
    '--allowed-hosts',
    'gateway.team',
  ]);
  expect(gateway.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  await expect
    .poll(() => gateway.output())
    .toMatch(/^ {2}names {7}localhost, 127\.0\.0\.1, .*gateway\.team; any other/m);
  expect(await gateway.health()).toMatchObject({ status: 'ok' });
  await gateway.stop();
});

test('a port in use is one line with the cure', QUICK, async () => {
  const { port } = new URL(model.url);
  const { code, output } = await runIsthmus(['serve', '--port', port], here.env);
  expect({ code, output }).toEqual({
    code: CANNOT_START,
    output: `isthmus: Port ${port} on 127.0.0.1 is in use. Stop what listens there, or choose another port: --port ${Number(port) + 1}.\n`,
  });
});

/** A `claude` that is this shell script. */
function scriptedClaude(script: string): string {
  const path = join(here.home, 'scripted-claude');
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

/** A `claude` that never says a word. */
const silentClaude = () => scriptedClaude('exec sleep 600');

testParts<[where: string, script: string, how: string, words: string]>(
  'brokenBinaries',
  [
    [
      'on stderr',
      'printf "fatal: \\033[31mno licence\\033[0m\\n  at a\\n\\nRuntime v1\\n" >&2; exit 3',
      'exit code 3',
      'fatal: no licence / at a / Runtime v1',
    ],
    ['on stdout', 'echo "no licence"; exit 3', 'exit code 3', 'no licence'],
    ['after its end', '(sleep 0.05; echo "no licence" >&2) & exit 3', 'exit code 3', 'no licence'],
    ['in marks of direction', 'printf "\\342\\200\\256no" >&2; kill -SEGV $$', 'signal SIGSEGV', '\\u202eno'],
  ],
  { isEveryday: ([where]) => where === 'on stdout' || where === 'in marks of direction' },
)('a `claude` that fails at the start is told in its own words, %s', async (_where, script, how, words) => {
  const claude = scriptedClaude(script);
  const { code, output } = await runIsthmus(['serve', '--port', '0', '--claude', claude], here.env);
  expect(output).toContain(`isthmus: The \`claude\` binary ${claude} did not start (${how}: ${words}). See that`);
  expect(output.trim().split('\n')).toHaveLength(1);
  expect(code).toBe(CANNOT_START);
});

test('a port in use is told before anything is started', async () => {
  const { port } = new URL(model.url);
  const { code, output } = await runIsthmus(['serve', '--port', port, '--claude', silentClaude()], here.env);
  expect(output).toContain('is in use');
  expect(code).toBe(CANNOT_START);
});

test('a gateway that is starting has its port, says so to everybody, and does not say that it listens', async () => {
  const port = await freePort();
  const args = ['serve', '-p', String(port), '--claude', silentClaude()];
  const child = spawn(process.execPath, [ISTHMUS, ...args], { env: here.env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const url = `http://127.0.0.1:${port}`;
  await until('it has its port', () =>
    fetch(`${url}/health`).then(
      () => true,
      () => false,
    ),
  );
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'starting_up' });
  const turn = await fetch(`${url}/v1/messages`, { method: 'POST', body: '{}' });
  expect([turn.status, turn.headers.get('isthmus-error')]).toEqual([503, 'starting_up']);
  expect(output).toBe('');
  const exited = once(child, 'exit');
  for (let signals = 0; signals < 2; signals += 1) {
    child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(await exited).toEqual([1, null]);
});

const MISTAKES: Array<[args: string[], extra: Record<string, string>, message: string]> = [
  [['serve', '--prot', '1'], {}, 'There is no flag --prot of `isthmus serve`. Did you mean --port?'],
  [['serve', '--port', 'x'], {}, '--port must be a number (it is "x").'],
  [['serve'], { ISTHMUS_HOTS: 'x' }, 'There is no setting ISTHMUS_HOTS. Did you mean ISTHMUS_HOST?'],
  [['serve', '--claude', '/no/such/claude'], {}, 'The `claude` binary /no/such/claude is missing or not executable.'],
  [['serve', '--claude', '/bin/false'], {}, 'The `claude` binary /bin/false did not start (exit code 1). See that'],
  [['serve', '--claude', '/bin/true'], {}, 'The `claude` binary /bin/true did not start (exit code 0). See that'],
  [['serve'], { TMPDIR: '/no/such' }, 'The temporary directory /no/such cannot be used: ENOENT'],
  [['serve'], { TMPDIR: '/etc/passwd' }, 'The temporary directory /etc/passwd cannot be used: ENOTDIR'],
  [['serve'], { TMPDIR: '/proc' }, 'The temporary directory /proc cannot be used: '],
  [['serve'], { ANTHROPIC_BASE_URL: '127.0.0.1:9' }, 'ANTHROPIC_BASE_URL is not the URL of a server.'],
  [['serve'], { CLAUDE_CODE_USE_GATEWAY: '1' }, 'CLAUDE_CODE_USE_GATEWAY needs ANTHROPIC_BASE_URL and'],
  [['serve', '--host', '203.0.113.7'], {}, 'This machine has no address 203.0.113.7.'],
  [['serve', '--socket', '/no/such/x.sock'], {}, 'The folder /no/such for the socket is not there, or takes none.'],
  [
    ['serve', '--socket', '/etc/passwd'],
    {},
    '/etc/passwd is there, and no socket. Choose another path: --socket PATH.',
  ],
  [['serve', '--allowed-origins', '*'], {}, '--allowed-origins must be origins of web pages with commas between them'],
  [['serve', '--config', '/no/such.json'], {}, 'There is no configuration file /no/such.json.'],
  [['serve', '--agent-level', 'read'], {}, 'agent-level needs workspace too: --agent-level read --workspace DIR.'],
  [
    ['serve', '--agent-level', 'read', '--workspace', '/'],
    {},
    'agents.agent.workspace is the whole disk: name the folder that the agent is to work in.',
  ],
  [
    ['serve', '--agent-level', 'read', '--workspace', '/usr', '--host', '0.0.0.0'],
    {},
    'agents.agent needs a key, since others than this machine can reach Isthmus',
  ],
  [['serve', '--agents', 'docs'], {}, '--agents is no flag and no variable: define agents in the configuration file'],
  [['serve', '--spares'], {}, '--spares needs a value: --spares 2'],
  [['demo', '--onse'], {}, 'There is no flag --onse of `isthmus demo`. Did you mean --once?'],
  [['sevre'], {}, 'There is no command "sevre". Did you mean serve?'],
  [['begin'], {}, 'There is no command "begin"; there are serve, demo, '],
  [['serve', 'now'], {}, 'Unexpected "now"'],
  [['serve', '--once'], {}, '--once belongs to `isthmus demo`.'],
  [['sessions', 'list'], {}, '`isthmus sessions` takes no --port.'],
  [['sessions', 'list', '--once'], {}, '--once belongs to `isthmus demo`.'],
  [[], {}, 'Which command?'],
];

/** One of a setting, a file, a binary, a folder, a credential, an address and a command. */
const QUICK_MISTAKES = [
  '--prot',
  '/no/such.json',
  '/bin/false',
  '/etc/passwd',
  'CLAUDE_CODE_USE_GATEWAY',
  '203.0.113.7',
  'sevre',
];

const isOneOf = (words: string[]) => (row: unknown) => words.some((word) => JSON.stringify(row).includes(word));

/** What ends without a word, a variable, a folder that takes no files, a missing command, and what does not belong there. */
const EVERYDAY_MISTAKES = ['/bin/true', 'ISTHMUS_HOTS', '/proc', 'Which command?', '--once'];

testParts('mistakes', MISTAKES, { isQuick: isOneOf(QUICK_MISTAKES), isEveryday: isOneOf(EVERYDAY_MISTAKES) })(
  'isthmus %j %j fails with one line',
  async (args, extra, message) => {
    const { code, output } = await runIsthmus(
      args.includes('--port') ? args : [...args, ...(args.length ? ['--port', '0'] : [])],
      { ...here.env, ...extra },
    );
    expect(output).toContain(`isthmus: ${message}`);
    expect(output.trim().split('\n')).toHaveLength(1);
    const isOfTheWords = /^(There is no command|Which command|Unexpected)/.test(message);
    expect(code).toBe(isOfTheWords ? 1 : CANNOT_START);
  },
);

test('without a credential serve names the binary to sign in with: no other need be there', async () => {
  const { code, output } = await runIsthmus(['serve', '--port', '0'], { ...here.env, ANTHROPIC_API_KEY: '' });
  expect(output).toMatch(/^isthmus: No credential found. Set ANTHROPIC_API_KEY, .*\n$/);
  expect(output).toContain(`, or sign in with \`${findExecutable(undefined).path} auth login\``);
  expect(code).toBe(CANNOT_START);
});

test('help names every command and setting', async () => {
  const { code, output } = await runIsthmus(['--help'], here.env);
  expect(code).toBe(0);
  for (const name of COMMAND_NAMES) expect(output).toMatch(new RegExp(`^  ${name} {2,}`, 'm'));
  expect((await runIsthmus(['-h'], here.env)).output).toBe(output);
  const serve = await runIsthmus(['serve', '--help'], here.env);
  for (const word of ['-p, --port PORT', '--max-memory-mb', '--config', 'ISTHMUS_MAX_PROCESSES'])
    expect(serve.output).toContain(word);
  expect((await runIsthmus(['help', 'serve'], here.env)).output).toBe(serve.output);
  expect((await runIsthmus(['--version'], here.env)).output).toBe('0.1.0\n');
});

test('the demo shows its table whole, takes a client’s request by the line that it prints, and leaves nothing', async () => {
  const { env, home, remove } = surroundings('http://127.0.0.1:9', { ANTHROPIC_API_KEY: '' });
  // Both outputs as one, in the order in which a user sees them.
  const args = ['-c', 'exec "$@" 2>&1', 'sh', process.execPath, ISTHMUS, 'demo', '--port', '0'];
  const child = spawn('/bin/sh', args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  await until('it takes clients', () => /^curl .*\n/m.test(output));
  expect(output).toContain('credential  a dummy key; nothing is paid');
  expect(output).toMatch(/^Turn {2}.*\n(.* (start|continue|rewind|replay) .*ms.*\n){6}Every turn took its path/m);
  const [, url = '', header = '', body = ''] = /^curl (\S+) -H '(.+)' -d '(.+)'$/m.exec(output) ?? [];
  const [name = '', value = ''] = header.split(': ');
  const response = await fetch(url, { method: 'POST', headers: { [name]: value }, body });
  expect(await response.json()).toMatchObject({ type: 'message', content: [{ type: 'text' }] });
  await expect.poll(() => output).toMatch(/ turn .*outcome=complete/);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(readdirSync(home)).toEqual([]);
  remove();
});

test('the scripted model runs as a program of its own', QUICK, async () => {
  const script = join(here.home, 'script.json');
  const rules = [
    {
      when: { text: 'ping' },
      replies: [
        { content: [{ type: 'text', text: 'pong' }] },
        { error: { status: 529, type: 'overloaded_error', message: 'no' } },
      ],
    },
  ];
  writeFileSync(script, JSON.stringify({ rules }));
  const child = spawn(process.execPath, [join(ROOT, 'bin', 'scripted-model.js'), '--script', script], {
    env: here.env,
  });
  const [line] = await once(child.stdout, 'data');
  const url = /http:\S+/.exec(String(line))?.[0];
  const ask = () =>
    fetch(`${url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'ping' }] }),
    });
  expect(await (await ask()).json()).toMatchObject({
    content: [{ type: 'text', text: 'pong' }],
    stop_reason: 'end_turn',
  });
  expect((await ask()).status).toBe(529);
  expect(await (await fetch(`${url}/requests`)).json()).toMatchObject([
    { outcome: 'answered', body: { model: 'm' } },
    {},
  ]);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
});

test.each([
  [['--port', 'x'], '--port must be a whole number'],
  [['--prot', '1'], "Unknown option '--prot'"],
  [['--script', '/no/such.json'], 'The script /no/such.json cannot be read as JSON'],
  [['-p', () => new URL(model.url).port], 'is in use. Stop what listens there, or choose another port'],
])('the scripted model with %j fails with one line', async (args, message) => {
  const words = args.map((word) => (typeof word === 'string' ? word : word()));
  const child = spawn(process.execPath, [join(ROOT, 'bin', 'scripted-model.js'), ...words], { env: here.env });
  let output = '';
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  expect(await once(child, 'close')).toEqual([1, null]);
  expect(output).toContain(`isthmus-scripted-model: `);
  expect(output).toContain(message);
  expect(output.trim().split('\n')).toHaveLength(1);
});

test('a signal during the start is obeyed once started, and leaves nothing', QUICK, async () => {
  const { env, home, remove } = surroundings(model.url);
  const child = spawn(process.execPath, [ISTHMUS, 'serve', '--port', '0'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const left = () => readdirSync(home).filter((name) => name.startsWith('isthmus-run-'));
  await until('it has its directory', () => left().length === 1);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(left()).toEqual([]);
  remove();
});

test('an API that cannot be reached is told while the first process waits for it, and what to do', async () => {
  const deaf = createServer((socket) => socket.destroy());
  await once(deaf.listen(0, '127.0.0.1'), 'listening');
  const proxy = `http://127.0.0.1:${(deaf.address() as AddressInfo).port}`;
  const gateway = await startGateway('', ['--spares', '0'], { env: { HTTPS_PROXY: proxy } });
  try {
    const [whileWaiting = '', told = ''] = gateway.output().split('Isthmus listens on');
    expect(whileWaiting).toContain('api.anthropic.com');
    expect(told).toMatch(/warning +Claude Code took \d+ s to start\. .*HTTPS_PROXY/);
  } finally {
    await gateway.stop();
    deaf.close();
  }
});
