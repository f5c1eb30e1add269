import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkSettings } from './check-settings.ts';
import { readSettings, traceSettings } from './settings.ts';
import { SettingsError } from './settings-error.ts';

const folder = mkdtempSync(join(tmpdir(), 'isthmus-settings-'));
const file = join(folder, 'config.json');
const none = join(folder, 'none.json');
writeFileSync(none, '{}');

function read(flags: Record<string, string> = {}, environment: Record<string, string> = {}) {
  return readSettings({ flags: { config: none, ...flags }, environment });
}

test('flags come before variables, variables before the file, the file before defaults', async () => {
  writeFileSync(file, JSON.stringify({ port: 1, spares: 1, 'max-processes': 1 }));
  const settings = await readSettings({
    flags: { port: '3' },
    environment: { ISTHMUS_CONFIG: file, ISTHMUS_PORT: '2', ISTHMUS_SPARES: '2' },
  });
  expect(settings).toMatchObject({ port: 3, spares: 2, maxProcesses: 1, host: '127.0.0.1' });
  rmSync(file);
});

test('an address may stand in brackets, and models may have other names', async () => {
  expect(await read({ host: '[::1]' })).toMatchObject({ host: '::1' });
  expect(await read({ host: 'fe80::1%eth0' })).toMatchObject({ host: 'fe80::1%eth0' });
  const modelAlias = { 'gpt-5': 'claude-sonnet-5', b: 'arn:x=y' };
  expect(await read({ 'model-alias': 'gpt-5=claude-sonnet-5, b=arn:x=y' })).toMatchObject({ modelAlias });
});

test('names of hosts come as text or as a list', async () => {
  expect((await read({ 'allowed-hosts': 'Gateway.team, host.docker.internal' })).allowedHosts).toEqual([
    'gateway.team',
    'host.docker.internal',
  ]);
  writeFileSync(file, JSON.stringify({ 'allowed-hosts': ['gateway.team'] }));
  expect((await read({ config: file })).allowedHosts).toEqual(['gateway.team']);
  rmSync(file);
  expect((await read()).allowedHosts).toEqual([]);
});

test('origins of web pages come as text or as a list', async () => {
  const given = 'https://chat.example, http://localhost:5173,VSCODE-webview://*,app://obsidian.md';
  const origins = ['https://chat.example', 'http://localhost:5173', 'vscode-webview://*', 'app://obsidian.md'];
  expect((await read({ 'allowed-origins': given })).allowedOrigins).toEqual(origins);
  expect(checkSettings({ allowedOrigins: origins }).allowedOrigins).toEqual(origins);
  expect((await read()).allowedOrigins).toEqual([]);
});

test.each([
  '*',
  'null',
  '',
  'chat.example',
  'https://*',
  'http://*',
  'https://*.example',
  'https://chat.example/',
  'https://chat.example:443',
  'vscode-webview://',
  'file://',
  'app://a/b',
])('%j is no origin of a web page', async (origin) => {
  await expect(read({ 'allowed-origins': origin })).rejects.toThrow('--allowed-origins must be origins of web pages');
});

test.each<[Record<string, string>, Record<string, string>, string]>([
  [{ prot: '1' }, {}, 'There is no setting --prot. Did you mean --port?'],
  [{}, { ISTHMUS_MAX_PROCESES: '1' }, 'There is no setting ISTHMUS_MAX_PROCESES. Did you mean ISTHMUS_MAX_PROCESSES?'],
  [{ port: 'http' }, {}, '--port must be a number (it is "http").'],
  [{ port: '' }, {}, '--port must be a number (it is "").'],
  [{ port: '70000' }, {}, '--port must be at most 65535 (it is "70000").'],
  [{ port: '1.5' }, {}, '--port must be a whole number (it is "1.5").'],
  [{ port: ' ' }, {}, '--port must be a number (it is " ").'],
  [{ 'allowed-hosts': 'a:80' }, {}, '--allowed-hosts must be host names without ports, with commas between them'],
  [{ 'allowed-hosts': '' }, {}, '--allowed-hosts must be host names without ports, with commas between them'],
  [{ host: '' }, {}, '--host must not be empty (it is "").'],
  [{ host: 'é x' }, {}, '--host must be an address or a name of this machine, such as 127.0.0.1 (it is "é x").'],
  [{ host: '[local]' }, {}, '--host must be an address or a name'],
  [{ 'model-alias': 'gpt-5' }, {}, '--model-alias must be names of models, such as gpt-5=claude-sonnet-5'],
  [{ reuse: 'false' }, {}, '--reuse must be on or off (it is "false").'],
  [{ strict: '' }, {}, '--strict must be true or false (it is "").'],
  [{ 'stall-minutes': '100000' }, {}, '--stall-minutes must be at most 35791 (it is "100000").'],
  [{ 'queue-seconds': '9999999' }, {}, '--queue-seconds must be at most 2147483 (it is "9999999").'],
  [{ constructor: '1' }, {}, 'There is no setting --constructor.'],
  [{ confg: 'x' }, {}, 'There is no setting --confg. Did you mean --config?'],
  [{}, { ISTHMUS_SPARES: '-1' }, 'ISTHMUS_SPARES must be at least 0 (it is "-1").'],
  [
    { config: '/no/such.json' },
    {},
    'There is no configuration file /no/such.json. Name one that exists: --config FILE.',
  ],
  [{ config: '/' }, {}, 'The configuration file / cannot be read: EISDIR'],
])('%j %j is refused with the cure', async (flags, environment, message) => {
  await expect(read(flags, environment)).rejects.toThrow(message);
});

test.each([{ port: null }, { 'queue-length': null }, { port: true }, { 'max-processes': [5] }])(
  '%j in the file is no number',
  async (settings) => {
    writeFileSync(file, JSON.stringify(settings));
    await expect(read({ config: file })).rejects.toThrow('must be a number');
  },
);

describe('agents', async () => {
  const docs = { level: 'read', workspace: '/work/docs' };
  const refused = (agents: unknown) => {
    writeFileSync(file, JSON.stringify({ agents }));
    return expect(read({ config: file })).rejects;
  };
  afterAll(() => rmSync(file, { force: true }));

  test('have defaults, and can be given again', async () => {
    const settings = checkSettings({ agents: { docs } });
    expect(settings.agents.docs).toEqual({
      ...docs,
      system: '',
      preset: false,
      claudeMd: false,
      deny: [],
      allowedHosts: [],
      mcpServers: {},
      subagents: {},
      maxTurns: 50,
      maxSeconds: 600,
      showSteps: false,
      origins: [],
    });
    expect(checkSettings(settings)).toEqual(settings);
    expect((await read()).agents).toEqual({});
  });

  test.each<[unknown, string]>([
    [[], '"agents" in the configuration file must be an object of agents by their names.'],
    [{ docs: 1 }, '"agents.docs" in the configuration file must be an object with level, workspace,'],
    [
      { docs: { ...docs, level: 'write' } },
      '"agents.docs.level" in the configuration file must be read, edit or shell.',
    ],
    [{ docs: { level: 'read' } }, '"agents.docs.workspace" in the configuration file must be text.'],
    [
      { docs: { ...docs, workspace: 'docs' } },
      '"agents.docs.workspace" in the configuration file must be the path of a folder, from / or ~/ on.',
    ],
    [
      { docs: { lvel: 'read', workspace: '/' } },
      '"agents.docs" in the configuration file has no setting "lvel". Did you mean "level"?',
    ],
    [
      { docs: { ...docs, anything: 1 } },
      '"agents.docs" in the configuration file has no setting "anything"; it may have level, workspace, model,',
    ],
    [{ docs: { ...docs, maxTurns: 0 } }, '"agents.docs.maxTurns" in the configuration file must be at least 1.'],
    [{ docs: { ...docs, maxTurns: 1.5 } }, '"agents.docs.maxTurns" in the configuration file must be a whole number.'],
    [
      { docs: { ...docs, maxBudgetUsd: '1' } },
      '"agents.docs.maxBudgetUsd" in the configuration file must be a number.',
    ],
    [{ docs: { ...docs, deny: 'secrets' } }, '"agents.docs.deny" in the configuration file must be a list of rules'],
    [
      { docs: { ...docs, allowedHosts: ['http://a'] } },
      '"agents.docs.allowedHosts.0" in the configuration file must be the name',
    ],
    [
      { docs: { ...docs, origins: ['chat.example'] } },
      '"agents.docs.origins.0" in the configuration file must be the origin',
    ],
    [
      { docs: { ...docs, origins: ['https://chat.example/'] } },
      '"agents.docs.origins.0" in the configuration file must be',
    ],
    [
      { docs: { ...docs, mcpServers: { a: { url: 'http://a' } } } },
      '"agents.docs.mcpServers.a" in the configuration file has no setting "url"; it may have type, command, args, env (a server at a URL needs "type": "http" or "type": "sse").',
    ],
    [
      { docs: { ...docs, mcpServers: { a: { type: 'ws', url: 'http://a' } } } },
      'must have a command, or a url and "type": "http" or "type": "sse".',
    ],
    [
      { docs: { ...docs, mcpServers: { a: { type: 'http', url: 'a' } } } },
      '"agents.docs.mcpServers.a.url" in the configuration file must be a URL',
    ],
    [
      { docs: { ...docs, mcpServers: { 'a b': { command: 'x' } } } },
      '"agents.docs.mcpServers.a b" in the configuration file is no name; names match',
    ],
    [
      { docs: { ...docs, subagents: { a: { prompt: 'x' } } } },
      '"agents.docs.subagents.a.description" in the configuration file must be text.',
    ],
  ])('%j is refused with path and cure', async (agents, message) => {
    await refused(agents).toThrow(message);
  });

  test('a program hears of its own names', () => {
    expect(() => checkSettings({ agents: { 'my-docs': { ...docs, level: '' } } })).toThrow(
      'agents.my-docs.level must be read, edit or shell.',
    );
  });

  test('no error shows what may be a secret', async () => {
    const secret = 'sk-of-somebody';
    const mcpServers = { a: { command: 'x', env: { KEY: [secret] } } };
    for (const wrong of [
      { ...docs, key: [secret] },
      { ...docs, mcpServers },
      { ...docs, level: secret },
    ]) {
      await refused({ docs: wrong }).toThrow(expect.objectContaining({ message: expect.not.stringContaining(secret) }));
    }
  });

  test('are no flag and no variable', async () => {
    const cure =
      'define agents in the configuration file, {"agents": {"docs": {"level": "read", "workspace": "/work/docs"}}}';
    await expect(read({ agents: 'docs' })).rejects.toThrow(`--agents is no flag and no variable: ${cure}`);
    await expect(read({}, { ISTHMUS_AGENTS: '{}' })).rejects.toThrow(
      `ISTHMUS_AGENTS is no flag and no variable: ${cure}`,
    );
  });

  test('one can be defined by flags', async () => {
    expect(await read({ 'agent-level': 'edit' }, { ISTHMUS_WORKSPACE: 'here' })).toMatchObject({
      agentLevel: 'edit',
      workspace: 'here',
    });
    await expect(read({ 'agent-level': 'all' })).rejects.toThrow(
      '--agent-level must be read, edit or shell (it is "all").',
    );
  });
});

test.each(['x', 'anything', 'maximum'])('nothing is proposed for %j, which is near to none', async (flag) => {
  await expect(read({ [flag]: '1' })).rejects.toThrow(new SettingsError(`There is no setting --${flag}.`));
});

test('a file may begin with a byte order mark, and have comments and trailing commas', async () => {
  writeFileSync(file, '\uFEFF{"port": 7}');
  expect(await read({ config: file })).toMatchObject({ port: 7 });
  writeFileSync(file, '// mine\n{"$schema": "./schema.json", "port": 8, /* all */ "strict": true,}\n');
  expect(await read({ config: file })).toMatchObject({ port: 8, strict: true });
});

test.each([
  ['{"port": 1 "spares": 2}', 'cannot be read as JSON: comma expected at line 1, column 12.'],
  ['{\n  "port": 1,\n  "port": 2\n}', 'has the key "port" twice, the second time at line 3, column 3. Leave one'],
  ['{"agents": {"a": 1, "a": 1}}', 'has the key "a" twice, the second time at line 1, column 21.'],
  ['', 'cannot be read as JSON: value expected at line 1, column 1.'],
])('the broken file %j is refused with its place', async (text, message) => {
  writeFileSync(file, text);
  await expect(read({ config: file })).rejects.toThrow(`The configuration file ${file} ${message}`);
});

describe('variables in the file', async () => {
  const within = '$' + '{MY_HOME}/claude';

  test('are put in, and where they stand is told', async () => {
    writeFileSync(file, JSON.stringify({ host: '$MY_HOST', claude: within, 'max-processes': '$MY_N' }));
    const environment = { MY_HOST: 'gateway', MY_HOME: '/home/me', MY_N: '3', ISTHMUS_PORT: '80' };
    const { settings, traced, file: read } = await traceSettings({ flags: { config: file, spares: '1' }, environment });
    expect(settings).toMatchObject({ host: 'gateway', claude: '/home/me/claude', maxProcesses: 3 });
    expect(read).toBe(file);
    const named = ['port', 'host', 'allowed-hosts', 'claude', 'spares'];
    expect(traced.filter(({ name }) => named.includes(name))).toEqual([
      { name: 'port', value: 80, from: 'variable' },
      { name: 'host', value: 'gateway', from: 'file', reference: '$MY_HOST' },
      { name: 'allowed-hosts', value: [], from: 'default' },
      { name: 'claude', value: '/home/me/claude', from: 'file', reference: within },
      { name: 'spares', value: 1, from: 'flag' },
    ]);
  });

  test('stand in lists and objects, too, and no error shows what they hold', async () => {
    writeFileSync(
      file,
      JSON.stringify({ 'allowed-hosts': ['$MY_HOST'], 'model-alias': { a: '$MY_MODEL' }, port: '$MY_HOST' }),
    );
    const environment = { MY_HOST: 'secret.host', MY_MODEL: 'claude-sonnet-5' };
    await expect(readSettings({ flags: { config: file }, environment })).rejects.toThrow(
      '"port" in the configuration file must be a number (it is "$MY_HOST").',
    );
    const { settings, traced } = await traceSettings({ flags: { config: file, port: '1' }, environment });
    expect(settings).toMatchObject({ allowedHosts: ['secret.host'], modelAlias: { a: 'claude-sonnet-5' } });
    expect(traced.find(({ name }) => name === 'model-alias')?.reference).toBe('{"a":"$MY_MODEL"}');
  });

  test('must be set', async () => {
    writeFileSync(file, '{"host": "$MY_HOST"}');
    await expect(read({ config: file })).rejects.toThrow(
      '"host" in the configuration file is the variable MY_HOST, which is not set. Set it in the environment of Isthmus.',
    );
  });
});

test('a program gives settings in camel case, and the answer can be given again', () => {
  const settings = checkSettings({ maxProcesses: 3, spares: undefined, strict: true });
  expect(settings).toMatchObject({ maxProcesses: 3, spares: 2, strict: true, port: 3456 });
  expect(checkSettings(settings)).toEqual(settings);
  expect(() => checkSettings({ maxProcesses: 0 })).toThrow('maxProcesses must be at least 1 (it is 0).');
  expect(() => checkSettings({ maxProceses: 1 })).toThrow(
    'There is no setting maxProceses. Did you mean maxProcesses?',
  );
  expect(() => checkSettings({ 'max-processes': 1 })).toThrow('There is no setting');
});

test('an unknown key in the file is named', async () => {
  writeFileSync(file, JSON.stringify({ hots: 'x' }));
  await expect(read({ config: file })).rejects.toThrow(
    'There is no setting "hots" in the configuration file. Did you mean "host" in the configuration file?',
  );
  writeFileSync(file, '[]');
  await expect(read({ config: file })).rejects.toThrow('must hold a JSON object');
  rmSync(folder, { recursive: true });
});
