import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ModelRequest, Reply, RuleFunction, ScriptedBlock } from '../../scripted-model/script.ts';
import type { JsonObject } from '../../src/spec/messages.ts';
import { foldResponses } from '../support/fold-responses.ts';
import { until } from '../support/gateway.ts';
import { checkCalls, describeOfAll, onStage, REPLAY, toPlay } from './checks.ts';
import { CodexProject, switchesForAlias } from './codex.ts';
import { blocksOf, comparableMessages, compare, outline, textsOf, toolResults } from './comparison.ts';
import { blocksOf as blocksOfItem } from './openai-sent.ts';
import type { ClientRun, Files } from './project.ts';
import type { Exchange } from './recording-proxy.ts';
import { once, text, thinking, turnRule, use } from './rules.ts';
import { type Observation as AnyObservation, pathsOf } from './stage.ts';

/** Codex, set up by hand as docs/clients.md says, over one gateway; what the gateway declares is empty unless a row says more. */

type Observation = AnyObservation<ClientRun>;

/** One transparent pixel. */
const DOT = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const IMAGE = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: DOT } };
const LAST = ['resume', '--last'];

const stage = onStage(undefined, ['--model-alias', 'gpt-5.5=claude-sonnet-5']);

function addProject(files?: Files): CodexProject {
  return stage().add(new CodexProject(stage().url, files));
}

describe('a loop of tools, resumed', () => {
  /** Spaces and an order of keys that no program would write. */
  const RAW_INPUT = String.raw`{"yield_time_ms" : 9000,  "cmd":"printf '%s' 'Größe 数 \"12\" 🌊'"}`;
  const THOUGHTS = [
    { ...thinking('Two commands – 数.'), signature: 'EqQBCkYIBxgCKkD1+/==' },
    { type: 'redacted_thinking', data: 'EmwKAhgBEgy3va3pzix/==' },
  ] as const;
  let project: CodexProject;
  let first: Observation;
  let byId: Observation;
  let restarted: Observation;

  beforeAll(async () => {
    project = addProject();
    stage().script(
      turnRule(
        'Count the lines',
        [
          ...THOUGHTS,
          text('Two commands at once.'),
          {
            type: 'tool_use',
            id: 'toolu_print',
            name: 'exec_command',
            input: JSON.parse(RAW_INPUT),
            raw_input: RAW_INPUT,
          },
          use('toolu_fail', 'exec_command', { cmd: 'echo no >&2; exit 3' }),
        ],
        [use('toolu_long', 'exec_command', { cmd: 'seq 1 50000' })],
        [text('They are many.')],
      ),
      turnRule('And how many words', [text('As many.')]),
      turnRule('And how many letters', [text('More.')]),
    );
    first = await stage().observe(() => project.exec('Count the lines'));
    const id = /session id: (\S+)/.exec(first.run.stderr)?.[1] ?? '';
    byId = await stage().observe(() => project.exec('resume', id, 'And how many words?'));
    await stage().restartGateway();
    restarted = await stage().observe(() => project.exec(...LAST, 'And how many letters?'));
  });

  it('Codex prints the final texts', () => {
    for (const { run } of [first, byId, restarted]) expect(run.code, run.stderr).toBe(0);
    expect([first, byId, restarted].map(({ run }) => run.stdout)).toEqual([
      'They are many.\n',
      'As many.\n',
      'More.\n',
    ]);
  });
  it('arguments go to Codex and come back as the model wrote them, byte for byte', () => {
    const calls = callsIn(first.exchanges[1]?.body);
    expect(calls[0]?.arguments).toBe(RAW_INPUT);
    expect(itemsOf(first)[0]?.filter(({ type }) => type === 'function_call')).toEqual(
      calls.map((call) => expect.objectContaining({ arguments: call.arguments, call_id: call.call_id })),
    );
  });
  it('the model saw what each command printed, how it ended, and that a long output was cut', () => {
    const [printed, failed, long] = toolResults(first.seen[2]?.body).map(({ content }) => blocksOf(content)[0]?.text);
    expect(printed).toContain('exited with code 0');
    expect(printed).toContain('Größe 数 "12" 🌊');
    expect(failed).toContain('exited with code 3');
    expect(failed).toContain('no');
    expect(long).toContain('truncated output');
    expect(long).toContain('50000');
  });
  it('paths: the live process goes on, in the next `codex` too; behind a restart the history is replayed', () => {
    expect(pathsOf(first)).toEqual(['start', 'continue', 'continue']);
    expect([pathsOf(byId), pathsOf(restarted)]).toEqual([['continue'], ['replay']]);
  });
  it('the history comes back whole', () => {
    const before = outlineOf(first.seen[2]?.body);
    expect(before).toHaveLength(5);
    expect(outlineOf(restarted.seen[0]?.body)).toEqual([
      ...before,
      ...['assistant: text', 'user: text', 'assistant: text', 'user: text'],
    ]);
  });
  it('thinking goes out encoded, and a replay gives it back to the model as it was', () => {
    expect(itemsOf(first)[0]?.[0]).toMatchObject({ type: 'reasoning', summary: [{ text: 'Two commands – 数.' }] });
    const [, answer] = restarted.seen[0]?.body.messages ?? [];
    expect(blocksOf(answer?.content).slice(0, 2)).toEqual(THOUGHTS);
  });
  for (const [name, observation] of [
    ['the loop', () => first],
    ['resumed by its id', () => byId],
    ['resumed behind a restart', () => restarted],
  ] as const) {
    describe(name, () => checkEvery(observation));
  }
});

describe('images', () => {
  let observation: Observation;

  beforeAll(async () => {
    const project = addProject({ 'dot.png': Buffer.from(DOT, 'base64') });
    stage().script(
      turnRule(
        'What is it',
        [use('toolu_view', 'view_image', { path: project.path('dot.png') })],
        [text('Twice the same dot.')],
      ),
    );
    observation = await stage().observe(() => project.exec('-i', 'dot.png', '--', 'What is it?'));
  });

  it('the model saw the image twice: in the prompt, and in the result of a tool', () => {
    expect(observation.run.stdout).toBe('Twice the same dot.\n');
    const request = observation.seen[1]?.body;
    expect(request && comparableMessages(request)[0]?.content).toContainEqual(IMAGE);
    expect(toolResults(request)).toEqual([{ type: 'tool_result', tool_use_id: 'toolu_view', content: [IMAGE] }]);
  });
  it('paths: a replay, because of the tool’s image', () => {
    expect(pathsOf(observation)).toEqual(['start', REPLAY]);
  });
  // It asks for a high detail; a model of Anthropic's always sees the whole image.
  checkEvery(() => observation, {
    ignored: [
      expect.stringMatching(/^input\.\d\.content\.1\.detail$/),
      expect.stringMatching(/^input\.\d\.content\.1\.detail, input\.\d\.output\.0\.detail$/),
    ],
  });
});

describe('compaction', () => {
  const SUMMARY = 'They have greeted – 数.';
  const LIMIT = ['-c', 'model_auto_compact_token_limit=20000'];
  let within: Observation;
  let before: Observation;
  let after: Observation;

  beforeAll(async () => {
    const project = addProject();
    stage().script(
      turnRule('CONTEXT CHECKPOINT COMPACTION', [text(SUMMARY)]),
      turnRule('Greet again', [text('Once more.')]),
      turnRule('And again', [text('Thrice.')]),
      withUsage(30_000, turnRule(SUMMARY, [text('They are greeted.')])),
      withUsage(
        30_000,
        turnRule('Greet them', [text('I greet.'), use('toolu_greet', 'exec_command', { cmd: 'echo hi' })]),
      ),
    );
    within = await stage().observe(() => project.exec(...LIMIT, 'Greet them'));
    before = await stage().observe(() => project.exec(...LIMIT, ...LAST, 'Greet again'));
    after = await stage().observe(() => project.exec(...LAST, 'And again'));
  });

  it('Codex compacts and goes on, in a loop of tools and before a turn', () => {
    expect([within, before, after].map(({ run }) => run.stdout)).toEqual([
      'They are greeted.\n',
      'Once more.\n',
      'Thrice.\n',
    ]);
    expect([within, before].map(({ run }) => /^context compacted$/m.test(run.stderr))).toEqual([true, true]);
  });
  it('the model is asked for the summary behind all that was said, without tools', () => {
    const [, summary] = within.seen.map(({ body }) => body);
    expect(outlineOf(summary)).toEqual(['user: text text', 'assistant: text tool_use', 'user: tool_result text']);
    expect(summary?.tools ?? []).toEqual([]);
    expect(within.exchanges[1]?.body.tools ?? []).toEqual([]);
  });
  it('then the short history stands before the model: what the user said, and the summary', () => {
    expect(outlineOf(within.seen[2]?.body)).toEqual(['user: text text text']);
    for (const word of ['Greet them', SUMMARY]) expect(textsOf(within.seen[2]?.body as ModelRequest)).toContain(word);
    const last = after.seen[0]?.body as ModelRequest;
    for (const word of ['Greet them', SUMMARY, 'Greet again', 'And again']) expect(textsOf(last)).toContain(word);
    expect(textsOf(last)).not.toContain('I greet.');
  });
  it('paths: back to the loop without its tools, then a new conversation, which goes on', () => {
    expect(pathsOf(within)).toEqual(['start', REPLAY, expect.anything()]);
    expect(pathsOf(after)).toEqual(['continue']);
  });
  for (const [name, observation] of [
    ['within a loop', () => within],
    ['before a turn', () => before],
    ['afterwards', () => after],
  ] as const) {
    describe(name, () => checkEvery(observation));
  }
});

describe('a model of OpenAI’s by an alias', () => {
  const PATCH = '*** Begin Patch\n*** Update File: readme.md\n@@\n-Numbers.\n+Größe 数 "12" \\ 🌊\n*** End Patch\n';
  let project: CodexProject;
  let observation: Observation;

  beforeAll(async () => {
    project = addProject();
    stage().script(
      turnRule(
        'Edit the file',
        [thinking('A file.'), text('I edit it.'), use('toolu_patch', 'apply_patch', { input: PATCH })],
        [text('It is edited.')],
      ),
    );
    observation = await stage().observe(() => project.exec('-m', 'gpt-5.5', 'Edit the file'));
  });

  it('a call in free text edits the file, and its output is the result', () => {
    expect(observation.run.stdout).toBe('It is edited.\n');
    expect(project.read('readme.md')).toBe('Größe 数 "12" \\ 🌊\n');
    expect(itemsOf(observation)[0]).toMatchObject([
      {},
      {},
      { type: 'custom_tool_call', name: 'apply_patch', input: PATCH },
    ]);
    expect(JSON.stringify(toolResults(observation.seen[1]?.body))).toContain('Updated the following files');
  });
  it('its model is the one behind the alias', () => {
    expect(observation.seen.map(({ body }) => body.model)).toEqual(['claude-sonnet-5', 'claude-sonnet-5']);
  });
  it('Codex knows that model: it warns of nothing', () => {
    expect(observation.run.stderr).not.toContain('Model metadata');
  });
  it('paths: start, then continue', () => {
    expect(pathsOf(observation)).toEqual(['start', 'continue']);
  });
  checkEvery(() => observation, { ignored: Array(2).fill('tools.8, text.verbosity') });
});

describeOfAll('a schema and an effort', () => {
  const SCHEMA = {
    type: 'object',
    properties: { count: { type: 'integer' } },
    required: ['count'],
    additionalProperties: false,
  };
  let observation: Observation;

  beforeAll(async () => {
    const project = addProject({ 'schema.json': JSON.stringify(SCHEMA) });
    stage().script(turnRule('Count them', [text('{"count":3}')]));
    const effort = ['-c', 'model_reasoning_effort="high"'];
    observation = await stage().observe(() => project.exec(...effort, '--output-schema', 'schema.json', 'Count them'));
  });

  it('the model is held to both', () => {
    expect(observation.run.stdout).toBe('{"count":3}\n');
    expect(observation.seen[0]?.body.output_config).toEqual({
      effort: 'high',
      format: { type: 'json_schema', schema: SCHEMA },
    });
  });
  checkEvery(() => observation);
});

describeOfAll('a subagent', () => {
  let observation: Observation;

  beforeAll(async () => {
    const project = addProject();
    stage().script(
      turnRule('Count for me', [text('Three – 数.')]),
      turnRule(
        'Delegate it',
        [use('toolu_spawn', 'multi_agent_v1__spawn_agent', { message: 'Count for me' })],
        [use('toolu_sleep', 'exec_command', { cmd: 'sleep 2' })],
        [text('It is delegated.')],
      ),
      turnRule('subagent_notification', [text('It is delegated.')]),
    );
    observation = await stage().observe(() => project.exec('Delegate it'));
  });

  it('a tool of a namespace makes it, and its prompt is a conversation of its own', () => {
    expect(observation.run.stdout).toContain('It is delegated.');
    const own = observation.seen.filter(
      ({ body }) => textsOf(body).includes('Count for me') && body.messages.length === 1,
    );
    expect(own).toHaveLength(1);
    expect(textsOf(own[0]?.body as ModelRequest)).not.toContain('Delegate it');
    expect(pathsOf(observation).filter((path) => path === 'start')).toHaveLength(2);
  });
  checkEvery(() => observation);
});

interface Failure {
  name: string;
  /** What the model’s API does once. */
  reply: Reply;
  /** What Codex gets, by status or last event. */
  got: string;
  /** What Codex says of it, where it says anything. */
  says?: string;
  /** Whether it asks again by itself, and gets the answer. */
  isRepeated: boolean;
  /** Of one that is not. */
  code?: number;
  /** Whether something of it stays in the history. */
  isKept?: boolean;
  converted?: string;
  isEveryday?: boolean;
}

const BEGINNING = 'This answer begins with words – Größe 数 – and has more to say.';
const RECONNECTING = 'Reconnecting... 1/5';
const INCOMPLETE = 'Incomplete response returned, reason: max_output_tokens';
const CUT_CALL: ScriptedBlock = {
  type: 'tool_use',
  id: 'toolu_cut',
  name: 'exec_command',
  input: {},
  raw_input: '{"cmd":"touch nev',
};

const FAILURES: Failure[] = [
  {
    name: 'a 429 with retry-after',
    reply: refused(429, 'rate_limit_error', 'Slow down.', { 'retry-after': '1' }),
    got: '429',
    says: RECONNECTING,
    isRepeated: true,
  },
  {
    name: 'a 529',
    reply: refused(529, 'overloaded_error', 'Overloaded'),
    got: '503',
    isRepeated: true,
    isEveryday: false,
  },
  {
    name: 'a 500',
    reply: refused(500, 'api_error', 'Internal server error'),
    got: '500',
    isRepeated: true,
    isEveryday: false,
  },
  {
    name: 'nobody pays any more',
    reply: refused(402, 'billing_error', 'Your credit balance is too low.'),
    got: '429',
    says: 'Quota exceeded. Check your plan and billing details.',
    isRepeated: false,
    code: 1,
  },
  {
    name: 'a 400',
    reply: refused(400, 'invalid_request_error', 'That will not do – 数'),
    got: '400',
    says: 'That will not do – 数',
    isRepeated: false,
    code: 1,
    isEveryday: false,
  },
  {
    name: 'an error event in the middle of a stream',
    reply: {
      content: [text(BEGINNING)],
      stream_error: { after_events: 4, type: 'overloaded_error', message: 'Overloaded' },
    },
    got: 'response.failed',
    says: RECONNECTING,
    isRepeated: true,
    isEveryday: false,
  },
  {
    name: 'a stream that ends too soon',
    reply: { content: [text(BEGINNING)], cut: { after_events: 4, how: 'end' } },
    got: 'response.failed',
    says: RECONNECTING,
    isRepeated: true,
    isEveryday: false,
  },
  {
    name: 'a stream that ends in the middle of a call',
    reply: {
      content: [thinking('A file.'), text(BEGINNING), use('toolu_cut', 'exec_command', { cmd: 'touch never' })],
      cut: { after_events: 12, how: 'end' },
    },
    got: 'response.failed',
    says: RECONNECTING,
    isRepeated: true,
    isKept: true,
  },
  {
    name: 'a stream that ends behind thinking',
    reply: { content: [thinking('A file.'), text(BEGINNING)], cut: { after_events: 6, how: 'end' } },
    got: 'response.failed',
    says: RECONNECTING,
    isRepeated: true,
    isEveryday: false,
  },
  {
    name: 'a connection that is reset in the middle of a stream',
    reply: { content: [text(BEGINNING)], gap_ms: 100, cut: { after_events: 4, how: 'reset' } },
    got: 'response.failed',
    says: RECONNECTING,
    isRepeated: true,
    isEveryday: false,
  },
  {
    name: 'a refusal',
    reply: { content: [text(BEGINNING)], stop_reason: 'refusal' },
    got: 'response.completed',
    says: BEGINNING,
    isRepeated: false,
    code: 0,
    isKept: true,
  },
  {
    name: 'a refusal without a word',
    reply: { content: [], stop_reason: 'refusal' },
    got: 'response.completed',
    isRepeated: false,
    code: 0,
    isEveryday: false,
  },
  {
    name: 'a limit of tokens',
    reply: { content: [text(BEGINNING)], stop_reason: 'max_tokens' },
    got: 'response.incomplete',
    says: INCOMPLETE,
    isRepeated: false,
    code: 1,
    isKept: true,
    isEveryday: false,
  },
  {
    name: 'a limit of tokens in the middle of a call',
    reply: { content: [text(BEGINNING), CUT_CALL], stop_reason: 'max_tokens' },
    got: 'response.incomplete',
    says: INCOMPLETE,
    isRepeated: false,
    code: 1,
    isKept: true,
    converted: 'input.5.arguments',
  },
];

describe.each(toPlay(FAILURES, ({ isEveryday = true }) => isEveryday))(
  '$name',
  ({ reply, got, says, isRepeated, code = 0, isKept = false, converted }) => {
    let project: CodexProject;
    let observation: Observation;
    let later: Observation;

    beforeAll(async () => {
      project = addProject();
      stage().script(once(reply), turnRule('Say ho', [text('Ho.')]), () => ({ content: [text('Hi.')] }));
      observation = await stage().observe(() => project.exec('Say hi'));
      later = await stage().observe(() => project.exec(...LAST, 'Say ho'));
    });

    it(isRepeated ? 'Codex asks again, and gets the answer' : 'Codex says what it is, and does not ask again', () => {
      expect(observation.exchanges.map(endOf)).toEqual([got, ...(isRepeated ? ['response.completed'] : [])]);
      expect(observation.run.code).toBe(code);
      if (says !== undefined) expect(observation.run.stderr).toContain(says);
      // Of a refusal Codex shows the words before it, and nothing of the refusal itself.
      const said = isRepeated ? 'Hi.' : code === 0 && isKept ? BEGINNING : '';
      expect(observation.run.stdout.trim()).toBe(said);
    });
    it('the next turn has what Codex kept of it, and no half call has run', () => {
      expect(later.run.stdout).toBe('Ho.\n');
      expect(textsOf(later.seen[0]?.body as ModelRequest).includes(BEGINNING)).toBe(isKept);
      expect(existsSync(project.path('never'))).toBe(false);
      // What was repeated and is not kept has left no trace.
      expect(pathsOf(later)).toEqual([
        isRepeated && !isKept ? 'continue' : expect.stringMatching(/^(start|replay|rewind)$/),
      ]);
    });
    describe('the turn', () => {
      checkCalls(() => observation);
      checkWhatTheModelSaw(() => observation);
    });
    describe('the next turn', () => checkEvery(() => later, { converted: [converted] }));
  },
);

describe('an input that is too long', () => {
  let observation: Observation;
  let later: Observation;

  beforeAll(async () => {
    const project = addProject();
    stage().script(
      turnRule('CONTEXT CHECKPOINT COMPACTION', [text('They said hi.')]),
      turnRule('Say ho', [text('Ho.')]),
      turnRule('Say hi', [text('Hi.')]),
    );
    await stage().observe(() => project.exec('Say hi'));
    const tooLong = refused(400, 'invalid_request_error', 'prompt is too long: 9 tokens > 8 maximum');
    stage().script(once(tooLong));
    observation = await stage().observe(() => project.exec(...LAST, 'Say too much'));
    stage().script(
      turnRule('CONTEXT CHECKPOINT COMPACTION', [text('They said hi.')]),
      turnRule('Say ho', [text('Ho.')]),
    );
    later = await stage().observe(() => project.exec(...LAST, 'Say ho'));
  });

  it('Codex stops at once, with its own words for it', () => {
    expect(observation.exchanges.map(endOf)).toEqual(['400']);
    expect(observation.run.code).toBe(1);
    expect(observation.run.stderr).toContain("Codex ran out of room in the model's context window");
  });
  it('its next turn begins with a summary, and goes on', () => {
    expect(later.run.stdout).toBe('Ho.\n');
    expect(later.seen.map(({ body }) => textsOf(body).includes('COMPACTION'))).toEqual([true, false]);
    expect(textsOf(later.seen[1]?.body as ModelRequest)).toContain('They said hi.');
  });
  checkCalls(() => observation);
  checkWhatTheModelSaw(() => observation);
  // Behind a summary Codex says its instructions anew, in the middle of the history.
  describe('the next turn', () => checkEvery(() => later, { converted: [undefined, 'input.2'] }));
});

describe('Ctrl-C in an answer', () => {
  let observation: Observation;
  let later: Observation;

  beforeAll(async () => {
    const project = addProject();
    stage().script(
      turnRule('Say ho', [text('Ho.')]),
      once({ content: [text(BEGINNING)], cut: { after_events: 4, how: 'silence' } }),
    );
    observation = await interrupted(project, 'Say hi', ([first]) => Boolean(first?.answer.includes('text.delta')));
    later = await stage().observe(() => project.exec(...LAST, 'Say ho'));
  });

  it('the call of the model ends, and nothing is left of it', async () => {
    expect(observation.run.stderr).toContain('turn interrupted');
    expect(observation.exchanges.map(({ outcome }) => outcome)).toEqual(['broken']);
    await until('the model’s call has ended', () => observation.seen.every(({ outcome }) => outcome !== 'open'));
    expect(observation.seen.map(({ outcome }) => outcome)).toEqual(['aborted']);
    await until('no turn is under way', async () => (await stage().processes()).streaming === 0);
  });
  it('the next turn works', () => {
    expect(later.run.stdout).toBe('Ho.\n');
    expect(textsOf(later.seen[0]?.body as ModelRequest)).toContain('Say hi');
  });
  describe('the next turn', () => checkEvery(() => later));
});

describeOfAll('Ctrl-C while a command runs', () => {
  let observation: Observation;
  let later: Observation;

  beforeAll(async () => {
    const project = addProject();
    const cmd = 'touch started; sleep 600';
    stage().script(
      turnRule('Say ho', [text('Ho.')]),
      turnRule('Wait long', [text(BEGINNING), use('toolu_wait', 'exec_command', { cmd, yield_time_ms: 30_000 })]),
    );
    observation = await interrupted(project, 'Wait long', () => existsSync(project.path('started')));
    later = await stage().observe(() => project.exec(...LAST, 'Say ho'));
  });

  it('the next turn has the call, and that it was broken off', () => {
    expect(observation.run.stderr).toContain('turn interrupted');
    expect(later.run.stdout).toBe('Ho.\n');
    expect(JSON.stringify(toolResults(later.seen[0]?.body))).toContain('aborted');
    expect(textsOf(later.seen[0]?.body as ModelRequest)).toContain(BEGINNING);
  });
  describe('the next turn', () => checkEvery(() => later));
});

// The last one, since it leaves another gateway behind.
describe('with `--strict`', () => {
  let project: CodexProject;

  beforeAll(async () => {
    await stage().restartGateway(['--strict', '--keep-alive-seconds', '0.3']);
    project = addProject({ 'dot.png': Buffer.from(DOT, 'base64') });
    stage().script(turnRule('Say hi', [text('Hi.')]));
  });

  it('its web search is a 400 that names the tool', async () => {
    const { run, exchanges, seen } = await ask('-c', 'web_search="live"', 'Say hi');
    const tools = (exchanges[0]?.body.tools ?? []) as JsonObject[];
    const index = tools.findIndex(({ type }) => type === 'web_search');
    expect([exchanges.map(endOf), seen]).toEqual([['400'], []]);
    expect(run.stderr).toContain(`"message":"tools.${index}: would be ignored`);
  });
  it('an image is one that names its detail', async () => {
    const { run, exchanges } = await ask('-i', 'dot.png', '--', 'Say hi');
    expect(exchanges.map(endOf)).toEqual(['400']);
    expect(run.stderr).toMatch(/"message":"input\.\d\.content\.1\.detail: would be ignored/);
  });
  it('and a model of OpenAI’s is one that names what Codex sends for it, unless that is switched off', async () => {
    const named = await ask('-m', 'gpt-5.5', 'Say hi');
    expect(named.exchanges.map(endOf)).toEqual(['400']);
    expect(named.run.stderr).toContain('"message":"tools.8: would be ignored');
    expect(named.run.stderr).toContain('text.verbosity');

    const { run, exchanges } = await ask('-m', 'gpt-5.5', ...switchesForAlias(), 'Say hi');
    expect([run.stdout, exchanges.map(endOf)]).toEqual(['Hi.\n', ['response.completed']]);
  });
  it('set up as the documents say, its turn works', async () => {
    const { run, exchanges } = await ask('Say hi');
    expect([run.stdout, exchanges.map(endOf)]).toEqual(['Hi.\n', ['response.completed']]);
  });
  it('thinking whose answer broke off is refused neither when Codex repeats the turn nor later', async () => {
    stage().script(
      once({ content: [thinking('A file.'), text(BEGINNING)], cut: { after_events: 6, how: 'end' } }),
      turnRule('Say ho', [text('Ho.')]),
      turnRule('Say hi', [text('Hi.')]),
    );
    const repeated = await ask('Say hi');
    expect(repeated.exchanges.map(endOf)).toEqual(['response.failed', 'response.completed']);
    expect(repeated.exchanges[1]?.answerHeaders['isthmus-ignored']).toBe('input.4');
    expect((await ask(...LAST, 'Say ho')).run.stdout).toBe('Ho.\n');
  });
  it('a silence that is longer than Codex waits is none: the gateway says that it is there', async () => {
    stage().script(() => ({ content: [text('Done.')], delay_ms: 2_500 }));
    const { run, exchanges } = await ask('-c', 'model_providers.isthmus.stream_idle_timeout_ms=1200', 'Take your time');
    expect([run.stdout, exchanges.map(endOf)]).toEqual(['Done.\n', ['response.completed']]);
  });

  const ask = (...args: string[]) => stage().observe(() => project.exec(...args));
});

/** A turn that its user ends by Ctrl-C, as soon as it has come so far. */
function interrupted(
  project: CodexProject,
  prompt: string,
  isReached: (exchanges: Exchange[]) => boolean,
): Promise<Observation> {
  let exchanges: () => Exchange[] = () => [];
  return stage().observe(
    async () => {
      const codex = project.start(prompt);
      await until('the turn has come so far', () => isReached(exchanges()));
      codex.interrupt();
      return codex.ended;
    },
    async (_exchange, all) => {
      exchanges = all;
    },
  );
}

/** What the answers declare, one after the other. */
interface Declared {
  ignored?: unknown[];
  converted?: unknown[];
}

/** The checks that hold for every turn that succeeds: how it went, and what the model saw. */
function checkEvery(observation: () => Observation, { ignored = [], converted = [] }: Declared = {}): void {
  it('Codex asked for nothing but answers, and each is whole and as OpenAI’s are', () => {
    const { run, exchanges, others } = observation();
    expect(run.code, run.stderr).toBe(0);
    expect(exchanges.map(({ path, status, outcome }) => [path, status, outcome])).toEqual(
      exchanges.map(() => ['/v1/responses', 200, 'whole']),
    );
    expect(others).toEqual([]);
    for (const { answer } of exchanges) foldResponses(answer);
  });
  it('nothing of it is ignored or converted but what is declared', () => {
    for (const [index, { answerHeaders }] of observation().exchanges.entries()) {
      expect(answerHeaders['isthmus-ignored']).toEqual(ignored[index]);
      expect(answerHeaders['isthmus-converted']).toEqual(converted[index]);
    }
  });
  checkCalls(observation);
  checkWhatTheModelSaw(observation);
  it('each answer that Codex got is the model’s answer to that very request', () => {
    const { exchanges, expected, pairs } = observation();
    for (const [index, { answer }] of exchanges.entries()) {
      const seen = pairs.find((pair) => pair.sent === expected[index])?.seen;
      const blocks = (seen && stage().replies.get(seen)?.content) ?? [];
      const said = blocks
        .filter(({ type }) => !type.endsWith('thinking'))
        .map(({ raw_input: _, ...block }: ScriptedBlock & { raw_input?: unknown }) => block);
      expect(foldResponses(answer).items.flatMap(blocksOfItem)).toEqual(said);
    }
  });
}

function checkWhatTheModelSaw(observation: () => Observation): void {
  for (const aspect of ['messages', 'system prompt', 'tools'] as const) {
    it(`${aspect}: the model saw what Codex sent, in every request`, () => {
      const { exchanges, pairs } = observation();
      expect(pairs).toHaveLength(exchanges.length);
      expect([...new Set(pairs.flatMap((pair) => compare(aspect, pair)))]).toEqual([]);
    });
  }
}

/** The status of an error, or what a stream ended with. */
function endOf({ status, answer }: { status: number; answer: string }): string {
  return status === 200 ? String(foldResponses(answer).events.at(-1)) : String(status);
}

/** The items of each answer. */
function itemsOf({ exchanges }: Observation): JsonObject[][] {
  return exchanges.map(({ answer }) => foldResponses(answer).items);
}

function callsIn(request: ModelRequest | undefined): JsonObject[] {
  return ((request?.input ?? []) as JsonObject[]).filter(({ type }) => type === 'function_call');
}

function outlineOf(request: ModelRequest | undefined): string[] {
  return request ? outline(request) : [];
}

function refused(status: number, type: string, message: string, headers?: Record<string, string>): Reply {
  return { error: { status, type, message, ...(headers && { headers }) } };
}

/** What a rule answers, as if its request had so many tokens. */
function withUsage(input_tokens: number, rule: RuleFunction): RuleFunction {
  return (request) => {
    const reply = rule(request);
    return reply && { ...reply, usage: { input_tokens } };
  };
}
