import { beforeAll, describe, expect, it } from 'vitest';
import type { ModelRequest, Reply } from '../../scripted-model/script.ts';
import type { StreamEvent } from '../support/sse-frames.ts';
import {
  checkCalls,
  checkEveryRequest,
  checkThinking,
  checkWhatTheModelSaw,
  onStage,
  REPLAY,
  toPlay,
} from './checks.ts';
import { comparableMessages, outline, systemTexts, toolResults } from './comparison.ts';
import type { ClientRun, Files } from './project.ts';
import { isOfMemory, memoryRule, type QwenCodeConversation, QwenCodeProject, withoutMemory } from './qwen-code.ts';
import { once, text, thinking, turnRule, use } from './rules.ts';
import { type Observation as AnyObservation, pathOf } from './stage.ts';

type Observation = AnyObservation<ClientRun>;
type Conversation = AnyObservation<QwenCodeConversation>;

const NUMBERS = 'one\ntwo\nGröße 数 🌊\n';
/** One transparent pixel. */
const DOT = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const stage = onStage();

/** The project and the observations of the conversation that goes on through several scenarios. */
let project: QwenCodeProject;
let firstTurn: Observation;

describe('a tool loop', () => {
  beforeAll(async () => {
    project = addProject({ 'numbers.txt': NUMBERS, 'dot.png': Buffer.from(DOT, 'base64') });
    const file_path = project.path('numbers.txt');
    stage().script(
      memoryRule,
      turnRule(
        'Put the second',
        [thinking('It has to be read first.'), text('First I read it.'), use('toolu_read', 'read_file', { file_path })],
        [use('toolu_edit', 'edit', { file_path, old_string: 'two', new_string: 'zwölf "12" \\ 🌊' })],
        [
          text('Now two commands at once.'),
          use('toolu_copy', 'run_shell_command', { command: 'cat numbers.txt > copy.txt', is_background: false }),
          use('toolu_count', 'run_shell_command', { command: 'grep -c "" numbers.txt; exit 3', is_background: false }),
        ],
        [text('The second line is put right.')],
      ),
    );
    firstTurn = await stage().observe(() => project.run('Put the second number right'));
  });

  checkAnswer(() => firstTurn, 'The second line is put right.');
  it('Qwen Code calls itself claude-cli', () => {
    expect(firstTurn.exchanges[0]?.headers['user-agent']).toMatch(/^claude-cli\//);
  });
  it('the edit is on disk, and the shell command ran', () => {
    expect(project.read('numbers.txt')).toBe('one\nzwölf "12" \\ 🌊\nGröße 数 🌊\n');
    expect(project.read('copy.txt')).toBe(project.read('numbers.txt'));
  });
  it('the model saw what each tool returned, and which one failed', () => {
    const results = toolResults(firstTurn.seen[3]?.body);
    expect(results.map(({ tool_use_id, is_error }) => [tool_use_id, is_error])).toEqual([
      ['toolu_read', undefined],
      ['toolu_edit', undefined],
      ['toolu_copy', undefined],
      ['toolu_count', true],
    ]);
    expect(JSON.stringify(results[0]?.content)).toContain('two\\nGröße 数 🌊');
  });
  it('paths: start, then continue for every follow-up', () => {
    expect(withoutMemory(firstTurn.exchanges).map(pathOf)).toEqual(['start', 'continue', 'continue', 'continue']);
  });
  checkThinking('Qwen Code', 1, () => firstTurn);
  checkEvery(() => firstTurn);
});

describe('a second turn with --continue, and an image', () => {
  let observation: Observation;

  beforeAll(async () => {
    stage().script(
      memoryRule,
      turnRule(
        'Look at the dot',
        [use('toolu_look', 'read_file', { file_path: project.path('dot.png') })],
        [text('Twice the same dot.')],
      ),
    );
    observation = await stage().observe(() => project.run('--continue', 'Look at the dot @dot.png'));
  });

  checkAnswer(() => observation, 'Twice the same dot.');
  it('the model saw the first turn with its tool_use and tool_result blocks', () => {
    const [request] = observation.seen;
    const before = firstTurn.seen[3];
    const [, ...earlier] = before ? outline(before.body) : [];
    const [, ...now] = request ? outline(request.body) : [];
    expect(now.slice(0, earlier.length)).toEqual(earlier);
    expect(earlier).toHaveLength(6);
  });
  it('the model saw the image twice: in the prompt, and in the result of a tool', () => {
    const [first, second] = observation.seen.map(({ body }) => body);
    const image =
      first &&
      comparableMessages(first)
        .at(-1)
        ?.content.find(({ type }) => type === 'image');
    expect(image).toBeDefined();
    expect(toolResults(second).at(-1)?.content).toContainEqual(image);
  });
  it('paths: replays, because Qwen Code has changed its reminders, and because of the tool’s image', () => {
    expect(withoutMemory(observation.exchanges).map(pathOf)).toEqual([REPLAY, REPLAY]);
  });
  checkEvery(() => observation);
});

describe('several turns in one process, with /compress between them', () => {
  let observation: Conversation;

  beforeAll(async () => {
    const other = addProject({ 'numbers.txt': NUMBERS });
    stage().script(
      memoryRule,
      turnRule('produce the <state_snapshot>', [text('<state_snapshot>They said hi – 数.</state_snapshot>')]),
      turnRule('Say hi', [text('Hi.')]),
      turnRule('Say ho', [text('Ho.')]),
      turnRule('Say once more', [text('Ho, ho.')]),
    );
    observation = await stage().observe(() => other.converse('Say hi', 'Say ho', '/compress', 'Say once more'));
  });

  it('Qwen Code got the answers', () => {
    expect(observation.run.code, observation.run.stderr).toBe(0);
    expect(observation.run.results).toEqual(['Hi.', 'Ho.', expect.stringContaining('compressed'), 'Ho, ho.']);
  });
  it('the subagent for memory saw the turns under its own system prompt, and the turns nothing of it', () => {
    const requests = observation.seen.map(({ body }) => body);
    expect(requests.filter(isOfMemory)).not.toEqual([]);
    expect(JSON.stringify(requests.filter(isOfMemory)[0])).toContain('Say hi');
    expect(JSON.stringify(requests.filter((request) => !isOfMemory(request)))).not.toContain('worth to be remembered');
  });
  it('after /compress the model saw the summary in place of the turns', () => {
    const last = withoutMemory(observation.exchanges).at(-1)?.body;
    expect(JSON.stringify(last?.messages)).toContain('They said hi – 数.');
    expect(JSON.stringify(last?.messages)).not.toContain('Say ho');
  });
  it('paths: start, continue to the summary, then a replay; no subagent goes on with what is not its own', () => {
    const { exchanges } = observation;
    expect(withoutMemory(exchanges).map(pathOf)).toEqual(['start', 'continue', 'continue', REPLAY]);
    const ofMemory = exchanges.filter(({ body }) => isOfMemory(body)).map(pathOf);
    for (const path of ofMemory) expect(path).toEqual(REPLAY);
  });
  checkEvery(() => observation);
});

const OF_SUBAGENTS: Array<[how: string, run_in_background: boolean]> = [
  ['at once', false],
  ['in the background', true],
];
describe.each(toPlay(OF_SUBAGENTS, ([how]) => how === 'in the background'))(
  'two subagents %s',
  (_name, run_in_background) => {
    let observation: Observation;

    beforeAll(async () => {
      const other = addProject({ 'numbers.txt': NUMBERS });
      const file_path = other.path('numbers.txt');
      const agent = (prompt: string) => ({
        description: 'Counts the lines',
        prompt,
        subagent_type: 'general-purpose',
        run_in_background,
      });
      stage().script(
        memoryRule,
        turnRule('<task-notification>', [text('Noted.')]),
        turnRule('Count for Anna', [use('toolu_anna', 'read_file', { file_path })], [text('Three – 数.')]),
        turnRule('Count for Bert', [use('toolu_bert', 'read_file', { file_path })], [text('Drei – 数.')]),
        turnRule(
          'Delegate it',
          [use('toolu_a', 'agent', agent('Count for Anna')), use('toolu_b', 'agent', agent('Count for Bert'))],
          [text('It is delegated.')],
        ),
      );
      observation = await stage().observe(() => other.run('Delegate it'));
    });

    checkAnswer(() => observation, run_in_background ? 'Noted.' : 'It is delegated.');
    it('each subagent is a conversation of its own, with nothing of the other', () => {
      const requests = observation.seen.map(({ body }) => JSON.stringify(comparableMessages(body).slice(0, 1)));
      const anna = requests.filter((request) => request.includes('Count for Anna'));
      const bert = requests.filter((request) => request.includes('Count for Bert'));
      expect([anna.length, bert.length]).toEqual([2, 2]);
      expect(anna.filter((request) => bert.includes(request))).toEqual([]);
      for (const { body } of observation.seen.filter(({ body }) => isOfSubagent(body))) {
        const ids = toolResults(body).map(({ tool_use_id }) => tool_use_id);
        const own = JSON.stringify(body.messages).includes('Count for Anna') ? 'toolu_anna' : 'toolu_bert';
        expect(ids.filter((id) => id !== own)).toEqual([]);
      }
    });
    it('the model saw what both said', () => {
      const said = observation.seen.map(({ body }) => JSON.stringify(body.messages)).join();
      expect(said).toContain('Three – 数.');
      expect(said).toContain('Drei – 数.');
    });
    it('paths: a start for each of the three, then continue', () => {
      const byFirst = withoutMemory(observation.exchanges).map((exchange) => [
        exchange.body.messages.length > 1 ? 'continue' : 'start',
        pathOf(exchange),
      ]);
      expect(byFirst.filter(([expected, path]) => expected !== path)).toEqual([]);
      expect(byFirst.filter(([expected]) => expected === 'start')).toHaveLength(3);
    });
    checkEvery(() => observation);
  },
);

describe('an error', () => {
  const overloaded = { type: 'overloaded_error', message: 'Overloaded' };
  const limited = { type: 'rate_limit_error', message: 'Slow down', headers: { 'retry-after': '1' } };

  const passing: Array<[string, number, Reply]> = [
    ['529', 529, { error: { status: 529, ...overloaded } }],
    ['429 with retry-after', 429, { error: { status: 429, ...limited } }],
  ];
  describe.each(toPlay(passing, ([name]) => name !== '529'))(
    '%s, which Qwen Code gets over by asking again',
    (_name, status, reply) => {
      let observation: Observation;

      beforeAll(async () => {
        const other = addProject({ 'numbers.txt': NUMBERS });
        stage().script(once(reply), memoryRule, turnRule('Say hi', [text('Hi.')]));
        observation = await stage().observe(() => other.run('Say hi'));
      });

      checkAnswer(() => observation, 'Hi.');
      it('Qwen Code got the error once, and then the answer', () => {
        expect(withoutMemory(observation.exchanges).map((exchange) => exchange.status)).toEqual([status, 200]);
      });
      checkCalls(() => observation);
      checkWhatTheModelSaw('Qwen Code', () => observation);
    },
  );

  describe('400, which ends the turn', () => {
    let observation: Observation;

    beforeAll(async () => {
      const other = addProject({ 'numbers.txt': NUMBERS });
      stage().script(once({ error: { status: 400, type: 'invalid_request_error', message: 'That will not do – 数' } }));
      observation = await stage().observe(() => other.run('Say hi'));
    });

    it('Qwen Code ends with exit code 1 and says what the API said', () => {
      expect(observation.run.code).toBe(1);
      expect(observation.run.stderr).toContain('invalid_request_error');
      expect(observation.run.stderr).toContain('That will not do – 数');
    });
    checkCalls(() => observation);
    checkWhatTheModelSaw('Qwen Code', () => observation);
  });

  describe('an answer that is cut, which Qwen Code lets the model go on with', () => {
    let observation: Observation;

    beforeAll(async () => {
      const other = addProject({ 'numbers.txt': NUMBERS });
      const beginning = 'This is but the beginning of it, which goes on and on.';
      stage().script(
        once({ content: [text(beginning)], cut: { after_events: 4, how: 'end' } }),
        memoryRule,
        turnRule('previous_response_suffix', [text('nd here it ends.')]),
      );
      observation = await stage().observe(() => other.run('Say hi'));
    });

    it('Qwen Code puts the two parts together', () => {
      expect(observation.run.code, observation.run.stderr).toBe(0);
      expect(observation.run.stdout).toMatch(/^This is but the beginning .*nd here it ends\.$/m);
    });
    it('the answer that is cut ends with an error, and is no message', () => {
      expect(withoutMemory(observation.exchanges).map(({ events }) => events.at(-1)?.type)).toEqual([
        'error',
        'message_stop',
      ]);
    });
    it('the model saw the beginning as its own words, as far as Qwen Code got them', () => {
      const [cut, onwards] = withoutMemory(observation.exchanges);
      const delivered = textIn(cut?.events ?? []);
      expect(delivered).not.toBe('');
      const seen = observation.seen.map(({ body }) => body).find((body) => body.messages.length === 3);
      expect(seen && comparableMessages(seen)[1]).toEqual({ role: 'assistant', content: [text(delivered)] });
      expect(onwards && pathOf(onwards)).toEqual(REPLAY);
    });
    checkCalls(() => observation);
    checkWhatTheModelSaw('Qwen Code', () => observation);
  });
});

function addProject(files: Files): QwenCodeProject {
  return stage().add(new QwenCodeProject(stage().url, files));
}

/** The text that a stream of events has brought, which need not be whole. */
function textIn(events: readonly StreamEvent[]): string {
  return events
    .map(({ delta }) => (delta as { text?: unknown } | undefined)?.text)
    .filter((part) => typeof part === 'string')
    .join('');
}

function isOfSubagent(request: ModelRequest): boolean {
  return systemTexts(request).some((one) => one.startsWith('You are a general-purpose subagent'));
}

function checkAnswer(observation: () => Observation, answer: string): void {
  it('Qwen Code ends with exit code 0 and prints the final text', () => {
    const { code, stdout, stderr } = observation().run;
    expect(code, stderr).toBe(0);
    expect(stdout.trim()).toBe(answer);
  });
}

function checkEvery(observation: () => Observation): void {
  checkEveryRequest('Qwen Code', '/v1/messages', [], stage, observation);
}
