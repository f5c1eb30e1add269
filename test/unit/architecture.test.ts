import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../support/gateway.ts';

/** Which folders a folder of the product may import from, beside itself. */
const ARROWS: Record<string, string[]> = {
  spec: [],
  async: [],
  conversation: ['spec'],
  dialects: ['conversation', 'spec'],
  access: ['spec'],
  agents: ['config', 'spec'],
  telemetry: ['spec'],
  clients: ['engine', 'spec'],
  config: [],
  limits: ['spec'],
  models: ['spec'],
  setup: ['config', 'spec'],
  store: ['spec'],
  engine: ['async', 'conversation', 'spec'],
  processes: ['async', 'spec'],
  counts: ['conversation', 'processes', 'spec'],
  gateway: ['async', 'conversation', 'counts', 'processes', 'spec'],
  http: ['access', 'agents', 'dialects', 'gateway', 'limits', 'models', 'spec', 'telemetry'],
  'scripted-model': [],
  // The fold alone: what becomes of an answer's events is one rule.
  'test-engine': ['async', 'conversation', 'engine', 'scripted-model', 'spec'],
  boot: [
    'access',
    'agents',
    'async',
    'config',
    'dialects',
    'engine',
    'gateway',
    'http',
    'limits',
    'models',
    'spec',
    'store',
    'telemetry',
  ],
  running: ['access'],
  launch: ['access', 'boot', 'clients', 'config', 'engine', 'running', 'telemetry'],
  doctor: ['access', 'boot', 'config', 'engine', 'running', 'scripted-model', 'setup', 'spec', 'telemetry'],
  // It starts the gateway as a program, and loads nothing of it.
  service: ['running'],
  cli: [
    'access',
    'boot',
    'clients',
    'config',
    'doctor',
    'launch',
    'running',
    'scripted-model',
    'service',
    'setup',
    'spec',
    'store',
    'telemetry',
  ],
  'index.ts': ['boot', 'config', 'telemetry'],
};

/** Packages that one folder alone may import. */
const OWNERS: Record<string, string> = {
  '@anthropic-ai/claude-agent-sdk': 'engine',
  '@modelcontextprotocol/sdk': 'engine',
  hono: 'http',
  '@hono/node-server': 'http',
  'lru-cache': 'http',
  kysely: 'store',
  diff: 'setup',
  libsql: 'store',
  pino: 'telemetry',
  yaml: 'setup',
};

const files = ['src', 'scripted-model', 'test-engine'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
);

function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name]) => name ?? '');
}

/** A file, and all that it imports at once, itself and by others: files and packages. */
function loadedWith(file: string, loaded: Set<string> = new Set()): Set<string> {
  loaded.add(file);
  const text = readFileSync(join(ROOT, file), 'utf8');
  for (const [, name = ''] of text.matchAll(/^(?:import|export) (?!type\b)(?:[^;']*? from )?'([^']+)';$/gm)) {
    if (!name.startsWith('.')) loaded.add(name);
    else if (!loaded.has(pathOf(file, name))) loadedWith(pathOf(file, name), loaded);
  }
  return loaded;
}

/** Of what a file imports by this name. */
function pathOf(file: string, name: string): string {
  return relative(ROOT, resolve(ROOT, dirname(file), name));
}

function folderOf(file: string): string {
  return file.replace(/^src\//, '').split('/')[0] ?? '';
}

describe('the arrows between folders', () => {
  test('every folder has its place', () => {
    expect([...new Set(files.map(folderOf))].sort()).toEqual(Object.keys(ARROWS).sort());
  });

  test.each(files)('%s imports only what its folder may', (file) => {
    const folder = folderOf(file);
    for (const name of importsOf(file)) {
      if (name.startsWith('.')) {
        const target = folderOf(pathOf(file, name));
        const isForTests = file.endsWith('.test.ts') && target === 'test';
        if (target !== folder && !isForTests) expect(ARROWS[folder], `${file} imports ${name}`).toContain(target);
        continue;
      }
      const owner = Object.entries(OWNERS).find(([prefix]) => name === prefix || name.startsWith(`${prefix}/`))?.[1];
      if (owner) expect(folder, `${file} imports ${name}`).toBe(owner);
    }
  });

  test('no two files have one name; a name in spec is the idea that a folder has the code of', () => {
    const names = files.filter((file) => folderOf(file) !== 'spec').map((file) => basename(file));
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  test('http knows dialects by their interface alone', () => {
    const imported = files
      .filter((file) => folderOf(file) === 'http' && !file.endsWith('.test.ts'))
      .flatMap(importsOf)
      .filter((name) => name.includes('/dialects/'));
    expect([...new Set(imported)]).toEqual(['../dialects/dialect.ts']);
  });

  test.each([
    ['src/cli/main.ts', ['@anthropic-ai/claude-agent-sdk', 'hono', 'kysely', 'pino', 'zod', 'jsonc-parser']],
    ['src/cli/sessions.ts', ['@anthropic-ai/claude-agent-sdk', 'hono', 'zod']],
    // What every command that takes settings loads.
    ['src/config/settings.ts', ['zod', 'jsonc-parser']],
    ['src/cli/setup.ts', ['@anthropic-ai/claude-agent-sdk', 'hono', 'zod']],
    ...['launch', 'clients', 'env', 'status', 'logs', 'config', 'complete'].map((name): [string, string[]] => [
      `src/cli/${name}.ts`,
      ['@anthropic-ai/claude-agent-sdk', 'hono', 'zod'],
    ]),
    // With --supervise it stays as small as that.
    ['src/cli/serve.ts', ['@anthropic-ai/claude-agent-sdk', 'hono', 'zod', 'pino']],
    // A thread loads the database.
    ['src/store/open-store.ts', ['kysely', 'libsql']],
  ])('what loads with %s holds no %j', (file, packages) => {
    const loaded = loadedWith(file);
    expect(loaded.size).toBeGreaterThan(3);
    expect(packages.filter((name) => loaded.has(name))).toEqual([]);
  });

  test.each([
    ['rewind_conversation', 'src/engine/reuse/rewind.ts'],
    ["type: 'assistant',", 'src/engine/reuse/history-lines.ts'],
  ])('one module alone knows the input %j of the binary, which is not documented', (input, module) => {
    const product = files.filter((file) => file.startsWith('src/') && !file.endsWith('.test.ts'));
    const knowing = product.filter((file) => readFileSync(join(ROOT, file), 'utf8').includes(input));
    expect(knowing).toEqual([module]);
  });

  test('nothing touches process.env but the door of the library, which takes it unless another is given', () => {
    const product = files.filter((file) => !file.endsWith('.test.ts'));
    const readers = product.filter((file) => /process\.env\b/.test(readFileSync(join(ROOT, file), 'utf8')));
    expect(readers).toEqual(['src/boot/create-gateway.ts']);
  });

  test('nothing opens what holds a sign-in of the user: one file alone has the path, and asks for date and size', () => {
    const textOf = (file: string) => readFileSync(join(ROOT, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    const product = files.filter((file) => file.startsWith('src/') && !file.endsWith('.test.ts'));
    const named = (name: string) => product.filter((file) => new RegExp(`${name}['"\`]`).test(textOf(file)));
    expect(named('\\.claude\\.json')).toEqual([]);
    expect(named('\\.credentials\\.json')).toEqual(['src/engine/sign-in/sign-in.ts']);
    const fromFiles = textOf('src/engine/sign-in/sign-in.ts').match(/.*'(node:)?fs.*'/g);
    expect(fromFiles).toEqual(["import { statSync } from 'node:fs'"]);
  });
});
