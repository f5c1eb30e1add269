import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from './support/gateway.ts';

/** Which folders of `src/` a folder may import from, beside itself. */
const ARROWS: Record<string, string[]> = {
  spec: [],
  conversation: ['spec'],
  dialects: ['conversation', 'spec'],
  admission: ['spec'],
  access: ['spec'],
  telemetry: [],
  config: [],
  engine: ['conversation', 'spec'],
  gateway: ['admission', 'conversation', 'engine', 'spec'],
  http: ['access', 'dialects', 'gateway', 'spec', 'telemetry'],
  'scripted-model': [],
  cli: ['access', 'config', 'engine', 'gateway', 'http', 'scripted-model', 'spec', 'telemetry'],
};

/** Packages that one folder alone may import. */
const OWNERS: Record<string, string> = {
  '@anthropic-ai/claude-agent-sdk': 'engine',
  '@modelcontextprotocol/sdk': 'engine',
  hono: 'http',
  '@hono/node-server': 'http',
};

const SOURCE = join(ROOT, 'src');
const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

function importsOf(file: string): string[] {
  const text = readFileSync(join(SOURCE, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name]) => name ?? '');
}

function folderOf(file: string): string {
  return file.split('/')[0] ?? '';
}

describe('the arrows between folders', () => {
  test('every folder has its place', () => {
    expect([...new Set(files.map(folderOf))].sort()).toEqual(Object.keys(ARROWS).sort());
  });

  test.each(files)('%s imports only what its folder may', (file) => {
    const folder = folderOf(file);
    for (const name of importsOf(file)) {
      if (name.startsWith('.')) {
        const target = folderOf(relative(SOURCE, resolve(SOURCE, dirname(file), name)));
        if (target !== folder) expect(ARROWS[folder], `${file} imports ${name}`).toContain(target);
        continue;
      }
      const owner = Object.entries(OWNERS).find(([prefix]) => name === prefix || name.startsWith(`${prefix}/`))?.[1];
      if (owner) expect(folder, `${file} imports ${name}`).toBe(owner);
    }
  });

  test('nothing but the run directory touches process.env', () => {
    const readers = files.filter((file) => /process\.env\b/.test(readFileSync(join(SOURCE, file), 'utf8')));
    expect(readers).toEqual(['engine/run-directory.ts']);
  });
});
