import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RecordedRequest, ScriptedModel } from '../../scripted-model/server.ts';
import { BETAS } from '../../src/dialects/anthropic-messages/contract-table.ts';
import { asTheModelSees, type WireMessage } from '../support/as-the-model-sees.ts';
import { sdkClient } from '../support/clients.ts';
import { runIsthmus, signIn, startGateway, surroundings, type TestGateway, until } from '../support/gateway.ts';
import { QUICK } from '../support/quick.ts';
import { testParts } from '../support/test-parts.ts';

/** Each way to sign in that Claude Code has, over a stand-in for its API: who pays, and that conversations go on there. */

type Headers = Record<string, string | RegExp | undefined>;

interface SignIn {
  name: string;
  /** @param url of the scripted model */
  variables: (url: string) => Record<string, string>;
  /** The user's `settings.json`. */
  settings?: object;
  /** Whether the home has a `claude login`. */
  isLoggedIn?: true;
  credential: string;
  mode?: 'full';
  path: string;
  /** Of each request to the model. */
  headers: Headers;
  /** The one of its API's sign-ins with which a whole conversation is taken. */
  takes?: 'a conversation' | 'a conversation in npm test too';
}

const BEDROCK = { CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'us-east-1' };
const MANTLE = { CLAUDE_CODE_USE_MANTLE: '1', AWS_REGION: 'us-east-1' };
const AWS = { CLAUDE_CODE_USE_ANTHROPIC_AWS: '1', AWS_REGION: 'us-east-1', ANTHROPIC_AWS_WORKSPACE_ID: 'wrkspc_1' };
const KEYS = { AWS_ACCESS_KEY_ID: 'AKDUMMY', AWS_SECRET_ACCESS_KEY: 'dummy' };
const SIGNED = /^AWS4-HMAC-SHA256 Credential=AKDUMMY\/\d{8}\/us-east-1\//;
const MESSAGES = '/v1/messages?beta=true';
const INVOKED = '/model/us.anthropic.claude-sonnet-5/invoke-with-response-stream';

const SIGN_INS: SignIn[] = [
  {
    name: 'an API key',
    variables: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'dummy-key' }),
    credential: 'API key (ANTHROPIC_API_KEY)',
    path: MESSAGES,
    headers: { 'x-api-key': 'dummy-key', authorization: undefined },
  },
  {
    name: 'a bearer token',
    variables: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_AUTH_TOKEN: 'dummy-bearer' }),
    credential: 'bearer token (ANTHROPIC_AUTH_TOKEN)',
    path: MESSAGES,
    headers: { 'x-api-key': undefined, authorization: 'Bearer dummy-bearer' },
  },
  {
    name: 'a bearer token of a gateway',
    variables: (url) => ({
      CLAUDE_CODE_USE_GATEWAY: '1',
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_AUTH_TOKEN: 'dummy-bearer',
    }),
    credential: 'bearer token of a gateway (ANTHROPIC_AUTH_TOKEN)',
    path: MESSAGES,
    headers: { 'x-api-key': undefined, authorization: 'Bearer dummy-bearer' },
  },
  {
    name: 'apiKeyHelper',
    variables: (url) => ({ ANTHROPIC_BASE_URL: url }),
    settings: { apiKeyHelper: 'echo helped' },
    credential: 'API key (apiKeyHelper)',
    path: MESSAGES,
    headers: { 'x-api-key': 'helped', authorization: 'Bearer helped' },
  },
  {
    name: 'an OAuth token',
    variables: (url) => ({ ANTHROPIC_BASE_URL: url, CLAUDE_CODE_OAUTH_TOKEN: 'dummy-token' }),
    credential: 'OAuth token (CLAUDE_CODE_OAUTH_TOKEN)',
    mode: 'full',
    path: MESSAGES,
    headers: { 'x-api-key': undefined, authorization: 'Bearer dummy-token' },
  },
  {
    name: 'a login',
    variables: (url) => ({ ANTHROPIC_BASE_URL: url }),
    isLoggedIn: true,
    credential: 'claude login (Claude Max)',
    mode: 'full',
    path: MESSAGES,
    headers: { 'x-api-key': undefined, authorization: 'Bearer sk-ant-oat01-dummy' },
    takes: 'a conversation',
  },
  {
    name: 'Foundry with a key',
    variables: (url) => ({
      CLAUDE_CODE_USE_FOUNDRY: '1',
      ANTHROPIC_FOUNDRY_BASE_URL: `${url}/anthropic`,
      ANTHROPIC_FOUNDRY_API_KEY: 'dummy-key',
    }),
    credential: 'Microsoft Foundry (CLAUDE_CODE_USE_FOUNDRY)',
    path: `/anthropic${MESSAGES}`,
    headers: { 'x-api-key': 'dummy-key' },
    takes: 'a conversation',
  },
  {
    name: 'Foundry without authentication',
    variables: (url) => ({
      CLAUDE_CODE_USE_FOUNDRY: '1',
      ANTHROPIC_FOUNDRY_BASE_URL: url,
      CLAUDE_CODE_SKIP_FOUNDRY_AUTH: '1',
    }),
    credential: 'Microsoft Foundry (CLAUDE_CODE_USE_FOUNDRY)',
    path: MESSAGES,
    headers: { 'x-api-key': undefined, authorization: 'Bearer skip-foundry-auth' },
  },
  {
    name: 'Vertex AI without authentication',
    variables: (url) => ({
      CLAUDE_CODE_USE_VERTEX: '1',
      ANTHROPIC_VERTEX_BASE_URL: `${url}/v1`,
      ANTHROPIC_VERTEX_PROJECT_ID: 'P',
      CLOUD_ML_REGION: 'europe-west1',
      CLAUDE_CODE_SKIP_VERTEX_AUTH: '1',
    }),
    credential: 'Google Vertex AI (CLAUDE_CODE_USE_VERTEX)',
    path: '/v1/projects/P/locations/europe-west1/publishers/anthropic/models/claude-sonnet-5:streamRawPredict',
    headers: { 'x-api-key': undefined },
    takes: 'a conversation',
  },
  {
    name: 'Bedrock with a bearer token',
    variables: (url) => ({ ...BEDROCK, ANTHROPIC_BEDROCK_BASE_URL: url, AWS_BEARER_TOKEN_BEDROCK: 'dummy-bearer' }),
    credential: 'Amazon Bedrock (CLAUDE_CODE_USE_BEDROCK)',
    path: INVOKED,
    headers: { authorization: 'Bearer dummy-bearer' },
    takes: 'a conversation in npm test too',
  },
  {
    name: 'Bedrock with keys',
    variables: (url) => ({ ...BEDROCK, ...KEYS, ANTHROPIC_BEDROCK_BASE_URL: url }),
    credential: 'Amazon Bedrock (CLAUDE_CODE_USE_BEDROCK)',
    path: INVOKED,
    headers: { authorization: SIGNED },
  },
  {
    name: 'Bedrock without authentication',
    variables: (url) => ({ ...BEDROCK, ANTHROPIC_BEDROCK_BASE_URL: url, CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1' }),
    credential: 'Amazon Bedrock (CLAUDE_CODE_USE_BEDROCK)',
    path: INVOKED,
    headers: { authorization: undefined },
  },
  {
    name: 'Bedrock with keys of awsCredentialExport',
    variables: (url) => ({ ...BEDROCK, ANTHROPIC_BEDROCK_BASE_URL: url }),
    settings: {
      awsCredentialExport: `echo '${JSON.stringify({ Credentials: { AccessKeyId: 'AKDUMMY', SecretAccessKey: 's', SessionToken: 't' } })}'`,
    },
    credential: 'Amazon Bedrock (CLAUDE_CODE_USE_BEDROCK)',
    path: INVOKED,
    headers: { authorization: SIGNED },
  },
  {
    name: 'Bedrock with keys that awsAuthRefresh has got',
    variables: (url) => ({ ...BEDROCK, ANTHROPIC_BEDROCK_BASE_URL: url }),
    settings: {
      awsAuthRefresh:
        'mkdir -p "$HOME/.aws" && printf "[default]\\naws_access_key_id=AKDUMMY\\naws_secret_access_key=s\\n" > "$HOME/.aws/credentials"',
    },
    credential: 'Amazon Bedrock (CLAUDE_CODE_USE_BEDROCK)',
    path: INVOKED,
    headers: { authorization: SIGNED },
  },
  {
    name: 'Mantle with a bearer token',
    variables: (url) => ({
      ...MANTLE,
      ANTHROPIC_BEDROCK_MANTLE_BASE_URL: url,
      AWS_BEARER_TOKEN_BEDROCK: 'dummy-bearer',
    }),
    credential: 'Amazon Bedrock (Mantle) (CLAUDE_CODE_USE_MANTLE)',
    path: MESSAGES,
    headers: { authorization: 'Bearer dummy-bearer' },
    takes: 'a conversation',
  },
  {
    name: 'Claude Platform on AWS with a key',
    variables: (url) => ({ ...AWS, ANTHROPIC_AWS_BASE_URL: url, ANTHROPIC_AWS_API_KEY: 'dummy-key' }),
    credential: 'Claude Platform on AWS (CLAUDE_CODE_USE_ANTHROPIC_AWS)',
    path: MESSAGES,
    headers: { 'x-api-key': 'dummy-key', 'anthropic-workspace-id': 'wrkspc_1' },
    takes: 'a conversation',
  },
  {
    name: 'Claude Platform on AWS with keys',
    variables: (url) => ({ ...AWS, ...KEYS, ANTHROPIC_AWS_BASE_URL: url }),
    credential: 'Claude Platform on AWS (CLAUDE_CODE_USE_ANTHROPIC_AWS)',
    path: MESSAGES,
    headers: { authorization: SIGNED },
  },
  {
    name: 'Claude Platform on Google Cloud without authentication',
    variables: (url) => ({
      CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD: '1',
      ANTHROPIC_GOOGLE_CLOUD_BASE_URL: url,
      ANTHROPIC_GOOGLE_CLOUD_PROJECT: 'P',
      ANTHROPIC_GOOGLE_CLOUD_WORKSPACE_ID: 'wrkspc_1',
      CLAUDE_CODE_SKIP_ANTHROPIC_GOOGLE_CLOUD_AUTH: '1',
    }),
    credential: 'Claude Platform on Google Cloud (CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD)',
    path: MESSAGES,
    headers: { 'x-api-key': undefined },
    takes: 'a conversation',
  },
];

let model: ScriptedModel;
beforeAll(async () => {
  model = await ScriptedModel.start();
});
afterAll(() => model.close());

/** A gateway whose environment has this sign-in and no other. */
function startSignedIn({ variables, settings, isLoggedIn }: Given, flags: string[]): Promise<TestGateway> {
  const home = mkdtempSync(join(tmpdir(), 'isthmus-test-'));
  if (isLoggedIn) signIn(home);
  if (settings) writeSettings(home, settings);
  const unset = { ANTHROPIC_API_KEY: '', ANTHROPIC_BASE_URL: '' };
  return startGateway(model.url, flags, { home, env: { ...unset, ...variables(model.url) } });
}

function writeSettings(home: string, settings: object): void {
  mkdirSync(join(home, 'claude'), { recursive: true });
  writeFileSync(join(home, 'claude', 'settings.json'), JSON.stringify(settings));
}

type Given = Pick<SignIn, 'variables' | 'settings' | 'isLoggedIn'>;

/** What the gateway has asked the model for. On Bedrock each process asks for one token on its own account. */
function asked(): RecordedRequest[] {
  return model.requests.filter(({ body }) => body.max_tokens !== 1);
}

const TOOLS: Anthropic.Tool[] = [{ name: 'read', input_schema: { type: 'object' } }];
const CALL = { type: 'tool_use', id: 'toolu_1', name: 'read', input: { path: 'a' } } as const;
const RESULT = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'ok' } as const;

/** Asks once, and says which way the turn took and what was ignored. */
async function ask(gateway: TestGateway, messages: Anthropic.MessageParam[], headers: Record<string, string> = {}) {
  const { data, response } = await sdkClient(gateway.url)
    .messages.create(
      { model: 'claude-sonnet-5', max_tokens: 100, stop_sequences: ['!'], tools: TOOLS, messages },
      { headers },
    )
    .withResponse();
  const header = (name: string) => response.headers.get(name);
  return { content: data.content, path: header('isthmus-path'), ignored: header('isthmus-ignored')?.split(', ') ?? [] };
}

function expectHeaders(had: RecordedRequest['headers'], expected: Headers): void {
  for (const [name, value] of Object.entries(expected)) {
    expect([name, had[name]]).toEqual([name, value instanceof RegExp ? expect.stringMatching(value) : value]);
  }
}

/** The betas that a request has, in its header or in its body. */
function betasOf({ headers, body }: RecordedRequest): string[] {
  return [...String(headers['anthropic-beta'] ?? '').split(','), ...((body.anthropic_beta as string[]) ?? [])];
}

/** In full mode, and on a cloud in whose paths the model is named. */
const EVERYDAY_CONVERSATIONS = ['a login', 'Vertex AI without authentication'];

testParts(
  'signIns',
  SIGN_INS.filter(({ takes }) => takes !== undefined).map((row) => [row.name, row] as const),
  {
    isQuick: ([, { takes }]) => takes === 'a conversation in npm test too',
    isEveryday: ([name]) => EVERYDAY_CONVERSATIONS.includes(name),
  },
)('%s pays for a start, a held call, a live turn, a replay, and is refused', async (_name, row) => {
  model.restart([{ when: { has_tools: true, text: 'first' }, replies: [{ content: [{ ...CALL }] }] }]);
  const gateway = await startSignedIn(row, ['--spares', row.mode === 'full' ? '0' : '1']);
  expect(await gateway.health()).toMatchObject({ mode: row.mode ?? 'bare', credential: row.credential });
  if (row.mode !== 'full') await until('a spare waits', async () => (await gateway.health()).processes.spare === 1);

  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'first' }];
  const turn = async (content: Anthropic.MessageParam['content'], path: string, headers = {}) => {
    messages.push({ role: 'user', content });
    const answer = await ask(gateway, messages, headers);
    expect(answer.path).toBe(path);
    messages.push({ role: 'assistant', content: answer.content });
    return answer;
  };
  const start = await ask(gateway, messages);
  expect(start).toMatchObject({ content: [CALL], path: 'start', ignored: [] });
  messages.push({ role: 'assistant', content: start.content });
  await turn([RESULT], 'continue');
  await turn('more', 'continue');
  messages.splice(-1, 1, { role: 'assistant', content: 'edited' });
  const { ignored } = await turn('again', 'replay', { 'anthropic-beta': Object.keys(BETAS).join(',') });
  const betas = asked().flatMap(betasOf);
  expect(ignored).toEqual(
    Object.keys(BETAS)
      .filter((beta) => !betas.includes(beta))
      .map((beta) => `anthropic-beta:${beta}`),
  );

  expect(asked()).toHaveLength(4);
  for (const { path, headers, body } of asked()) {
    expect(path).toBe(row.path);
    expectHeaders(headers, row.headers);
    expect(body).toMatchObject({ max_tokens: 100, stop_sequences: ['!'], tools: TOOLS });
  }
  const seen = asked().at(-1)?.body.messages as WireMessage[];
  const sent = messages.slice(0, -1) as WireMessage[];
  expect(asTheModelSees(seen, { withThinking: true })).toEqual(asTheModelSees(sent, { withThinking: true }));
  for (const [status, type, headers] of [
    [429, 'rate_limit_error', { 'retry-after': '7' }],
    [401, 'authentication_error', {}],
  ] as const) {
    model.use([{ when: { has_tools: true }, replies: [{ error: { status, type, message: 'no', headers } }] }]);
    const error = await ask(gateway, [...messages, { role: 'user', content: `not ${status}` }]).catch((e) => e);
    expect(error).toBeInstanceOf(Anthropic.APIError);
    expect([error.status, error.type]).toEqual([status, type]);
    if (status === 429) expect(Number(error.headers.get('retry-after'))).toBeGreaterThanOrEqual(7);
  }
  expect(gateway.output()).not.toContain('dummy');
  expect(await gateway.stop()).toBe(0);
});

/** One turn of each API, and of each kind of credential: a token, what a program prints, a signature. */
const EVERYDAY_TURNS = [
  'apiKeyHelper',
  'an OAuth token',
  'Foundry with a key',
  'Mantle with a bearer token',
  'Bedrock with keys',
  'Claude Platform on AWS with a key',
  'Claude Platform on Google Cloud without authentication',
];

testParts(
  'signIns',
  SIGN_INS.filter(({ name, takes }) => !takes?.includes('npm test') && !EVERYDAY_CONVERSATIONS.includes(name)).map(
    (row) => [row.name, row] as const,
  ),
  {
    isEveryday: ([name]) => EVERYDAY_TURNS.includes(name),
  },
)('%s pays for a turn', async (_name, row) => {
  model.restart([]);
  const gateway = await startSignedIn(row, ['--spares', '0']);
  expect(await gateway.health()).toMatchObject({ mode: row.mode ?? 'bare', credential: row.credential });
  expect(await ask(gateway, [{ role: 'user', content: 'hi' }])).toMatchObject({ path: 'start', ignored: [] });
  expect(asked().map(({ path }) => path)).toEqual([row.path]);
  for (const { headers, body } of asked()) {
    expectHeaders(headers, row.headers);
    expect(body).toMatchObject({ max_tokens: 100, stop_sequences: ['!'], tools: TOOLS });
  }
  expect(gateway.output()).not.toContain('dummy');
  expect(await gateway.stop()).toBe(0);
});

const HELPER = { apiKeyHelper: 'echo helped' };
const KEY = { ANTHROPIC_API_KEY: 'dummy-key' };
const BEARER = { ANTHROPIC_AUTH_TOKEN: 'dummy-bearer' };
const TOKEN = { CLAUDE_CODE_OAUTH_TOKEN: 'dummy-token' };
const here = (url: string) => ({ ANTHROPIC_BASE_URL: url });
const on = (name: string) => {
  const row = SIGN_INS.find((signIn) => signIn.name === name);
  if (!row) throw new Error(`no row ${name}`);
  return row;
};

testParts<[string, Given, Pick<SignIn, 'credential' | 'headers'>]>(
  'namedCredentials',
  [
    [
      'a key and a bearer token',
      { variables: (url) => ({ ...here(url), ...KEY, ...BEARER }) },
      { credential: 'bearer token (ANTHROPIC_AUTH_TOKEN)', headers: { authorization: 'Bearer dummy-bearer' } },
    ],
    [
      'a key and a token',
      { variables: (url) => ({ ...here(url), ...KEY, ...TOKEN }) },
      { credential: 'API key (ANTHROPIC_API_KEY)', headers: { 'x-api-key': 'dummy-key', authorization: undefined } },
    ],
    [
      'a bearer token and an OAuth token',
      { variables: (url) => ({ ...here(url), ...BEARER, ...TOKEN }) },
      { credential: 'bearer token (ANTHROPIC_AUTH_TOKEN)', headers: { authorization: 'Bearer dummy-bearer' } },
    ],
    [
      'a token and a login',
      { variables: (url) => ({ ...here(url), ...TOKEN }), isLoggedIn: true },
      { credential: 'OAuth token (CLAUDE_CODE_OAUTH_TOKEN)', headers: { authorization: 'Bearer dummy-token' } },
    ],
    [
      'a key and a login',
      { variables: (url) => ({ ...here(url), ...KEY }), isLoggedIn: true },
      { credential: 'API key (ANTHROPIC_API_KEY)', headers: { 'x-api-key': 'dummy-key', authorization: undefined } },
    ],
    [
      'apiKeyHelper and a token',
      { variables: (url) => ({ ...here(url), ...TOKEN }), settings: HELPER },
      { credential: 'API key (apiKeyHelper)', headers: { 'x-api-key': 'helped' } },
    ],
    [
      'apiKeyHelper and a key',
      { variables: (url) => ({ ...here(url), ...KEY }), settings: HELPER },
      { credential: 'API key (ANTHROPIC_API_KEY)', headers: { 'x-api-key': 'dummy-key' } },
    ],
    [
      'a cloud, a key and a bearer token',
      { variables: (url) => ({ ...on('Foundry with a key').variables(url), ...KEY, ...BEARER }) },
      { credential: on('Foundry with a key').credential, headers: { 'x-api-key': 'dummy-key' } },
    ],
    [
      'two clouds',
      {
        variables: (url) => ({
          ...on('Foundry with a key').variables(url),
          ...on('Vertex AI without authentication').variables(url),
        }),
      },
      { credential: on('Foundry with a key').credential, headers: { 'x-api-key': 'dummy-key' } },
    ],
  ],
  {
    // Of two variables, of a variable and a login, of a cloud and the others.
    isEveryday: ([name]) =>
      ['a key and a bearer token', 'a key and a login', 'a cloud, a key and a bearer token'].includes(name),
  },
)('of %s the one that is named is the one that pays', async (_name, given, { credential, headers }) => {
  model.restart([]);
  const gateway = await startSignedIn(given, ['--spares', '0']);
  expect((await gateway.health()).credential).toBe(credential);
  await ask(gateway, [{ role: 'user', content: 'hi' }]);
  expect(asked()).toHaveLength(1);
  expectHeaders(asked()[0]?.headers ?? {}, headers);
  await gateway.stop();
});

test('gcpAuthRefresh runs when there are no Google credentials', async () => {
  const { CLAUDE_CODE_SKIP_VERTEX_AUTH: _, ...vertex } = on('Vertex AI without authentication').variables(model.url);
  const settings = { gcpAuthRefresh: 'echo ran > "$HOME/refreshed"' };
  const gateway = await startSignedIn({ variables: () => vertex, settings }, ['--spares', '0']);
  await until('it has run', () => existsSync(join(gateway.home, 'refreshed')));
  await gateway.stop();
});

const ENV_BLOCK = { env: { CLAUDE_CODE_USE_BEDROCK: '1', AWS_BEARER_TOKEN_BEDROCK: 'dummy-bearer', EDITOR: 'vi' } };
const NOT_LOADED =
  'settings.json sets CLAUDE_CODE_USE_BEDROCK, AWS_BEARER_TOKEN_BEDROCK in its env block, which Isthmus does not load: put those variables into the environment of Isthmus.';

test('a credential in the env block of settings.json alone is none, and named with its cure', QUICK, async () => {
  const { env, home, remove } = surroundings(model.url, { ANTHROPIC_API_KEY: '' });
  writeSettings(home, ENV_BLOCK);
  const { code, output } = await runIsthmus(['serve', '--port', '0'], env);
  expect(output).toBe(`isthmus: No credential found. ${join(home, 'claude', NOT_LOADED)}\n`);
  expect(code).toBe(1);
  remove();
});

test('a credential in the env block beside one of the environment is a warning', async () => {
  const gateway = await startSignedIn({ variables: on('an API key').variables, settings: ENV_BLOCK }, [
    '--spares',
    '0',
  ]);
  await expect.poll(() => gateway.output()).toContain(NOT_LOADED);
  expect(gateway.output()).toContain('API key (ANTHROPIC_API_KEY)');
  expect(gateway.output()).not.toContain('dummy');
  await gateway.stop();
});
