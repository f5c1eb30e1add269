import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { AgentDefinition } from '../config/agent-definition.ts';
import { checkSettings } from '../config/check-settings.ts';
import { SettingsError } from '../config/settings-error.ts';
import { defineAgents, type Surroundings } from './define-agents.ts';

const workspace = realpathSync(mkdtempSync(join(tmpdir(), 'isthmus-define-')));
afterAll(() => rmSync(workspace, { recursive: true }));

const guarded = { home: '/nobodys/home', temporary: '/nobodys/tmp', isRunDirectory: () => false, own: [] };
const KEY = 'a-key-that-nobody-guesses';

type Given = Partial<AgentDefinition>;

function define(given: Given | Record<string, Given>, around: Partial<Surroundings> = {}, flags = {}) {
  const agents = Object.fromEntries(
    Object.entries('docs' in given || 'agent' in given ? given : { docs: given }).map(([name, definition]) => [
      name,
      { level: 'read', workspace, ...(definition as Given) },
    ]),
  );
  const settings = checkSettings({ agents, ...flags });
  return defineAgents(settings, { variables: {}, guarded, programs: [], isReachable: false, ...around });
}

test('an agent has all that its definition says', () => {
  const [{ agent, access } = { agent: undefined, access: undefined }] = define(
    {
      level: 'shell',
      model: 'claude-sonnet-5',
      system: 'You know the docs.',
      preset: true,
      claudeMd: true,
      deny: ['Read(**/.env)'],
      allowedHosts: ['registry.npmjs.org', '*.example.com'],
      mcpServers: {
        files: { command: 'node', args: ['server.js'], env: { TOKEN: '$TOKEN', MODE: 'fast' } },
        web: { type: 'http', url: 'https://mcp.example', headers: { Authorization: 'Bearer $' + '{TOKEN}' } },
      },
      subagents: { searcher: { description: 'Searches.', prompt: 'Search.', tools: ['Grep'] } },
      maxBudgetUsd: 2,
      showSteps: true,
      key: '$DOCS_KEY',
      origins: ['https://chat.example'],
    },
    { variables: { DOCS_KEY: KEY, TOKEN: 'secret' } },
  );
  expect(agent).toEqual({
    name: 'docs',
    level: 'shell',
    workspace,
    model: 'claude-sonnet-5',
    system: 'You know the docs.',
    usesPreset: true,
    readsClaudeMd: true,
    deny: ['Read(**/.env)'],
    allowedHosts: ['registry.npmjs.org', '*.example.com'],
    mcpServers: {
      files: { type: 'stdio', command: 'node', args: ['server.js'], env: { TOKEN: 'secret', MODE: 'fast' } },
      web: { type: 'http', url: 'https://mcp.example', headers: { Authorization: 'Bearer secret' } },
    },
    subagents: { searcher: { description: 'Searches.', prompt: 'Search.', tools: ['Grep'] } },
    maxTurns: 50,
    maxSeconds: 600,
    maxBudgetUsd: 2,
    showSteps: true,
  });
  expect(access).toEqual({
    keyDigest: createHash('sha256').update(KEY).digest(),
    origins: ['https://chat.example'],
  });
});

test('what a definition leaves out is absent', () => {
  const [{ agent, access } = { agent: undefined, access: undefined }] = define({});
  expect(agent).not.toHaveProperty('model');
  expect(agent).not.toHaveProperty('maxBudgetUsd');
  expect(access).toEqual({ origins: [] });
});

test.each<[Given, string]>([
  [{ workspace: '/no/such/folder' }, 'agents.docs.workspace is /no/such/folder, which does not exist'],
  [{ deny: ['secret'] }, 'agents.docs.deny.0 is neither a rule'],
  [{ allowedHosts: ['a.example'] }, 'agents.docs.allowedHosts is for commands, which only the level shell runs.'],
  [
    { key: '$DOCS_KEY' },
    'agents.docs.key is the variable DOCS_KEY, which is not set. Set it in the environment of Isthmus.',
  ],
  [{ key: '$EMPTY' }, 'agents.docs.key is the variable EMPTY, which is not set.'],
  [{ key: 'short' }, 'agents.docs.key must have at least 16 printable ASCII characters without spaces.'],
  [{ key: `${KEY} ` }, 'agents.docs.key must have at least 16 printable ASCII characters without spaces.'],
  [
    { mcpServers: { a: { command: 'x', env: { T: '$NONE' } } } },
    'agents.docs.mcpServers.a.env.T is the variable NONE, which is not set.',
  ],
  [
    { mcpServers: { a: { type: 'sse', url: 'http://a', headers: { T: 'Bearer $' + '{NONE}' } } } },
    'agents.docs.mcpServers.a.headers.T is the variable NONE, which is not set.',
  ],
])('%j is refused with path and cure', (given, message) => {
  expect(() => define(given, { variables: { EMPTY: '' } })).toThrow(SettingsError);
  expect(() => define(given, { variables: { EMPTY: '' } })).toThrow(message);
});

test('a name that cannot be one is refused', () => {
  const agents = { 'my-sonnet': { level: 'read' as const, workspace } };
  const surroundings = { variables: {}, guarded, programs: [], isReachable: false };
  expect(() => defineAgents(checkSettings({ agents }), surroundings)).toThrow('agents: "my-sonnet" looks like a model');
});

test('no agent works in a folder that another one could replace', () => {
  mkdirSync(join(workspace, 'inner'), { recursive: true });
  const both = (level: AgentDefinition['level']) =>
    define({ docs: { level }, inside: { workspace: join(workspace, 'inner') } });
  expect(() => both('edit')).toThrow(
    `agents.docs.workspace is ${workspace}, and an agent that writes there could replace ${join(workspace, 'inner')}, where the agent inside works.`,
  );
  expect(both('read')).toHaveLength(2);
});

test('beyond loopback each agent needs a key', () => {
  expect(() => define({}, { isReachable: true })).toThrow('agents.docs needs a key, since others than this machine');
  expect(define({ key: KEY }, { isReachable: true })).toHaveLength(1);
});

describe('by flags', () => {
  test('one agent is defined, in a folder of the working directory, beside those of the file', () => {
    const defined = define({ docs: {} }, {}, { agentLevel: 'edit', workspace });
    expect(defined.map(({ agent }) => [agent.name, agent.level, agent.workspace])).toEqual([
      ['docs', 'read', workspace],
      ['agent', 'edit', workspace],
    ]);
    const here = define({ docs: {} }, {}, { agentLevel: 'read', workspace: '.' });
    expect(here[1]?.agent.workspace).toBe(realpathSync('.'));
  });

  test.each<[object, string]>([
    [{ agentLevel: 'read' }, 'agent-level needs workspace too: --agent-level read --workspace DIR.'],
    [{ workspace }, 'workspace needs agent-level too: --agent-level read --workspace DIR.'],
    [{ agentLevel: 'read', workspace }, 'agents.agent is defined by agent-level and workspace, too.'],
  ])('%j is refused', (flags, message) => {
    expect(() => define({ agent: {} }, {}, flags)).toThrow(message);
  });
});
