import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { plainAgent } from '../../../test/support/agents.ts';
import type { Agent, AgentLevel } from '../../spec/agent.ts';
import { agentEnvironment, withoutCredentials } from './agent-environment.ts';
import { agentProfile } from './agent-profile.ts';
import { agentSettings } from './agent-settings.ts';

const SECRET = 'hush';
/** Of the operator's, as the processes get them. */
const VARIABLES = {
  PATH: '/usr/bin',
  CLAUDE_CODE_SIMPLE: '1',
  ANTHROPIC_API_KEY: SECRET,
  AWS_SECRET_ACCESS_KEY: SECRET,
  HTTPS_PROXY: `http://user:${SECRET}@proxy`,
  NODE_EXTRA_CA_CERTS: '/ca.pem',
};

const agentOf = (given: Partial<Agent> = {}) => plainAgent({ level: 'shell', maxSeconds: 60, ...given });

const profileOf = (agent: Agent) => agentProfile(agent, agentEnvironment(VARIABLES, agent), agent.subagents, '/empty');

test('no file tool is allowed by its name, which would open the whole disk', () => {
  for (const level of ['read', 'edit', 'shell'] satisfies AgentLevel[]) {
    const { tools, allowedTools } = profileOf(agentOf({ level }));
    expect(tools.includes('Bash')).toBe(level === 'shell');
    expect(tools.includes('Write')).toBe(level !== 'read');
    expect(allowedTools).toEqual(level === 'shell' ? ['Bash'] : []);
  }
});

test('the sandbox fails closed, at the level that has commands', () => {
  const variables = agentEnvironment(VARIABLES, agentOf());
  expect(agentSettings(agentOf(), variables, '/scratch').sandbox).toMatchObject({
    enabled: true,
    failIfUnavailable: true,
    allowUnsandboxedCommands: false,
    network: { strictAllowlist: true, allowedDomains: [] },
    filesystem: { denyRead: ['/'], allowRead: expect.arrayContaining(['/work/docs', '/scratch', '/usr']) },
  });
  expect(agentSettings(agentOf({ level: 'edit' }), variables, '/scratch')).not.toHaveProperty('sandbox');
});

test('of the folder that has private keys, commands read the certificates alone', () => {
  const { allowRead = [] } = agentSettings(agentOf(), {}, '/scratch').sandbox?.filesystem ?? {};
  const ofSsl = allowRead.filter((path) => path.startsWith('/etc/ssl'));
  expect(ofSsl).toEqual(['/etc/ssl/certs', '/etc/ssl/openssl.cnf'].filter((path) => existsSync(path)));
});

test('every variable that pays or leads is hidden from commands, by its name alone', () => {
  const variables = agentEnvironment(VARIABLES, agentOf());
  const settings = agentSettings(agentOf(), variables, '/scratch');
  const hidden = settings.sandbox?.credentials?.envVars?.map(({ name, mode }) => [name, mode]);
  for (const name of ['ANTHROPIC_API_KEY', 'AWS_SECRET_ACCESS_KEY', 'HTTPS_PROXY', 'CLAUDE_CODE_MESSAGING_TOKEN'])
    expect(hidden).toContainEqual([name, 'deny']);
  expect(JSON.stringify(settings)).not.toContain(SECRET);
});

test('a server of tools inherits the way to the model, and no credential but those that it is given', () => {
  const variables = agentEnvironment(VARIABLES, agentOf());
  const blanked = withoutCredentials(variables);
  expect(blanked).toMatchObject({ ANTHROPIC_API_KEY: '', AWS_SECRET_ACCESS_KEY: '' });
  expect(Object.keys(blanked)).not.toContain('NODE_EXTRA_CA_CERTS');
  const stdio = { type: 'stdio', command: 'a', args: [], env: { AWS_SECRET_ACCESS_KEY: 'given' } } as const;
  const { mcpServers, allowedTools } = profileOf(agentOf({ level: 'read', mcpServers: { aws: stdio } }));
  expect(mcpServers?.aws).toMatchObject({ env: { ANTHROPIC_API_KEY: '', AWS_SECRET_ACCESS_KEY: 'given' } });
  expect(allowedTools).toEqual(['mcp__aws']);
});

test('an agent runs outside bare mode, and its commands end with its turn', () => {
  const variables = agentEnvironment(VARIABLES, agentOf({ maxSeconds: 60 }));
  expect(variables).not.toHaveProperty('CLAUDE_CODE_SIMPLE');
  expect(variables).toMatchObject({ BASH_DEFAULT_TIMEOUT_MS: '60000', BASH_MAX_TIMEOUT_MS: '60000' });
  expect(agentEnvironment(VARIABLES, agentOf({ maxSeconds: 600 }))).toMatchObject({
    BASH_DEFAULT_TIMEOUT_MS: '120000',
    BASH_MAX_TIMEOUT_MS: '600000',
  });
});

test('instructions of the folders above are left out', () => {
  const { claudeMdExcludes } = agentSettings(agentOf({ readsClaudeMd: true }), {}, '/scratch');
  expect(claudeMdExcludes).toEqual(expect.arrayContaining(['/work/CLAUDE.md', '/CLAUDE.md', '/work/.claude/**']));
  expect(claudeMdExcludes).not.toContain('/work/docs/CLAUDE.md');
  expect(agentSettings(agentOf(), {}, '/scratch')).not.toHaveProperty('claudeMdExcludes');
  expect(profileOf(agentOf({ readsClaudeMd: true }))).toMatchObject({
    settingSources: ['project'],
    projectConfigRoot: '/empty',
  });
});

test('a subagent has no tool that its parent lacks, none of its own kind, and the same limit of calls', () => {
  const looker = { description: 'looks', prompt: 'You look.', tools: ['Read', 'Bash', 'mcp__docs__find'] };
  const { agents, tools } = profileOf(agentOf({ level: 'read', subagents: { looker }, maxTurns: 7 }));
  expect(agents?.looker).toEqual({
    description: 'looks',
    prompt: 'You look.',
    model: 'inherit',
    tools: ['Read', 'mcp__docs__find'],
    disallowedTools: ['Agent'],
    maxTurns: 7,
  });
  expect(tools).toContain('Agent');
  expect(profileOf(agentOf()).tools).not.toContain('Agent');
});

test('a deny rule for files in any folder names the one at the top for the sandbox, too', () => {
  const deny = [
    'Edit(**/package.json)',
    'Edit(**/.github/workflows/**)',
    'Edit(**/*.lock)',
    'Read(**/.env)',
    'Edit(a)',
  ];
  expect(agentSettings(agentOf({ deny }), {}, '/scratch').permissions?.deny).toEqual([
    'Edit(**/package.json)',
    'Edit(package.json)',
    'Edit(**/.github/workflows/**)',
    'Edit(.github/workflows/**)',
    ...deny.slice(2),
  ]);
  expect(agentSettings(agentOf({ level: 'edit', deny }), {}, '/scratch').permissions?.deny).toEqual(deny);
});
