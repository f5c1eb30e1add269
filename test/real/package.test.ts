import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answer, type ScriptedModel, startScriptedModel } from '../../scripted-model/testing.ts';
import { findExecutable } from '../../src/engine/environment/executable.ts';
import { sdkClient } from '../support/clients.ts';
import { ROOT, surroundings, until } from '../support/gateway.ts';
import { npm, packPackage } from '../support/packed-package.ts';
import { processesWith } from '../support/process-table.ts';

/** The package as another program meets it: packed, installed into an empty folder, imported. */

const folder = mkdtempSync(join(tmpdir(), 'isthmus-package-'));
const app = join(folder, 'app');
let files: string[] = [];

beforeAll(() => {
  const packed = packPackage(folder);
  files = packed.files;
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), JSON.stringify({ type: 'module', private: true }));
  // The SDK's own binary is some 200 MB: in its place is a link to the one that is here.
  npm(app, ['install', '--omit=optional', packed.tarball]);
  const binary = dirname(findExecutable(undefined).path);
  symlinkSync(binary, join(app, 'node_modules', '@anthropic-ai', basename(binary)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('it holds what runs, and no test, benchmark or source', () => {
  const kinds = [
    /^(bin\/.*\.js|dist\/(src|scripted-model)\/.*\.(js|d\.ts)|(docs\/.*\.md|examples\/.*\.js))$/,
    /^(prepare\.js|package\.json|config\.schema\.json|completions\/isthmus\.(bash|zsh|fish)|README\.md|CHANGELOG\.md|SECURITY\.md|LICENSE)$/,
  ];
  const isExpected = (path: string) => kinds.some((kind) => kind.test(path)) && !/^dist\/.*\.test\./.test(path);
  expect(files.filter((path) => !isExpected(path))).toEqual([]);
  for (const path of ['bin/isthmus.js', 'bin/scripted-model.js', 'dist/src/index.js', 'dist/src/index.d.ts'])
    expect(files).toContain(path);
});

/** What one works on it with, and what an image of it is built by: from a clone. */
const OF_THE_REPOSITORY = /^(test|src|bench|container)\/|^(ARCHITECTURE|CONTRIBUTING)\.md$|^compose\.yaml$|\.svg$/;

test('what its documents link to is in it, but for what one works on it with', () => {
  const documents = files.filter((path) => path.endsWith('.md'));
  const links = documents.flatMap((path) =>
    [...readFileSync(join(ROOT, path), 'utf8').matchAll(/\]\(([^)#:\s]+)[^):]*\)/g)].map(([, to = '']) => ({
      from: path,
      to: join(dirname(path), to),
    })),
  );
  expect(links.length).toBeGreaterThan(50);
  for (const { from, to } of links) expect(existsSync(join(ROOT, to)), `${from} links to ${to}`).toBe(true);
  const isThere = (to: string) => files.some((path) => path === to || path.startsWith(`${to}/`));
  const missing = new Set(links.map(({ to }) => to.replace(/\/$/, '')).filter((to) => !isThere(to)));
  expect([...missing].filter((to) => !OF_THE_REPOSITORY.test(to))).toEqual([]);
});

const TYPED = `
import { BootError, createGateway, type GatewayOptions, type Log, type RunningGateway, SettingsError } from 'isthmus-gateway';
import { answer, apiError, type RecordedRequest, type Reply, type Script, startScriptedModel, text, thinking, toolUse } from 'isthmus-gateway/testing';

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

const cut: Reply = { ...answer('Half'), cut: { after_events: 2, how: 'reset' } };
const script: Script = [
  { when: { text: 'a', tool: 'read' }, replies: [answer(thinking('Hm.'), text('b'), toolUse('read', { path: 'c' })), apiError(529, 'Busy'), cut] },
  (request) => (request.model === 'd' ? answer('e') : undefined),
];
const model = await startScriptedModel({ script, onRequest: (request: RecordedRequest) => console.log(request.body.messages.length) });
const outcomes: Array<'open' | 'answered' | 'aborted' | 'cut'> = model.requests.map(({ outcome }) => outcome);
model.restart([{ replies: [answer('f')] }]);
await model.close();
console.log(model.url, outcomes);
// @ts-expect-error A call needs its tool's name.
answer(toolUse());
// @ts-expect-error There is no such condition.
await startScriptedModel({ script: [{ when: { words: 'a' }, replies: [] }] });
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
  const answering = (text: string) => startScriptedModel({ script: [() => answer(text)] });
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

/** The variables of a program whose only API is this model, of which nothing goes to the one that the test was run by. */
function exampleIn(model?: ScriptedModel) {
  const { env, home, remove } = surroundings(model?.url ?? 'http://127.0.0.1:9');
  return { env: { ...env, PORT: '0', APP_TOKEN: 'dummy-token' }, home, remove };
}

test('the example of a test suite passes, and a bug in what it tests would be seen', async () => {
  const { env, home, remove } = exampleIn();
  const run = async (text: string) => {
    writeFileSync(join(app, 'suite.test.js'), text);
    const child = spawn(process.execPath, ['--test', 'suite.test.js'], {
      cwd: app,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    const [code] = await once(child, 'close');
    return {
      code,
      passed: Number(/^\S+ pass (\d+)$/m.exec(output)?.[1]),
      failed: Number(/^\S+ fail (\d+)$/m.exec(output)?.[1]),
    };
  };
  const suite = readFileSync(join(app, 'node_modules', 'isthmus-gateway', 'examples', 'test-suite.test.js'), 'utf8');
  expect(await run(suite)).toEqual({ code: 0, passed: 3, failed: 0 });
  const broken = suite.replace("content: 'rain, 7 degrees' }", "content: 'sun' }");
  expect(await run(broken.replace("'the same through", "{ skip: true }, 'the same through"))).toMatchObject({
    failed: 1,
  });
  expect(readdirSync(home).filter((name) => name !== '.local' && name !== 'node-compile-cache')).toEqual([]);
  remove();
});

test('the example of a web app serves Claude to who has its token, by any name, and ends turns and processes', async () => {
  const model = await startScriptedModel({
    script: [{ when: { text: 'slowly' }, replies: [{ ...answer('So it is.'), gap_ms: 60_000 }] }],
  });
  const { env, home, remove } = exampleIn(model);
  copyFileSync(join(app, 'node_modules', 'isthmus-gateway', 'examples', 'hono-app.js'), join(app, 'hono-app.js'));
  const child = spawn(process.execPath, ['hono-app.js'], { cwd: app, env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  await until('the app listens', () => output.includes('listens on'));
  const url = /listens on (\S+)/.exec(output)?.[1] ?? '';
  expect(await (await fetch(url)).text()).toBe('This is my app.');
  expect((await fetch(`${url}/claude/v1/models`)).status).toBe(401);
  const headers = { authorization: 'Bearer dummy-token' };
  expect(await statusOf(`${url}/claude/health?a=b`, { ...headers, host: 'app.example.test' })).toBe(200);
  expect(await statusOf(`${url}/claude/health`, { ...headers, origin: 'https://page.example.test' })).toBe(403);

  const client = sdkClient(`${url}/claude`);
  const asking = (content: string) => ({
    model: 'claude-sonnet-5',
    max_tokens: 100,
    messages: [{ role: 'user' as const, content }],
  });
  expect(await client.messages.stream(asking('Hello'), { headers }).finalText()).toBe('You said: Hello');
  expect(model.requests.at(-1)?.headers).not.toMatchObject({ authorization: 'Bearer dummy-token' });
  // Nothing of a whole answer is there yet: the end of the request alone says that its client has gone.
  const patience = new AbortController();
  const leaving = client.messages.create(asking('Say it slowly'), { headers, signal: patience.signal });
  await until('the model answers', () => model.requests.length === 2);
  patience.abort();
  await expect(leaving).rejects.toThrow('aborted');
  await until('the turn has ended', () => model.requests[1]?.outcome === 'aborted');

  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(processesWith(home)).toEqual([]);
  expect(readdirSync(home).filter((name) => name !== '.local')).toEqual([]);
  remove();
  await model.close();
});

/** With headers that `fetch` keeps for itself. */
async function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  const sent = request(url, { headers }).end();
  const [response] = await once(sent, 'response');
  response.resume();
  return response.statusCode;
}

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
