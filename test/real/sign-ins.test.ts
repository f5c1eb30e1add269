import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RecordedRequest, type ScriptedModel, startScriptedModel } from '../../scripted-model/testing.ts';
import { BETAS } from '../../src/dialects/anthropic-messages/contract-table.ts';
import { CANNOT_START } from '../../src/service/exit-code.ts';
import { asTheModelSees, type WireMessage } from '../support/as-the-model-sees.ts';
import { sdkClient } from '../support/clients.ts';
import { type FirstPartyStandIn, relay, startFirstPartyStandIn } from '../support/first-party/stand-in.ts';
import { runIsthmus, signIn, startGateway, surroundings, type TestGateway, until } from '../support/gateway.ts';
import { childrenOf, commandOf } from '../support/process-table.ts';
import { QUICK } from '../support/quick.ts';
import { type Given, type Headers, SIGN_INS, type SignIn } from '../support/sign-ins.ts';
import { testParts } from '../support/test-parts.ts';

/** Each way to sign in that Claude Code has, over a stand-in for its API: who pays, and that conversations go on there. */

let model: ScriptedModel;
let firstParty: FirstPartyStandIn;
beforeAll(async () => {
  model = await startScriptedModel();
  firstParty = await startFirstPartyStandIn(
    (request, response) => request.url?.startsWith('/v1/messages') === true && relay(request, response, model.url),
  );
});
afterAll(async () => {
  await firstParty.close();
  await model.close();
});

/** A gateway whose environment has this sign-in and no other. */
function startSignedIn(given: Given, flags: string[]): Promise<TestGateway> {
  const home = mkdtempSync(join(tmpdir(), 'isthmus-test-'));
  if (given.isLoggedIn) signIn(home);
  if (given.settings) writeSettings(home, given.settings);
  return startIn(home, given, flags);
}

/** The same in a home that is signed in already. */
function startIn(home: string, { variables, questions }: Given, flags: string[]): Promise<TestGateway> {
  const unset = { ANTHROPIC_API_KEY: '', ANTHROPIC_BASE_URL: '' };
  const api = questions ? proxyWithPassword() : {};
  return startGateway(model.url, flags, { home, env: { ...unset, ...api, ...variables(model.url) } });
}

/** The variables that lead to the first party's stand-in, with one more secret that nobody must see. */
function proxyWithPassword(): Record<string, string> {
  const proxy = new URL(firstParty.variables.HTTPS_PROXY ?? '');
  proxy.username = 'someone';
  proxy.password = 'dummy-password';
  return { ...firstParty.variables, HTTPS_PROXY: proxy.href };
}

function writeSettings(home: string, settings: object): void {
  mkdirSync(join(home, 'claude'), { recursive: true });
  writeFileSync(join(home, 'claude', 'settings.json'), JSON.stringify(settings));
}

/** What the gateway has asked the model for. */
function asked(): RecordedRequest[] {
  return model.requests.filter((request) => !unasked().includes(request));
}

/** What Claude Code has asked for on its own account: one token. */
function unasked(): RecordedRequest[] {
  return model.requests.filter(({ body }) => body.max_tokens === 1);
}

const TOOLS: Anthropic.Tool[] = [{ name: 'read', input_schema: { type: 'object' } }];
const CALL = { type: 'tool_use', id: 'toolu_1', name: 'read', input: { path: 'a' } } as const;
const SECOND_CALL = { ...CALL, id: 'toolu_2' } as const;
const SYSTEM = 'Be terse.';

/** The result of a call. */
function resultOf({ id }: { id: string }): Anthropic.MessageParam['content'] {
  return [{ type: 'tool_result', tool_use_id: id, content: 'ok' }];
}

/** Asks once, and says which way the turn took and what was ignored. */
async function ask(gateway: TestGateway, messages: Anthropic.MessageParam[], headers: Record<string, string> = {}) {
  const { data, response } = await sdkClient(gateway.url)
    .messages.create(
      { model: 'claude-sonnet-5', max_tokens: 100, stop_sequences: ['!'], system: SYSTEM, tools: TOOLS, messages },
      { headers },
    )
    .withResponse();
  const header = (name: string) => response.headers.get(name);
  return { content: data.content, path: header('isthmus-path'), ignored: header('isthmus-ignored')?.split(', ') ?? [] };
}

/** A client's conversation, of which the model must see every block at each turn. */
class Conversation {
  gateway: TestGateway;
  readonly messages: Anthropic.MessageParam[] = [];
  readonly #headers: Record<string, string> = {};

  constructor(gateway: TestGateway) {
    this.gateway = gateway;
  }

  /** @param path the way that the turn must take */
  async say(content: Anthropic.MessageParam['content'], path: string) {
    this.messages.push({ role: 'user', content });
    const answer = await ask(this.gateway, this.messages, this.#headers);
    expect(answer.path).toBe(path);
    const seen = asked().at(-1)?.body.messages as WireMessage[];
    expect(asTheModelSees(seen, { withThinking: true })).toEqual(
      asTheModelSees(this.messages as WireMessage[], { withThinking: true }),
    );
    this.messages.push({ role: 'assistant', content: answer.content });
    return answer;
  }

  /** Takes the last turn back. */
  undo(): void {
    this.messages.splice(-2);
  }

  /** Has said something else than the model did, and asks for other betas from now on. */
  edit(betas: string[]): void {
    this.messages.splice(-1, 1, { role: 'assistant', content: 'edited' });
    this.#headers['anthropic-beta'] = betas.join(',');
  }

  /** Asks once more, and is refused. */
  async refused(words: string): Promise<InstanceType<typeof Anthropic.APIError>> {
    const error = await ask(this.gateway, [...this.messages, { role: 'user', content: words }], this.#headers).catch(
      (error) => error,
    );
    expect(error).toBeInstanceOf(Anthropic.APIError);
    return error;
  }
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

/** No credential and no system prompt stands where any user of the machine can read it. */
function expectQuietCommandLines(gateway: TestGateway): void {
  const lines = childrenOf(gateway.child.pid).map((pid) => commandOf(pid).split('\0').join(' '));
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.filter((line) => /dummy|helped|AKDUMMY/.test(line) || line.includes(SYSTEM))).toEqual([]);
}

/** @param most calls that one process makes of its own accord */
function expectUnasked(most: number): void {
  const counts = new Map<string, number>();
  for (const { headers } of unasked()) {
    const session = String(headers['x-claude-code-session-id']);
    counts.set(session, (counts.get(session) ?? 0) + 1);
  }
  expect(Math.max(0, ...counts.values())).toBe(most);
}

/** In full mode, each over the first party's own wire. */
const EVERYDAY_CONVERSATIONS = ['an OAuth token over HTTPS', 'a login over HTTPS'];
/** In bare mode, on a cloud whose answers have frames of their own. */
const QUICK_CONVERSATION = 'Bedrock with a bearer token';

testParts(
  'signIns',
  SIGN_INS.map((row) => [row.name, row] as const),
  {
    isQuick: ([name]) => name === QUICK_CONVERSATION,
    isEveryday: ([name]) => EVERYDAY_CONVERSATIONS.includes(name),
  },
)(
  '%s pays for a start, a held call, a live turn, an undo, a replay and a restart, and is refused',
  async (_name, row) => {
    firstParty.asked.length = 0;
    model.restart([
      { when: { text: 'read' }, replies: [{ content: [{ ...CALL }] }, { content: [{ ...SECOND_CALL }] }] },
    ]);
    const first = await startSignedIn(row, ['--spares', row.mode === 'full' ? '0' : '1']);
    expect(await first.health()).toMatchObject({ mode: row.mode ?? 'bare', credential: row.credential });
    if (row.mode !== 'full') await until('a spare waits', async () => (await first.health()).processes.spare === 1);

    const conversation = new Conversation(first);
    expect(await conversation.say('read', 'start')).toMatchObject({ content: [CALL], ignored: [] });
    await conversation.say(resultOf(CALL), 'continue');
    await conversation.say('more', 'continue');
    conversation.undo();
    await conversation.say('something else', 'rewind');
    conversation.edit(Object.keys(BETAS));
    const { ignored } = await conversation.say('again', 'replay');
    const betas = asked().flatMap(betasOf);
    expect(ignored).toEqual(
      Object.keys(BETAS)
        .filter((beta) => !betas.includes(beta))
        .map((beta) => `anthropic-beta:${beta}`),
    );
    expect(await conversation.say('read once more', 'continue')).toMatchObject({ content: [SECOND_CALL] });
    expectQuietCommandLines(first);
    expect(await first.stop(undefined, 'keeps its home')).toBe(0);
    expectUnasked(row.unasked ?? 0);

    const second = await startIn(first.home, row, ['--spares', '0']);
    conversation.gateway = second;
    expect(await second.health()).toMatchObject({ mode: row.mode ?? 'bare', credential: row.credential });
    await conversation.say(resultOf(SECOND_CALL), 'replay');
    expectQuietCommandLines(second);

    expect(asked()).toHaveLength(7);
    for (const [status, type, headers] of [
      [429, 'rate_limit_error', { 'retry-after': '7' }],
      [401, 'authentication_error', {}],
    ] as const) {
      model.use([{ when: { has_tools: true }, replies: [{ error: { status, type, message: 'no', headers } }] }]);
      const error = await conversation.refused(`not ${status}`);
      expect([error.status, error.type]).toEqual([status, type]);
      if (status === 429) expect(Number(error.headers?.get('retry-after'))).toBeGreaterThanOrEqual(7);
    }
    for (const { path, headers, body } of asked()) {
      expect(path).toBe(row.path);
      expectHeaders(headers, row.headers);
      expect(body).toMatchObject({ max_tokens: 100, stop_sequences: ['!'], tools: TOOLS });
    }
    const questions = firstParty.asked.filter((line) => line.startsWith('GET '));
    expect([...new Set(questions)].sort()).toEqual(row.questions ?? []);
    expect(first.output() + second.output()).not.toContain('dummy');
    expect(await second.stop()).toBe(0);
  },
);

/** One turn of each API and of each kind of credential of which no conversation runs every day: what a program prints, a signature. */
const EVERYDAY_TURNS = [
  'apiKeyHelper',
  'Foundry with a key',
  'Vertex AI without authentication',
  'Mantle with a bearer token',
  'Bedrock with keys',
  'Claude Platform on AWS with a key',
  'Claude Platform on Google Cloud without authentication',
];

// In the soak each of them pays for a conversation.
test.each(EVERYDAY_TURNS)('%s pays for a turn', async (name) => {
  const row = on(name);
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
  expect(code).toBe(CANNOT_START);
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
