import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ScriptedModel } from '../../scripted-model/server.ts';
import { findExecutable } from '../../src/engine/environment/executable.ts';
import { ROOT, surroundings } from '../support/gateway.ts';

/** The package as another program meets it: packed, installed into an empty folder, imported. */

const folder = mkdtempSync(join(tmpdir(), 'isthmus-package-'));
const app = join(folder, 'app');
let files: string[] = [];

beforeAll(() => {
  const packed = npm(ROOT, ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]);
  const [{ filename, files: listed }] = JSON.parse(packed);
  files = listed.map(({ path }: { path: string }) => path);
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), JSON.stringify({ type: 'module', private: true }));
  // Without the SDK's own binary, which is some 200 MB: the test names the one that is here.
  const quiet = ['--prefer-offline', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund'];
  npm(app, ['install', ...quiet, join(folder, filename)]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function npm(cwd: string, args: string[]): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

test('it holds what runs, and no test, benchmark or source', () => {
  const isExpected = (path: string) =>
    /^(bin\/.*\.js|dist\/(src|scripted-model)\/.*\.(js|d\.ts)|prepare\.js|config\.schema\.json|package\.json|README\.md|LICENSE)$/.test(
      path,
    );
  expect(files.filter((path) => !isExpected(path) || path.includes('.test.'))).toEqual([]);
  for (const path of ['bin/isthmus.js', 'bin/scripted-model.js', 'dist/src/index.js', 'dist/src/index.d.ts'])
    expect(files).toContain(path);
});

const TYPED = `
import { BootError, createGateway, type GatewayOptions, type Log, type RunningGateway, SettingsError } from 'isthmus-gateway';

const log: Log = (event, fields) => console.log(event.toUpperCase(), fields?.['path']);
const options: GatewayOptions = { port: 0, maxProcesses: 2, claude: undefined, retries: 'client', environment: { A: undefined }, log };
const gateway: RunningGateway = await createGateway(options);
const words: string[] = [gateway.url, gateway.mode, gateway.credential, gateway.executable.path, ...gateway.warnings];
const stopped: Promise<void> = gateway.stop(0);
gateway.abandon();
console.log(words, stopped, BootError, SettingsError);
// @ts-expect-error There is no such option.
await createGateway({ maxProceses: 1 });
// @ts-expect-error It has another type.
await createGateway({ retries: 'nobody' });
`;

test('its types say what it takes and gives, to a program that knows nothing of Node', () => {
  writeFileSync(join(app, 'typed.ts'), TYPED);
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess'];
  const target = ['--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022,dom', '--types', ''];
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [compiler, '--noEmit', ...strict, ...target, 'typed.ts'], {
    cwd: app,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
});

/** Two gateways side by side; prints what came of them as JSON. */
const USED = `
import { createGateway, BootError, SettingsError } from 'isthmus-gateway';

const [claude, ...models] = process.argv.slice(2);
const state = () => JSON.stringify([
  { ...process.env, CLAUDE_AGENT_SDK_VERSION: '', NoDefaultCurrentDirectoryInExePath: '' },
  ['SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => process.listenerCount(name)),
]);
const before = state();
const events = [[], []];
const gateways = await Promise.all(
  models.map((url, at) =>
    createGateway({
      port: 0,
      claude,
      spares: 0,
      environment: { ...process.env, ANTHROPIC_BASE_URL: url },
      log: (event) => events[at].push(event),
    }),
  ),
);
const ask = async ({ url }, messages) => {
  const response = await fetch(url + '/v1/messages', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 100, messages }),
  });
  const { content } = await response.json();
  return [response.headers.get('isthmus-path'), content?.[0]?.text];
};
const user = (content) => ({ role: 'user', content });
const history = [user('one'), { role: 'assistant', content: 'two' }, user('three')];
const answers = await Promise.all(gateways.flatMap((gateway) => [ask(gateway, [user('hi')]), ask(gateway, history)]));
const [first, second] = gateways;
await first.stop(1000);
const firstIsGone = await fetch(first.url).then(() => false, () => true);
const late = await ask(second, [user('hi')]);
await Promise.all([second.stop(1000), second.stop(1000)]);
const refusals = await Promise.all([
  createGateway({ spares: -1 }).catch((error) => [error instanceof SettingsError, error.message]),
  createGateway({ claude: '/no/such' }).catch((error) => [error instanceof BootError, error.message]),
]);
console.log(JSON.stringify({ answers, late, firstIsGone, events, refusals, isUntouched: state() === before }));
`;

test('two gateways run side by side in a program, over two models, and leave it as it was', async () => {
  const answering = (text: string) => ScriptedModel.start({ script: [() => ({ content: [{ type: 'text', text }] })] });
  const models = await Promise.all([answering('of the first'), answering('of the second')]);
  const { env, home, remove } = surroundings('http://127.0.0.1:9');
  writeFileSync(join(app, 'used.js'), USED);
  const args = ['used.js', findExecutable(undefined).path, ...models.map(({ url }) => url)];
  // It ends by itself: nothing that has been stopped keeps a program alive.
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, args, { cwd: app, env }, (error, stdout, stderr) =>
      error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(stdout),
    );
  });
  const turns = (text: string) => [
    ['start', text],
    ['replay', text],
  ];
  expect(JSON.parse(output)).toEqual({
    answers: [...turns('of the first'), ...turns('of the second')],
    late: ['start', 'of the second'],
    firstIsGone: true,
    events: [expect.arrayContaining(['turn']), expect.arrayContaining(['turn'])],
    refusals: [
      [true, 'spares must be at least 0 (it is -1).'],
      [true, expect.stringContaining('/no/such is missing or not executable')],
    ],
    isUntouched: true,
  });
  expect(readdirSync(home).filter((name) => name !== '.local')).toEqual([]);
  remove();
  for (const model of models) await model.close();
});

test('without its development dependencies a built one stays as it is, and one that is not built says so', () => {
  const clone = join(folder, 'clone');
  mkdirSync(join(clone, 'dist'), { recursive: true });
  for (const name of ['prepare.js', 'package.json']) copyFileSync(join(ROOT, name), join(clone, name));
  writeFileSync(join(clone, 'dist', 'built'), '');
  const prepare = () => execFileSync('npm', ['run', '--silent', 'prepare'], { cwd: clone, encoding: 'utf8' });
  expect(prepare()).toBe('');
  expect(readdirSync(join(clone, 'dist'))).toEqual(['built']);
  rmSync(join(clone, 'dist'), { recursive: true });
  expect(prepare()).toMatch(/^Isthmus is not built: .*\n$/);
});
