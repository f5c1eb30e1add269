import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelRequest, Reply } from '../../../scripted-model/script.ts';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import type { WireMessage } from '../../support/as-the-model-sees.ts';
import { soakSeed } from '../../support/depth.ts';
import { signIn, startGateway, type TestGateway } from '../../support/gateway.ts';
import { OWN_TOOLS } from '../../support/own-tools.ts';
import { QUICK } from '../../support/quick.ts';
import { testParts } from '../../support/test-parts.ts';

/**
 * With a token and with a login the model sees what it sees with a key, byte for byte. Excepted are `cache_control` and Claude
 * Code's own two blocks in front of the system prompt.
 */

const CREDENTIALS = {
  key: {},
  token: { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'dummy' },
  login: { ANTHROPIC_API_KEY: '' },
};
type Credential = keyof typeof CREDENTIALS;
const FULL = ['token', 'login'] as const;

let model: ScriptedModel;
const gateways = {} as Record<Credential, TestGateway>;

beforeAll(async () => {
  model = await startScriptedModel();
  for (const name of Object.keys(CREDENTIALS) as Credential[]) await start(name);
});
afterAll(async () => {
  for (const gateway of Object.values(gateways)) await gateway.stop();
  await model?.close();
});

/** @param home of the gateway before, which keeps its sign-in */
async function start(name: Credential, home?: string): Promise<void> {
  // Spares are compared with a token.
  const flags = name === 'token' ? [] : ['--spares', '0'];
  const env = (ofGateway: string) => {
    if (name === 'login' && home === undefined) signIn(ofGateway);
    return CREDENTIALS[name];
  };
  gateways[name] = await startGateway(model.url, flags, { env, ...(home !== undefined && { home }) });
}

async function restart(name: Credential): Promise<void> {
  const { home, stop } = gateways[name];
  await stop(undefined, 'keeps its home');
  expectSilence(name);
  await start(name, home);
}

/** Nothing was announced, and nobody's address is in the log. */
function expectSilence(name: Credential): void {
  expect(gateways[name].output()).not.toContain('announced');
  expect(gateways[name].output()).not.toContain('example.test');
}

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const IMAGE = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } };
const DONE: Reply = { content: [{ type: 'text', text: 'done' }] };
const THOUGHT: Reply = {
  content: [
    { type: 'thinking', thinking: 'hm', signature: 'signed' },
    { type: 'text', text: 'so' },
  ],
};
const callOf = (...names: string[]): Reply => ({
  content: names.map((name, at) => ({ type: 'tool_use', id: `toolu_${name}_${at}`, name, input: { path: 'a' } })),
});
const toolsOf = (...names: string[]) =>
  names.map((name) => ({ name, description: `does ${name}`, input_schema: { type: 'object', properties: {} } }));

/** What a client adds to its conversation, given the model's last answer; the rest goes into the body. */
interface Step {
  /** The step, by its number, whose answer it goes on from; by default the one before. */
  from?: number;
  /** Whether the gateway is stopped and started again before it. */
  restart?: true;
  messages: (history: WireMessage[], answer: WireMessage[]) => WireMessage[];
  reply?: Reply;
  body?: object;
  path: 'start' | 'continue' | 'rewind' | 'replay';
}

const says = (...content: Array<string | object>): Step['messages'] => {
  const blocks = content.map((block) => (typeof block === 'string' ? { type: 'text', text: block } : block));
  return (history, answer) => [...history, ...answer, { role: 'user', content: blocks as never }];
};
const results = (...contents: Array<string | object[] | { error: string }>): Step['messages'] => {
  return (history, answer) => {
    const calls = ((answer[0]?.content ?? []) as Array<{ type: string; id?: string }>).filter(
      ({ type }) => type === 'tool_use',
    );
    const content = calls.map(({ id }, at) => {
      const given = contents[at] as string | object[] | { error: string };
      const isError = typeof given === 'object' && 'error' in given;
      return {
        type: 'tool_result',
        tool_use_id: id,
        content: isError ? given.error : given,
        ...(isError && { is_error: true }),
      };
    });
    return [...history, ...answer, { role: 'user', content: content as never }];
  };
};
/** The history without what came after its first messages. */
const back = (count: number, words: string): Step['messages'] => {
  return (history) => [...history.slice(0, count), { role: 'user', content: words }];
};

const FIRST: Step = { messages: says('hi'), path: 'start' };
const READ = { tools: toolsOf('read') };
const CALLED: Step = { messages: says('hi'), reply: callOf('read'), body: READ, path: 'start' };
const SCENARIOS: Record<string, Step[]> = {
  'a start, and a follow-up': [FIRST, { messages: says('more'), path: 'continue' }],
  'a start with an image': [
    { messages: says('see', IMAGE), path: 'start' },
    { messages: says('and'), path: 'continue' },
  ],
  'a held result, then words': [
    CALLED,
    { messages: results('ok'), body: READ, path: 'continue' },
    { messages: says('more'), body: READ, path: 'continue' },
  ],
  'a held error': [CALLED, { messages: results({ error: 'bad' }), body: READ, path: 'continue' }],
  'held results of parallel calls': [
    { ...CALLED, reply: callOf('read', 'read', 'read') },
    { messages: results('one', { error: 'two' }, 'three'), body: READ, path: 'continue' },
  ],
  'a result with an image': [CALLED, { messages: results([IMAGE]), body: READ, path: 'rewind' }],
  'an undo': [
    FIRST,
    { messages: says('more'), path: 'continue' },
    { messages: back(2, 'other'), path: 'rewind' },
    { messages: back(2, 'cold'), body: { system: 'Another.' }, path: 'replay' },
  ],
  'an edit': [
    FIRST,
    { messages: says('more'), path: 'continue' },
    { messages: back(0, 'changed'), path: 'start' },
    { messages: says('go on'), path: 'continue' },
  ],
  'a fork, and the older branch again': [
    FIRST,
    { messages: says('one way'), path: 'continue' },
    { from: 0, messages: says('another way'), path: 'rewind' },
    { messages: says('further'), path: 'continue' },
    { from: 1, messages: says('back on the one'), path: 'rewind' },
    { messages: says('further'), path: 'continue' },
  ],
  'a restart, with a held call and with an answer': [
    CALLED,
    { restart: true, messages: results('ok'), body: READ, path: 'replay' },
    { messages: says('more'), body: READ, path: 'continue' },
    { restart: true, messages: says('and more'), body: READ, path: 'replay' },
    { messages: says('further'), body: READ, path: 'continue' },
  ],
  'a last assistant message': [
    {
      messages: () => [
        { role: 'user', content: 'Say it.' },
        { role: 'assistant', content: 'The answer is' },
      ],
      path: 'replay',
    },
  ],
  'thinking and effort that change': [
    { ...FIRST, reply: THOUGHT, body: { thinking: { type: 'enabled', budget_tokens: 1024 } } },
    { messages: says('more'), body: { output_config: { effort: 'low' } }, path: 'continue' },
    { messages: says('more'), body: { output_config: { effort: 'high' }, temperature: 1 }, path: 'continue' },
  ],
  'effort that changes in a held turn': [
    { ...CALLED, body: { ...READ, output_config: { effort: 'low' } } },
    { messages: results('ok'), body: { ...READ, output_config: { effort: 'high' } }, path: 'continue' },
  ],
  'a model that changes': [
    FIRST,
    { messages: says('more'), body: { model: 'claude-sonnet-4-5' }, path: 'replay' },
    { messages: says('back'), path: 'rewind' },
  ],
  'tools, betas and system that change': [
    CALLED,
    { messages: results('ok'), body: { tools: toolsOf('read', 'write') }, path: 'rewind' },
    { messages: says('more'), body: { tools: toolsOf('read', 'write'), betas: ['pdfs-2024-09-25'] }, path: 'replay' },
    { messages: says('more'), body: { system: 'Another one.' }, path: 'replay' },
  ],
  'tools with the names of Claude Code’s own': [
    { messages: says('hi'), reply: callOf('Bash'), body: { tools: toolsOf(...OWN_TOOLS) }, path: 'start' },
    { messages: results('ok'), reply: callOf('Skill_'), body: { tools: toolsOf(...OWN_TOOLS) }, path: 'continue' },
    { messages: results('ok'), reply: callOf('TodoWrite'), body: { tools: toolsOf(...OWN_TOOLS) }, path: 'continue' },
    { messages: results('ok'), body: { tools: toolsOf(...OWN_TOOLS) }, path: 'continue' },
    { messages: says('more'), body: { tools: toolsOf(...OWN_TOOLS) }, path: 'continue' },
  ],
};

/** @returns what the model got, without what is excepted */
async function play(credential: Credential, name: string, scenario: string): Promise<string[]> {
  const steps = SCENARIOS[scenario] as Step[];
  // Two scenarios may begin with the same words, and must not be one conversation.
  const system = `You are under test: ${scenario}.`;
  model.restart([{ replies: steps.map(({ reply }) => reply ?? DONE) }]);
  const taken: Array<{ history: WireMessage[]; answer: WireMessage[] }> = [];
  for (const { from = taken.length - 1, restart: isRestart, messages, body, path } of steps) {
    if (isRestart) await restart(credential);
    const before = taken[from] ?? { history: [], answer: [] };
    const history = messages(before.history, before.answer);
    const response = await fetch(`${gateways[credential].url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: name,
        max_tokens: 2_000,
        system,
        messages: history,
        ...body,
      }),
    });
    const whole = (await response.json()) as { content: never };
    const seenPath = [response.status, response.headers.get('isthmus-path')];
    expect(seenPath, gateways[credential].output().slice(-2_000)).toEqual([200, path]);
    taken.push({ history, answer: [{ role: 'assistant', content: whole.content }] });
  }
  expect(model.requests).toHaveLength(steps.length);
  return model.requests.map(({ body }) => seen(body));
}

function seen({ metadata: _, system, ...body }: ModelRequest): string {
  // Claude Code's own two blocks come first.
  const own = (system as object[]).slice(2);
  expect(own).toHaveLength(1);
  return JSON.stringify({ ...body, system: own }, (key, value) => (key === 'cache_control' ? undefined : value));
}

/** Those that Claude Code lists, an older one, and one that it does not know. */
const MODELS = [
  'claude-sonnet-5-5',
  'claude-opus-5-5',
  'claude-haiku-4-5',
  'claude-of-the-future',
  'claude-fable-5-2',
  'claude-haiku-5-5',
];
/** Each scenario with one model and one credential, by turns and in a soak by its seed, and one of them with all models. */
const ROWS = Object.keys(SCENARIOS).flatMap((scenario, at) => {
  const isWhole = scenario === 'a held result, then words';
  const names = isWhole ? MODELS : [MODELS[(at + soakSeed()) % MODELS.length] as string];
  return names.map((name, of) => ({
    scenario,
    credential: FULL[(at + of) % FULL.length] as (typeof FULL)[number],
    name,
  }));
});

/** One with each model that Claude Code takes otherwise, and of the paths and what changes on them the most telling. */
const EVERYDAY_SCENARIOS = [
  'held results of parallel calls',
  'a result with an image',
  'an undo',
  'a fork, and the older branch again',
  'thinking and effort that change',
];
const EVERYDAY_ROWS = ROWS.filter(
  ({ scenario, name }) =>
    EVERYDAY_SCENARIOS.includes(scenario) ||
    (scenario === 'a held result, then words' && ['claude-haiku-4-5', 'claude-of-the-future'].includes(name)) ||
    scenario.startsWith('tools with the names'),
);

// Before any has answered: the list has those, too.
test('the models that Claude Code lists are those of the rows', async () => {
  const response = await fetch(`${gateways.login.url}/v1/models`);
  const { data } = (await response.json()) as { data: Array<{ id: string }> };
  expect(data.length).toBeGreaterThan(2);
  expect(MODELS).toEqual(expect.arrayContaining(data.map(({ id }) => id)));
});

testParts('fullMode', ROWS, {
  isQuick: (_row, at) => at < 2,
  isEveryday: (row) => EVERYDAY_ROWS.includes(row),
})('$scenario ($credential, $name)', async ({ scenario, credential, name }) => {
  expect(await play(credential, name, scenario)).toEqual(await play('key', name, scenario));
});

testParts('fullMode', FULL, {
  isEveryday: (credential) => credential === 'token',
})('what auto mode asks for and what the API answers pass with a %s', async (credential) => {
  const safeguards = [{ type: 'dangerous_tool_use', classifier_context: {} }];
  const safeguard_results = [{ type: 'dangerous_tool_use', status: { type: 'available', tool_uses: {} } }];
  model.restart([
    {
      replies: [
        { ...callOf('read'), delta: { safeguard_results } },
        { ...DONE, delta: { safeguard_results } },
      ],
    },
  ]);
  let messages = FIRST.messages([], []);
  for (const path of ['start', 'continue']) {
    const response = await fetch(`${gateways[credential].url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'anthropic-beta': 'dangerous-tool-use-2026-09-03' },
      body: JSON.stringify({ model: 'claude-sonnet-5-5', max_tokens: 100, messages, ...READ, safeguards }),
    });
    const whole = (await response.json()) as { content: never };
    expect(response.headers.get('isthmus-path')).toBe(path);
    expect(whole).toMatchObject({ safeguard_results });
    expect(model.requests.at(-1)?.body.safeguards).toEqual(safeguards);
    expect(model.requests.at(-1)?.headers['anthropic-beta']).toContain('dangerous-tool-use-2026-09-03');
    messages = results('ok')(messages, [{ role: 'assistant', content: whole.content }]);
  }
});

test('a count is the same with each credential', async () => {
  const counts = await Promise.all(
    Object.values(gateways).map(async ({ url }) => {
      const response = await fetch(`${url}/v1/messages/count_tokens`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          model: 'claude-sonnet-5-5',
          tools: toolsOf(...OWN_TOOLS),
          messages: [{ role: 'user', content: 'hi' }],
        }),
      });
      expect(response.headers.get('isthmus-token-count')).toBe('sdk');
      return ((await response.json()) as { input_tokens: number }).input_tokens;
    }),
  );
  expect(new Set(counts).size, String(counts)).toBe(1);
});

test('nothing was announced, and nobody’s address is in the log', QUICK, () => {
  for (const credential of FULL) expectSilence(credential);
});
