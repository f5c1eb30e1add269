import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checkSettings } from '../config/settings.ts';
import { agentsOf, agentWarnings, checkAgainstModels } from './own-agents.ts';

const home = realpathSync(mkdtempSync(join(tmpdir(), 'isthmus-agents-')));
afterAll(() => rmSync(home, { recursive: true }));
for (const folder of ['docs', '.claude/projects', '.config/isthmus', '.local/state/isthmus/claude', 'elsewhere'])
  mkdirSync(join(home, folder), { recursive: true });

const KEY = 'a-key-that-nobody-guesses';

function define(workspace: string, settings = {}, variables = {}) {
  const agents = { docs: { level: 'edit' as const, workspace: join(home, workspace), key: KEY } };
  return agentsOf(checkSettings({ agents, ...settings }), { HOME: home, ...variables });
}

test('an agent may work in the home, and in none of the folders of Isthmus and Claude Code', () => {
  expect(define('docs')[0]?.agent.workspace).toBe(join(home, 'docs'));
  for (const folder of ['', '.claude', '.claude/projects', '.config', '.local', '.local/state/isthmus/claude']) {
    expect(() => define(folder), folder).toThrow('agents.docs.workspace is ');
  }
  expect(() => define('elsewhere', {}, { CLAUDE_CONFIG_DIR: join(home, 'elsewhere') })).toThrow('has credentials');
  expect(() => define('elsewhere', {}, { XDG_STATE_HOME: join(home, 'elsewhere') })).toThrow('has credentials');
});

test('only on loopback does an agent need no key', () => {
  const agents = { docs: { level: 'read' as const, workspace: join(home, 'docs') } };
  const on = (host: string) => agentsOf(checkSettings({ agents, host }), { HOME: home });
  for (const host of ['127.0.0.1', 'localhost', '::1']) expect(on(host)).toHaveLength(1);
  for (const host of ['0.0.0.0', '::', '10.0.0.5', 'gateway.team']) expect(() => on(host), host).toThrow('needs a key');
});

test('an agent without a key is told where clients call the gateway by another name', () => {
  const agents = { docs: { level: 'read' as const, workspace: join(home, 'docs') } };
  const settings = checkSettings({ agents, allowedHosts: ['gateway.team'] });
  expect(agentWarnings(agentsOf(settings, { HOME: home }), settings)).toEqual([
    'Whoever calls Isthmus by gateway.team may ask the agents without a key: docs. Give each a key.',
  ]);
  expect(agentWarnings(define('docs'), settings)).toEqual([]);
  expect(agentWarnings(define('docs'), { allowedHosts: [] })).toEqual([]);
});

test('a name that Claude Code takes for a model is refused', () => {
  const models = { find: (name: string) => (name === 'docs' ? { id: 'x', aliases: ['docs'] } : undefined) };
  expect(() => checkAgainstModels(define('docs'), models)).toThrow('agents: "docs" looks like a model');
  expect(() => checkAgainstModels(define('docs'), { find: () => undefined })).not.toThrow();
});
