import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelRequest, Reply } from '../../scripted-model/script.ts';
import { type ScriptedModel, startScriptedModel } from '../../scripted-model/testing.ts';
import type { BegunTurn, ConversationProcess } from '../../src/spec/engine.ts';
import type { MessagesRequest } from '../../src/spec/messages.ts';
import { sdkClient } from '../support/clients.ts';
import {
  assistant,
  collect,
  type EngineFixture,
  finish,
  NO_LISTENER,
  PATIENT,
  request,
  startEngine,
  tool,
  user,
} from '../support/engine.ts';
import { startGateway, until } from '../support/gateway.ts';
import { testParts } from '../support/test-parts.ts';
import { wholeBody } from '../support/whole-body.ts';

/** Each request of a process that is used again, compared whole with what a new process sends. */

const TEXT: Reply = { content: [{ type: 'text', text: 'done' }] };
const CALL = { type: 'tool_use', id: 'toolu_1', name: 'read', input: { path: 'a' } } as const;
const RESULT = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'res' };
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const READ = { tools: [tool('read')] };
const LONG_AGO = [user('h1'), assistant('h2'), user('h3'), assistant('h4')];

/** Calls whose results a held call would alter. */
const ODD_RESULTS: Array<[content: unknown, isError?: boolean]> = [
  [' \n'],
  [undefined],
  [[{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } }]],
  ['x'.repeat(300_000)],
  ['no \n', true],
  ['x'.repeat(20_000), true],
  [
    [
      { type: 'text', text: 'one' },
      { type: 'text', text: 'two' },
    ],
    true,
  ],
];
const oddCalls = ODD_RESULTS.map((_, index) => ({ ...CALL, id: `toolu_${index}` }));
const oddResults = ODD_RESULTS.map(([content, is_error], index) => ({
  type: 'tool_result',
  tool_use_id: `toolu_${index}`,
  ...(content !== undefined && { content }),
  ...(is_error && { is_error }),
}));
const odd = [user('go'), assistant(...oddCalls), user(...oddResults, 'and words')];

/** The turns that one process takes one after another; `shared` messages of each it holds already. */
const STEPS: Array<[what: string, given: MessagesRequest, shared: number]> = [
  ['a new conversation', request([user('a new one')]), 0],
  ['one with tools', request([user('use tools')], { tools: [tool('read'), tool('write')] }), 0],
  ['one with the same tools', request([user('again')], { tools: [tool('read'), tool('write')] }), 0],
  ['one with another tool', request([user('another tool')], { tools: [tool('Skill')] }), 0],
  ['one without tools', request([user('none')], { parameters: { max_tokens: 55, temperature: 0.5 } }), 0],
  ['a history', request([...LONG_AGO, user('h5')]), 0],
  ['an undo', request([...LONG_AGO.slice(0, 2), user('h3 edited')]), 2],
  ['an edited answer', request([user('h1'), assistant('edited'), user('h3 edited')]), 1],
  [
    'a history that has grown by more than one message',
    request([
      user('h1'),
      assistant('edited'),
      user('h3 edited'),
      assistant('done'),
      user('x'),
      assistant('y'),
      user('z'),
    ]),
    4,
  ],
  [
    'a tool loop in the history',
    request([user('go'), assistant('I look', CALL), user(RESULT), assistant('ok'), user('on')], READ),
    0,
  ],
  ['a result as the newest message', request([user('go'), assistant('I look', CALL), user(RESULT)], READ), 0],
  [
    'an undo behind a loop',
    request([user('go'), assistant('I look', CALL), user({ ...RESULT, content: 'other' })], READ),
    2,
  ],
  ['odd results as the newest message', request(odd, READ), 0],
  ['odd results in the history', request([...odd, assistant('so'), user('on')], READ), 0],
  [
    'thinking',
    request([user('go'), assistant({ type: 'thinking', thinking: 'hm', signature: 's' }, 'ok'), user('on')]),
    0,
  ],
  [
    'odd words',
    request([user(' white \r\n space '), assistant('! @a /compact'), user('/compact'), assistant('a'), user('@b !ls')]),
    0,
  ],
  ['a command as the first message', request([user('/compact')]), 0],
  [
    'a document',
    request([user({ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'd' } }, 'x')]),
    0,
  ],
];

const MODES = [
  ['bare', {}],
  ['full', { ANTHROPIC_API_KEY: '', CLAUDE_CODE_SIMPLE: '', CLAUDE_CODE_OAUTH_TOKEN: 'x' }],
] as const;

describe.each(MODES)('a used process in %s mode', (mode, variables) => {
  let model: ScriptedModel;
  let fixture: EngineFixture;
  let used: ConversationProcess;

  beforeAll(async () => {
    model = await startScriptedModel();
    fixture = startEngine(model.url, variables);
    await fixture.engine.introduction();
    expect(fixture.engine.reuse).toBe('on');
    await fixture.engine.prepare({ model: 'claude-sonnet-5' });
  });

  afterAll(async () => {
    fixture.engine.endAll();
    await fixture.close();
    await model.close();
  });

  /** Has the used process take a turn, and a new one the same; both must send the same, in one call. */
  async function expectSame(
    given: MessagesRequest,
    take: () => Promise<BegunTurn['events'] | undefined>,
    reply = TEXT,
  ) {
    model.use([{ replies: [reply, TEXT, TEXT] }]);
    const before = model.requests.length;
    expect((await collect(await take())).at(-1)?.type).toBe('message_stop');
    expect(model.requests.length).toBe(before + 1);
    (await finish(fixture.engine.replay(given, NO_LISTENER))).process.end();
    const [ofUsed, ofNew] = model.requests.slice(before).map((sent) => wholeBody(sent.body));
    expect(ofUsed).toEqual(ofNew);
  }

  const load = (given: MessagesRequest, shared = 0, reply = TEXT) =>
    expectSame(given, () => used.load(given, shared, PATIENT), reply);

  describe.each(['replay', 'spare'] as const)('that began by a %s', (kind) => {
    beforeAll(async () => {
      const first = request([user('first words')]);
      const begun =
        kind === 'replay'
          ? fixture.engine.replay(first, NO_LISTENER)
          : await (await fixture.engine.spawnSpare(first)).claim(first, NO_LISTENER, PATIENT);
      used = (await finish(begun as BegunTurn)).process;
    });

    // A spare differs in its beginning alone; every day has that in full mode, and all turns in bare mode.
    const steps = kind === 'spare' ? STEPS.slice(0, 6) : STEPS;
    testParts('usedProcesses', [steps.length], { isEveryday: () => (mode === 'bare') === (kind === 'replay') })(
      'sends what a new one sends, in %i turns',
      async () => {
        for (const [what, given, shared] of steps) await load(given, shared).catch(named(what));
        expect(used.loads).toBe(steps.length);
      },
    );

    test.skipIf(kind === 'spare')('gives held calls up', async () => {
      await load(request([user('call')], READ), 0, { content: [CALL] });
      expect(used.state).toBe('held');
      await load(request([user('instead')], READ));
      await load(request([user('call')], READ), 0, { content: [CALL] });
      const more = { tools: [tool('read'), tool('write')] };
      await load(request([user('call'), assistant(CALL), user(RESULT)], more), 2);
      await load(request([user('call')], READ), 0, { content: [CALL] });
      const withResult = request([user('call'), assistant(CALL), user(RESULT)], READ);
      await expectSame(withResult, () => used.continue(withResult, PATIENT));
    });

    test.skipIf(kind === 'spare').each([
      ['words come', { ...TEXT, cut: { after_events: 4, how: 'silence' } } satisfies Reply],
      ['it waits for the model', { ...TEXT, delay_ms: 100_000 } satisfies Reply],
    ])('gives a turn up while %s, and goes on from before it', async (_when, reply) => {
      await load(request([user('base')]));
      model.use([{ replies: [reply] }]);
      const before = model.requests.length;
      const events = await used.continue(request([user('base'), assistant('done'), user('slow')]), PATIENT);
      const reading = collect(events);
      await expect.poll(() => model.requests.length).toBe(before + 1);
      expect(await used.giveUp()).toBe(2);
      expect(used.state).toBe('idle');
      expect((await reading).at(-1)).toMatchObject({ type: 'failure', failure: { code: 'client_gone' } });
      const instead = request([user('base'), assistant('done'), user('instead')]);
      await expectSame(instead, () => used.continue(instead, PATIENT));
    });

    test.skipIf(kind === 'spare')('ends where a load does not succeed, which is logged', async () => {
      const loading = used.load(request([user('lost')]), 0, PATIENT);
      process.kill(used.pid as number, 'SIGKILL');
      expect(await loading).toBeUndefined();
      expect(used.state).toBe('ended');
      expect(fixture.learned).toContainEqual(['reuse failed', { step: 'load', why: expect.any(String) }]);
    });
  });
});

test('a gateway in full mode gives a first turn to a spare of its kind, which sends what a new process sends', async () => {
  const model = await startScriptedModel();
  const env = { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'dummy' };
  const gateway = await startGateway(model.url, ['--spares', '1'], { env });
  const ask = async (content: string) => {
    const tools = [{ name: 'read', input_schema: { type: 'object' as const } }];
    const messages = [{ role: 'user' as const, content }];
    await sdkClient(gateway.url).messages.create({
      model: 'claude-sonnet-5',
      max_tokens: 100,
      system: 'You help.',
      tools,
      messages,
    });
    return JSON.stringify(wholeBody(model.requests.at(-1)?.body as ModelRequest));
  };
  try {
    const first = await ask('question-one');
    await until('there is a spare', async () => (await gateway.health()).processes.spare === 1);
    expect((await ask('question-two')).replaceAll('question-two', 'question-one')).toBe(first);
    const ways = () => [...gateway.output().matchAll(/ path=(\w+) process=(\w+)/g)].map(([, ...way]) => way);
    await until('both are logged', () => ways().length === 2);
    expect(ways()).toEqual([
      ['start', 'new'],
      ['start', 'spare'],
    ]);
    expect(model.requests).toHaveLength(2);
  } finally {
    await gateway.stop();
    await model.close();
  }
});

function named(what: string): (error: Error) => never {
  return (error) => {
    error.message = `${what}: ${error.message}`;
    throw error;
  };
}
