import { expect, test } from 'vitest';
import { buildEnvironment } from './environment.ts';

const build = (operator: Record<string, string>) =>
  buildEnvironment({ operator, id: '0123456789abcdef', isOwnAddress: (url) => url === 'http://localhost:3456' });

test('passes credentials and surroundings on unchanged, and nothing else', () => {
  const passed = {
    PATH: '/bin',
    HOME: '/home/u',
    ANTHROPIC_API_KEY: 'k',
    ANTHROPIC_AUTH_TOKEN: 't',
    ANTHROPIC_BASE_URL: 'https://elsewhere',
    CLAUDE_CODE_OAUTH_TOKEN: 'o',
    CLAUDE_CONFIG_DIR: '/c',
    AWS_PROFILE: 'p',
    ANTHROPIC_VERTEX_PROJECT_ID: 'v',
    CLOUD_ML_REGION: 'r',
    ANTHROPIC_FOUNDRY_RESOURCE: 'f',
    CLAUDE_CODE_USE_MANTLE: '0',
    CLAUDE_CODE_SKIP_ANTHROPIC_AWS_AUTH: '1',
    CLAUDE_CODE_API_KEY_HELPER_TTL_MS: '60000',
    HTTPS_PROXY: 'http://proxy',
    NODE_EXTRA_CA_CERTS: '/ca',
  };
  const withheld = {
    SECRET: 's',
    CLAUDECODE: '1',
    ANTHROPIC_MODEL: 'm',
    NODE_OPTIONS: '--inspect',
    CLAUDE_CODE_EXTRA_BODY: '{}',
    CLAUDE_CODE_USE_POWERSHELL_TOOL: '1',
  };
  const { variables } = build({ ...passed, ...withheld });
  expect(variables).toMatchObject(passed);
  for (const name of Object.keys(withheld)) expect(variables).not.toHaveProperty(name);
});

test.each<[Record<string, string>, string]>([
  [{ ANTHROPIC_API_KEY: 'k' }, 'bare'],
  [{ ANTHROPIC_AUTH_TOKEN: 't' }, 'bare'],
  [{ ANTHROPIC_API_KEY: 'k', CLAUDE_CODE_USE_BEDROCK: '0' }, 'bare'],
  [{ ANTHROPIC_API_KEY: 'k', CLAUDE_CODE_USE_BEDROCK: '1' }, 'bare'],
  [{ CLAUDE_CODE_USE_BEDROCK: '1' }, 'bare'],
  [{ CLAUDE_CODE_USE_VERTEX: 'true' }, 'bare'],
  [{ CLAUDE_CODE_USE_FOUNDRY: 'on' }, 'bare'],
  [{ CLAUDE_CODE_USE_MANTLE: '1' }, 'bare'],
  [{ CLAUDE_CODE_USE_ANTHROPIC_AWS: '1' }, 'bare'],
  [{ CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD: '1' }, 'bare'],
  [{ CLAUDE_CODE_USE_VERTEX: '0', CLAUDE_CODE_OAUTH_TOKEN: 'o' }, 'full'],
  [{ CLAUDE_CODE_OAUTH_TOKEN: 'o' }, 'full'],
  [{ ANTHROPIC_API_KEY: '' }, 'full'],
  [{}, 'full'],
])('%j gives the mode %s', (operator, mode) => {
  const { variables, ...built } = build(operator);
  expect(built.mode).toBe(mode);
  expect(variables.CLAUDE_CODE_SIMPLE).toBe(mode === 'bare' ? '1' : undefined);
});

test('an apiKeyHelper is enough for bare mode', () => {
  const operator = { CLAUDE_CODE_OAUTH_TOKEN: 'o' };
  expect(
    buildEnvironment({ operator, id: '0123456789abcdef', isOwnAddress: () => false, hasKeyHelper: true }).mode,
  ).toBe('bare');
});

test.each<[given: Record<string, string>, ofClient: string[]]>([
  [{ ANTHROPIC_AUTH_TOKEN: 'isthmus' }, ['ANTHROPIC_BASE_URL', 'ANTHROPIC_AUTH_TOKEN']],
  [{ ANTHROPIC_API_KEY: 'isthmus' }, ['ANTHROPIC_BASE_URL', 'ANTHROPIC_API_KEY']],
  [{ ANTHROPIC_AUTH_TOKEN: 'mine', ANTHROPIC_API_KEY: 'mine' }, ['ANTHROPIC_BASE_URL']],
])('leaves out a base URL that leads back to the gateway, and of %j the key of a client', (given, ofClient) => {
  const { variables, ...built } = build({ ANTHROPIC_BASE_URL: 'http://localhost:3456', ...given });
  expect(built.ofClient).toEqual(ofClient);
  for (const name of ofClient) expect(variables).not.toHaveProperty(name);
  expect(Object.values(variables).filter((value) => value === 'mine')).toHaveLength(ofClient.length === 1 ? 2 : 0);
  expect(built.mode).toBe(ofClient.length === 1 ? 'bare' : 'full');
});

test('another base URL and its key stay, whatever the key', () => {
  const operator = { ANTHROPIC_BASE_URL: 'http://localhost:4000', ANTHROPIC_AUTH_TOKEN: 'isthmus' };
  expect(build(operator)).toMatchObject({ variables: operator, ofClient: [] });
});

test.each([
  [undefined, ''],
  ['X-One: 1\nX-Two: 2', 'X-One: 1\nX-Two: 2\n'],
  ['Isthmus-Via: another\n\nX-One: 1', 'X-One: 1\n'],
])('its requests tell this gateway’s id, beside the operator’s headers %j', (headers, others) => {
  const { variables } = build(headers === undefined ? {} : { ANTHROPIC_CUSTOM_HEADERS: headers });
  expect(variables.ANTHROPIC_CUSTOM_HEADERS).toBe(`${others}isthmus-via: 0123456789abcdef`);
});
