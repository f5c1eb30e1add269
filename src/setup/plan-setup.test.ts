import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { parse } from 'jsonc-parser';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { checkProperty, depthOf } from '../../test/support/depth.ts';
import { generatedJsonc } from '../../test/support/generated-jsonc.ts';
import { isSetUp, planSetup, planUndo, printedSetup } from './plan-setup.ts';
import { SetupError } from './setup-error.ts';
import { SetupRecords } from './setup-record.ts';
import { CLIENT_FILES, type ClientFile, clientFileOf, type EditableFile } from './setup-table.ts';

const URL = 'http://127.0.0.1:3456';
const CLAUDE = clientFileOf('claude-code') as EditableFile;

const WRITTEN = CLIENT_FILES.filter(({ whyByHand }) => !whyByHand).map(({ name }) => name);

let home: string;
let environment: Record<string, string>;
let settings: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'isthmus-setup-'));
  environment = { HOME: home };
  settings = join(home, '.claude', 'settings.json');
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(home, { recursive: true });
});

function write(path: string, content: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

const setUp = (url = URL, client: ClientFile = CLAUDE) => planSetup(client, url, environment).carryOut();
const undo = (client: ClientFile = CLAUDE) => planUndo(client, environment).carryOut();
function records(): string[] {
  const folder = join(home, '.local', 'state', 'isthmus', 'setup');
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

/** Everything that a user's files may begin and end with, around what is generated. */
const files = fc.tuple(
  generatedJsonc(['env', 'ANTHROPIC_BASE_URL', 'ANTHROPIC_AUTH_TOKEN'], {
    ANTHROPIC_BASE_URL: fc.constantFrom(URL, 'https://elsewhere.test'),
    ANTHROPIC_AUTH_TOKEN: fc.constantFrom('isthmus', 'sk-ant-mine-12345678'),
  }),
  fc.constantFrom('', '\uFEFF'),
);

test('set up and undone, any file is what it was, byte for byte; set up twice is set up once', {
  tags: ['soak'],
}, async () => {
  const depth = depthOf('settingsFiles');
  let changed = 0;
  await checkProperty(
    { ...depth, runs: Math.ceil(depth.runs / 2) },
    fc.property(files, ([{ text }, mark]) => {
      if (depth.isOver()) return;
      const before = Buffer.from(mark + text);
      write(settings, before);
      const plan = planSetup(CLAUDE, URL, environment);
      plan.carryOut();
      const after = readFileSync(settings);
      expect(after.subarray(0, 3).equals(Buffer.from('\uFEFF'))).toBe(mark !== '');
      expect(parse(after.toString().replace('\uFEFF', '')).env).toMatchObject({
        ANTHROPIC_BASE_URL: URL,
        ANTHROPIC_AUTH_TOKEN: 'isthmus',
      });
      expect(plan.diff.join()).not.toContain('sk-ant-mine');
      setUp();
      expect(readFileSync(settings)).toEqual(after);
      if (after.equals(before)) return;
      changed += 1;
      setUp('http://127.0.0.1:4000');
      undo();
      expect(readFileSync(settings)).toEqual(before);
      expect(records()).toEqual([]);
    }),
  );
  expect(changed).toBeGreaterThan(0);
});

test.each(WRITTEN)('a file that setup has made for %s is removed again', (name) => {
  const client = clientFileOf(name) as ClientFile;
  const { path } = planSetup(client, URL, environment);
  expect(isSetUp(name, environment)).toBe(false);
  setUp(URL, client);
  expect(readFileSync(path, 'utf8')).toBe(printedSetup(client, URL, environment).text);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(isSetUp(name, environment)).toBe(true);
  undo(client);
  expect(existsSync(path)).toBe(false);
  expect(isSetUp(name, environment)).toBe(false);
  expect(() => undo(client)).toThrow('There is nothing to undo');
});

test.each(WRITTEN)('also when %s, or its user, has written to it in between', (name) => {
  const client = clientFileOf(name) as EditableFile;
  const { path } = planSetup(client, URL, environment);
  setUp(URL, client);
  const written = readFileSync(path, 'utf8');
  writeFileSync(path, client.format.edit(written, [{ kind: 'value', path: ['mine'], value: 'kept' }]).text);
  expect(isSetUp(name, environment)).toBe(true);
  const plan = planUndo(client, environment);
  expect(plan.words).toEqual([expect.stringContaining('changed since, so only what setup has written is taken out')]);
  plan.carryOut();
  const left = readFileSync(path, 'utf8');
  expect(client.format.read(left, { kind: 'value', path: ['mine'], value: '' })).toBe('kept');
  expect(left.length).toBeLessThan('{"mine":"kept"}'.length + 12);
});

test('a file that setup has made is removed too if nothing else is in it after an edit', () => {
  setUp();
  writeFileSync(settings, `${readFileSync(settings, 'utf8')}\n`);
  expect(undo()).toEqual([`${settings} is removed, since setup had made it.`]);
  expect(existsSync(settings)).toBe(false);
});

test('set up again after an edit elsewhere, nothing is written', () => {
  write(settings, '{\n  "theme": "dark"\n}\n');
  setUp();
  const edited = readFileSync(settings, 'utf8')
    .replace('"dark",', '"light",\n  // mine\n')
    .replace('}\n}', '}, "x": 1\n}');
  writeFileSync(settings, edited);
  expect(planSetup(CLAUDE, URL, environment)).toMatchObject({
    diff: [],
    words: [expect.stringContaining('is set up already')],
  });
  setUp('http://127.0.0.1:4000');
  undo();
  expect(parse(readFileSync(settings, 'utf8'))).toEqual({ theme: 'light', x: 1 });
});

test('a file that somebody has put back by hand is what it was, and its record goes', () => {
  write(settings, '{}');
  setUp();
  writeFileSync(settings, '{}');
  expect(planUndo(CLAUDE, environment)).toMatchObject({ words: [], diff: [] });
  expect(undo()).toEqual([`${settings} is what it was before.`]);
  expect(records()).toEqual([]);
});

test('without its copy a record is damaged, and nothing is undone', () => {
  write(settings, '{}');
  setUp();
  const written = readFileSync(settings, 'utf8');
  rmSync(records().find((path) => path.endsWith('.before')) ?? '');
  expect(() => undo()).toThrow('is damaged');
  expect(readFileSync(settings, 'utf8')).toBe(written);
});

test('a value of ours that its user has changed stays, and is told', () => {
  write(settings, '{"env": {"ANTHROPIC_BASE_URL": "https://elsewhere.test"}}');
  setUp();
  writeFileSync(settings, readFileSync(settings, 'utf8').replace('3456', '9999'));
  const plan = planUndo(CLAUDE, environment);
  expect(plan.words).toContain('env.ANTHROPIC_BASE_URL was changed since, and stays.');
  plan.carryOut();
  expect(JSON.parse(readFileSync(settings, 'utf8'))).toEqual({ env: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:9999' } });
});

test('a foreign value is shown, replaced and given back, after an edit too', () => {
  write(settings, '{\n  "env": {\n    "ANTHROPIC_BASE_URL": "https://me:pass@elsewhere.test" // theirs\n  }\n}\n');
  const plan = planSetup(CLAUDE, URL, environment);
  expect(plan.words).toEqual([CLAUDE.whenReplaced]);
  expect(plan.diff).toContain('-    "ANTHROPIC_BASE_URL": "https://••••@elsewhere.test" // ••••');
  expect(plan.diff).toContain('+    "ANTHROPIC_BASE_URL": "http://127.0.0.1:3456", // ••••');
  plan.carryOut();
  writeFileSync(settings, readFileSync(settings, 'utf8').replace('{', '{ "theme": "dark",'));
  undo();
  expect(readFileSync(settings, 'utf8')).toBe(
    '{ "theme": "dark",\n  "env": {\n    "ANTHROPIC_BASE_URL": "https://me:pass@elsewhere.test" // theirs\n  }\n}\n',
  );
});

test('the copy and the record are for their owner alone; the file keeps its mode', () => {
  write(settings, '{}');
  chmodSync(settings, 0o640);
  const [, kept = ''] = setUp();
  expect(statSync(settings).mode & 0o777).toBe(0o640);
  expect(records().map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600]);
  expect(records().some((path) => kept.includes(path))).toBe(true);
  expect(readdirSync(dirname(settings))).toEqual(['settings.json']);
});

test('a link stays a link, also one that leads to nothing yet', () => {
  const target = join(home, 'dotfiles', 'claude.json');
  mkdirSync(dirname(target));
  mkdirSync(dirname(settings));
  symlinkSync(join('..', 'dotfiles', 'claude.json'), settings);
  for (const before of [undefined, '{"theme": "dark"}']) {
    if (before !== undefined) writeFileSync(target, before);
    setUp();
    expect(lstatSync(settings).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, 'utf8')).toContain('3456');
    undo();
    expect(lstatSync(settings).isSymbolicLink()).toBe(true);
    expect(existsSync(target) ? readFileSync(target, 'utf8') : undefined).toBe(before);
  }
});

test.each([
  ['changed', () => writeFileSync(settings, '{"mine": true}')],
  ['removed', () => rmSync(settings)],
])('a file that is %s between the look and the write is left as it is', (_what, act) => {
  write(settings, '{}');
  const plan = planSetup(CLAUDE, URL, environment);
  act();
  const now = existsSync(settings) ? readFileSync(settings, 'utf8') : undefined;
  expect(() => plan.carryOut()).toThrow('has been changed meanwhile; nothing was written');
  expect(existsSync(settings) ? readFileSync(settings, 'utf8') : undefined).toBe(now);
  expect(records()).toEqual([]);
});

test('a file that appears between the look and the write is left as it is', () => {
  const plan = planSetup(CLAUDE, URL, environment);
  write(settings, '{"mine": true}');
  expect(() => plan.carryOut()).toThrow(SetupError);
  expect(readFileSync(settings, 'utf8')).toBe('{"mine": true}');
});

test.each<[what: string, content: string | Buffer, words: string]>([
  ['broken', '{\n  "env": {\n', 'settings.json:3 is not valid JSON'],
  ['with equal keys', '{\n  "env": {},\n  "env": {}\n}', 'settings.json:3 has the key "env" twice'],
  ['no UTF-8', Buffer.from('{"a": "\xE4"}', 'latin1'), 'settings.json is not UTF-8'],
  ['UTF-16', Buffer.from('\uFEFF{}', 'utf16le'), 'settings.json is not UTF-8'],
])('a file that is %s is refused and stays', (_what, content, words) => {
  write(settings, content);
  expect(() => planSetup(CLAUDE, URL, environment)).toThrow(words);
  expect(isSetUp('claude-code', environment)).toBe(false);
  expect(readFileSync(settings)).toEqual(Buffer.from(content));
});

test('a folder in place of the file is told', () => {
  mkdirSync(settings, { recursive: true });
  expect(() => planSetup(CLAUDE, URL, environment)).toThrow('settings.json cannot be read (EISDIR)');
});

test('a file that is gone is not made again by undo', () => {
  write(settings, '{}');
  setUp();
  rmSync(settings);
  expect(undo()).toEqual([`${settings} is gone, so there is nothing left to undo.`]);
  expect(existsSync(settings)).toBe(false);
  expect(records()).toEqual([]);
});

test('of several files the one that wins is changed; undo finds the one that was', () => {
  const openCode = clientFileOf('opencode') as ClientFile;
  const folder = join(home, '.config', 'opencode');
  write(join(folder, 'opencode.json'), '{}');
  setUp(URL, openCode);
  expect(readdirSync(folder)).toEqual(['opencode.json']);
  write(join(folder, 'opencode.jsonc'), '{}');
  undo(openCode);
  expect(readFileSync(join(folder, 'opencode.json'), 'utf8')).toBe('{}');
  setUp(URL, openCode);
  expect(readFileSync(join(folder, 'opencode.json'), 'utf8')).toBe('{}');
  expect(readFileSync(join(folder, 'opencode.jsonc'), 'utf8')).toContain(`${URL}/v1`);
});

test.each([
  ['claude-code', 'CLAUDE_CONFIG_DIR', 'settings.json'],
  ['pi', 'PI_CODING_AGENT_DIR', 'models.json'],
  ['qwen-code', 'QWEN_HOME', 'settings.json'],
  ['opencode', 'XDG_CONFIG_HOME', 'opencode/opencode.jsonc'],
  ['kilo', 'XDG_CONFIG_HOME', 'kilo/kilo.jsonc'],
])('%s keeps its file where %s says', (name, variable, path) => {
  const client = clientFileOf(name) as ClientFile;
  expect(planSetup(client, URL, { ...environment, [variable]: join(home, 'other') }).path).toBe(
    join(home, 'other', path),
  );
});

test('what a client writes anew by itself is only printed', () => {
  const cline = clientFileOf('cline') as ClientFile;
  expect(isSetUp('cline', environment)).toBeUndefined();
  expect(() => planSetup(cline, URL, environment)).toThrow('`isthmus setup cline --print` says what to put where.');
  const codex = clientFileOf('codex') as ClientFile;
  expect(isSetUp('codex', environment)).toBeUndefined();
  expect(() => planSetup(codex, URL, environment)).toThrow('its file is TOML');
  const printed = printedSetup(codex, URL, { ...environment, CODEX_HOME: home });
  expect(printed.path).toBe(join(home, 'config.toml'));
  expect(printed.text).toContain(`\n[model_providers.isthmus]\nname = "Isthmus"\nbase_url = "${URL}/v1"\n`);
  const { path, text } = printedSetup(cline, URL, { ...environment, CLINE_DATA_DIR: home });
  expect(path).toBe(join(home, 'settings', 'providers.json'));
  expect(JSON.parse(text)).toMatchObject({ providers: { anthropic: { settings: { baseUrl: `${URL}/v1` } } } });
});

test.each<[string, string, object, RegExp[]]>([
  [
    'claude-code',
    '.claude/settings.json',
    { env: { CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'us-east-1' } },
    [/^CLAUDE_CODE_USE_BEDROCK in its env block leads Claude Code past Isthmus: move it/],
  ],
  [
    'claude-code',
    '.claude/settings.json',
    { env: { ANTHROPIC_API_KEY: 'sk-mine' }, apiKeyHelper: '/bin/key' },
    [/^ANTHROPIC_API_KEY .* counts there before the token/, /^The key of its apiKeyHelper .* take it out/],
  ],
  ['claude-code', '.claude/settings.json', { env: { ANTHROPIC_API_KEY: '' }, apiKeyHelper: '' }, []],
  [
    'opencode',
    '.config/opencode/opencode.json',
    { disabled_providers: ['x', 'anthropic'], enabled_providers: ['openai'] },
    [/^disabled_providers turns anthropic off/, /^enabled_providers leaves anthropic out/],
  ],
  [
    'kilo',
    '.config/kilo/kilo.json',
    { model: 'openai/gpt-5', small_model: 'anthropic-x/y' },
    [/^model names a model of another provider/, /^small_model names/],
  ],
  [
    'opencode',
    '.config/opencode/opencode.json',
    { disabled_providers: ['x'], enabled_providers: ['anthropic'], model: 'anthropic/claude-sonnet-5' },
    [],
  ],
])('what keeps %s from the gateway all the same is told: %s %j', (name, path, content, words) => {
  const client = clientFileOf(name) as ClientFile;
  write(join(home, path), JSON.stringify(content));
  const expected = words.map((one) => expect.stringMatching(one));
  expect(planSetup(client, URL, environment).words).toEqual(expected);
  setUp(URL, client);
  expect(planSetup(client, URL, environment).words).toEqual([expect.stringContaining('set up already'), ...expected]);
});

test('a write that fails leaves the record of the one before', () => {
  write(settings, '{}');
  setUp();
  const [record = ''] = records().filter((path) => path.endsWith('.json'));
  const stored = readFileSync(record, 'utf8');
  const plan = planSetup(CLAUDE, 'http://127.0.0.1:4000', environment);
  writeFileSync(settings, `${readFileSync(settings, 'utf8')}\n`);
  expect(() => plan.carryOut()).toThrow(SetupError);
  expect(readFileSync(record, 'utf8')).toBe(stored);
  undo();
  expect(readFileSync(settings, 'utf8').trim()).toBe('{\n}');
});

test.each([
  ['the same', URL],
  ['another', 'http://127.0.0.1:4000'],
])('of two plans for one file, the second with %s address, the first is written and can be undone', (_which, url) => {
  for (const before of [undefined, '{"theme": "dark"}']) {
    if (before !== undefined) write(settings, before);
    const [first, second] = [planSetup(CLAUDE, URL, environment), planSetup(CLAUDE, url, environment)];
    first.carryOut();
    const kept = records().map((path) => readFileSync(path, 'utf8'));
    expect(() => second.carryOut()).toThrow('has been changed meanwhile');
    expect(records().map((path) => readFileSync(path, 'utf8'))).toEqual(kept);
    undo();
    expect(existsSync(settings) ? readFileSync(settings, 'utf8') : undefined).toBe(before);
  }
});

test.each([
  ['a setup', () => planSetup(CLAUDE, 'http://127.0.0.1:4000', environment)],
  ['an undo', () => planUndo(CLAUDE, environment)],
])('while a setup is carried out, %s writes nothing and loses no record', (what, plan) => {
  write(settings, '{"theme": "dark"}');
  if (what === 'an undo') setUp('http://127.0.0.1:5000');
  const other = plan();
  const first = planSetup(CLAUDE, URL, environment);
  const { keep } = SetupRecords.prototype;
  // Between the look at the file and its writing.
  const meanwhile = vi.spyOn(SetupRecords.prototype, 'keep').mockImplementationOnce(function (
    this: SetupRecords,
    ...args
  ) {
    expect(() => other.carryOut()).toThrow(/^Another `isthmus setup` is at work on .*claude-code-\w+\.lock\.$/);
    return keep.apply(this, args);
  });
  first.carryOut();
  expect(meanwhile).toHaveBeenCalled();
  expect(JSON.parse(readFileSync(settings, 'utf8'))).toMatchObject({ env: { ANTHROPIC_BASE_URL: URL } });
  undo();
  expect(readFileSync(settings, 'utf8')).toBe('{"theme": "dark"}');
});

test('a plan that is carried out when another one was carried out and undone leaves a record of its own', () => {
  write(settings, '{}');
  const [first, second] = [planSetup(CLAUDE, URL, environment), planSetup(CLAUDE, URL, environment)];
  first.carryOut();
  undo();
  second.carryOut();
  undo();
  expect(readFileSync(settings, 'utf8')).toBe('{}');
});

test('a file that cannot be written leaves the records as they were', () => {
  // Nothing fits behind so long a name, so no file can be written beside it.
  const target = join(home, 'x'.repeat(250));
  write(target, '{}');
  mkdirSync(dirname(settings));
  symlinkSync(target, settings);
  expect(() => setUp()).toThrow('cannot be written (ENAMETOOLONG)');
  expect(records()).toEqual([]);
});

test('a client is set up by whomever its file was written', () => {
  const pointed = (url: string, key: string) =>
    write(settings, JSON.stringify({ env: { ANTHROPIC_BASE_URL: url, ANTHROPIC_AUTH_TOKEN: key } }));
  pointed(URL, 'isthmus');
  expect(planSetup(CLAUDE, URL, environment).words).toEqual([expect.stringContaining('is set up already')]);
  expect(isSetUp('claude-code', environment)).toBe(true);
  pointed('http://127.0.0.1:4000', 'isthmus');
  expect(isSetUp('claude-code', environment)).toBe(true);
  pointed('https://elsewhere.test', 'sk-ant-mine');
  expect(isSetUp('claude-code', environment)).toBe(false);
  // Without a record, too: what setup has written may have been undone by hand.
  setUp();
  write(settings, '{}');
  expect(isSetUp('claude-code', environment)).toBe(false);
  const folder = join(home, '.config', 'opencode');
  write(
    join(folder, 'opencode.json'),
    `{"$schema": "x", "provider": {"anthropic": {"options": {"baseURL": "${URL}/v1", "apiKey": "isthmus"}}}}`,
  );
  expect(isSetUp('opencode', environment)).toBe(true);
});

test('without a home there is no place for a backup', () => {
  expect(() => planSetup(CLAUDE, URL, { CLAUDE_CONFIG_DIR: home })).toThrow('no place for a backup. Set HOME.');
});
