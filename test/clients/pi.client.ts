import { beforeAll, describe, expect, it } from 'vitest';
import { type ContentBlock, type ModelRequest, newestUserText, type Reply } from '../../scripted-model/script.ts';
import {
  checkCalls,
  checkEveryRequest,
  checkThinking,
  checkWhatTheModelSaw,
  describeOfAll,
  onStage,
  REPLAY,
  toPlay,
} from './checks.ts';
import { allTexts, blocksOf, comparableMessages, outline, toolResults } from './comparison.ts';
import { ignoredFields } from './declared.ts';
import { answersIn, type PiConversation, PiProject, type PiScript } from './pi.ts';
import type { ClientRun, Files } from './project.ts';
import { once, text, thinking, turnRule, use } from './rules.ts';
import { type Observation as AnyObservation, pathOf } from './stage.ts';

type Observation = AnyObservation<ClientRun>;
type Conversation = AnyObservation<PiConversation>;

/** One transparent pixel. */
const DOT = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const stage = onStage();

/** The project and the observations of the conversation that goes on through several scenarios. */
let project: PiProject;
let firstTurn: Observation;
let secondTurn: Observation;

describe('a tool loop', () => {
  beforeAll(async () => {
    project = addProject({ 'numbers.txt': 'one\ntwo\nGröße 数 🌊\n' });
    stage().script(
      turnRule(
        'Put the second',
        [
          thinking('It has to be read first.'),
          text('First I read it.'),
          use('toolu_read', 'read', { path: 'numbers.txt' }),
        ],
        [
          use('toolu_edit', 'edit', {
            path: 'numbers.txt',
            edits: [{ oldText: 'two', newText: 'zwölf "12" \\ 🌊' }],
          }),
        ],
        [
          text('Now two commands at once.'),
          use('toolu_copy', 'bash', { command: 'cat numbers.txt > copy.txt' }),
          use('toolu_count', 'bash', { command: 'grep -c "" numbers.txt; exit 3' }),
        ],
        [thinking('All is done.'), text('The second line is put right.')],
      ),
    );
    firstTurn = await stage().observe(() => project.run('Put the second number right'));
  });

  checkAnswer(() => firstTurn, 'The second line is put right.');
  it('the edit is on disk, and the shell command ran', () => {
    expect(project.read('numbers.txt')).toBe('one\nzwölf "12" \\ 🌊\nGröße 数 🌊\n');
    expect(project.read('copy.txt')).toBe(project.read('numbers.txt'));
  });
  it('the model saw what each tool returned, and which one failed', () => {
    const results = toolResults(firstTurn.seen.at(-1)?.body);
    expect(results.map(({ tool_use_id, is_error }) => [tool_use_id, is_error])).toEqual([
      ['toolu_read', undefined],
      ['toolu_edit', undefined],
      ['toolu_copy', undefined],
      ['toolu_count', true],
    ]);
    expect(JSON.stringify(results[0]?.content)).toContain('two\\nGröße 数 🌊');
  });
  it('paths: start, then continue for every follow-up', () => {
    expect(firstTurn.exchanges.map(pathOf)).toEqual(['start', 'continue', 'continue', 'continue']);
  });
  checkThinking('pi', 1, () => firstTurn);
  checkEvery(() => firstTurn);
});

describe('a second turn with --continue', () => {
  beforeAll(async () => {
    stage().script(
      turnRule(
        'Remove the copy',
        [use('toolu_remove', 'bash', { command: 'rm copy.txt && ls' })],
        [text('It is gone.')],
      ),
    );
    secondTurn = await stage().observe(() => project.run('--continue', 'Remove the copy again'));
  });

  checkAnswer(() => secondTurn, 'It is gone.');
  it('the model saw the first turn as it ended, block for block, and the new prompt after it', () => {
    const before = firstTurn.seen.at(-1)?.body;
    const now = secondTurn.seen[0]?.body;
    expect(before && now && comparableMessages(now)).toEqual([
      ...(before ? comparableMessages(before) : []),
      { role: 'assistant', content: [text('The second line is put right.')] },
      { role: 'user', content: [text('Remove the copy again')] },
    ]);
  });
  it('paths: continue for every request', () => {
    expect(secondTurn.exchanges.map(pathOf)).toEqual(['continue', 'continue']);
  });
  checkEvery(() => secondTurn);
});

describe('a third turn after a restart of the gateway', () => {
  let observation: Observation;

  beforeAll(async () => {
    await stage().restartGateway();
    stage().script(
      turnRule('Say what is left', [use('toolu_list', 'bash', { command: 'ls' })], [text('One file is left.')]),
    );
    observation = await stage().observe(() => project.run('--continue', 'Say what is left'));
  });

  checkAnswer(() => observation, 'One file is left.');
  it('the model saw both earlier turns with their blocks', () => {
    const before = secondTurn.seen.at(-1)?.body;
    const now = observation.seen[0]?.body;
    expect(before && now && outline(now)).toEqual([
      ...(before ? outline(before) : []),
      'assistant: text',
      'user: text',
    ]);
  });
  it('paths: replay, then continue', () => {
    expect(observation.exchanges.map(pathOf)).toEqual([REPLAY, 'continue']);
  });
  checkThinking('pi', 2, () => observation);
  checkEvery(() => observation);
});

describe('images: one in the prompt, one that a tool reads', () => {
  let looked: Observation;
  let continued: Observation;

  beforeAll(async () => {
    const other = addProject({ 'dot.png': Buffer.from(DOT, 'base64') });
    stage().script(
      turnRule('Look at the dot', [use('toolu_look', 'read', { path: 'dot.png' })], [text('Twice the same dot.')]),
      turnRule('And now', [text('Still the same.')]),
    );
    looked = await stage().observe(() => other.run('@dot.png', 'Look at the dot'));
    continued = await stage().observe(() => other.run('--continue', 'And now?'));
  });

  checkAnswer(() => looked, 'Twice the same dot.');
  checkAnswer(() => continued, 'Still the same.');
  it('the model saw both images', () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: DOT } };
    for (const request of [looked.seen.at(-1)?.body, continued.seen[0]?.body]) {
      expect(request && comparableMessages(request)[0]?.content).toContainEqual(image);
      expect(toolResults(request)[0]?.content).toContainEqual(image);
    }
  });
  it('paths: a replay where a tool’s image cannot be handed to the live process', () => {
    expect([...looked.exchanges, ...continued.exchanges].map(pathOf)).toEqual(['start', REPLAY, 'continue']);
  });
  describe('at first', () => checkEvery(() => looked));
  describe('with --continue', () => checkEvery(() => continued));
});

describe('an error', () => {
  const beginning = { content: [text('This is but the beginning of it, which goes on and on.')] };
  const overloaded = { type: 'overloaded_error', message: 'Overloaded' };
  const limited = { type: 'rate_limit_error', message: 'Slow down', headers: { 'retry-after': '1' } };

  const passing: Array<[string, number, Reply]> = [
    ['529', 529, { error: { status: 529, ...overloaded } }],
    ['429 with retry-after', 429, { error: { status: 429, ...limited } }],
    ['of a stream that has begun', 200, { ...beginning, stream_error: { after_events: 4, ...overloaded } }],
  ];
  describe.each(toPlay(passing, ([name]) => name !== '529'))(
    '%s, which pi gets over by asking again',
    (_name, status, reply) => {
      let observation: Observation;

      beforeAll(async () => {
        const other = await addProjectWithTurn();
        stage().script(once(reply), turnRule('Say hi', [text('Hi.')]));
        observation = await stage().observe(() => other.run('--continue', 'Say hi'));
      });

      checkAnswer(() => observation, 'Hi.');
      it('pi got the error once, and then the answer', () => {
        expect(observation.exchanges.map((exchange) => [exchange.status, exchange.events.at(-1)?.type])).toEqual([
          [status, status === 200 ? 'error' : undefined],
          [200, 'message_stop'],
        ]);
      });
      it('paths: continue, then a replay that has nothing of the failed answer', () => {
        expect(observation.exchanges.map(pathOf)).toEqual(['continue', REPLAY]);
        expect(observation.seen.map(({ body }) => outline(body))).toEqual([SECOND_PROMPT, SECOND_PROMPT]);
      });
      checkCalls(() => observation);
      checkWhatTheModelSaw('pi', () => observation);
    },
  );

  describe('400, which ends the turn', () => {
    let observation: Observation;

    beforeAll(async () => {
      const other = await addProjectWithTurn();
      const error = { status: 400, type: 'invalid_request_error', message: 'That will not do – 数' };
      stage().script(once({ error }));
      observation = await stage().observe(() => other.run('--continue', 'Say hi'));
    });

    it('pi ends with exit code 1 and says what the API said', () => {
      expect(observation.run.code).toBe(1);
      expect(observation.run.stderr).toContain('invalid_request_error');
      expect(observation.run.stderr).toContain('That will not do – 数');
    });
    checkCalls(() => observation);
    checkWhatTheModelSaw('pi', () => observation);
  });

  describe('prompt is too long, which pi gets over by summaries', () => {
    let observation: Observation;

    beforeAll(async () => {
      const other = await addProjectWithTurn({ compaction: { keepRecentTokens: 1 } });
      const message = 'prompt is too long: 210000 tokens > 200000 maximum';
      stage().script(
        once({ error: { status: 400, type: 'invalid_request_error', message } }),
        turnRule('[User]: Say hello', [text('They said hello – 数.')]),
        turnRule('[User]: Say hi', [text('A hi is asked for.')]),
        turnRule('A hi is asked for', [text('Hi.')]),
      );
      observation = await stage().observe(() => other.run('--continue', 'Say hi'));
    });

    checkAnswer(() => observation, 'Hi.');
    it('the model saw two requests for summaries, which have no tools, and then the summaries alone', () => {
      const requests = observation.seen.map(({ body }) => body);
      expect(requests.map(({ tools }) => tools?.length ?? 0)).toEqual([4, 0, 0, 4]);
      expect(requests.map((request) => outline(request).length)).toEqual([3, 1, 1, 1]);
      expect([...allTexts(seenLast(observation))].join()).toMatch(/They said hello – 数\..*A hi is asked for\./s);
    });
    it('paths: continue, then a start for each summary and for what is left', () => {
      expect(observation.exchanges.map(({ status }) => status)).toEqual([400, 200, 200, 200]);
      expect(observation.exchanges.map(pathOf)).toEqual(['continue', 'start', 'start', 'start']);
    });
    checkCalls(() => observation);
    checkWhatTheModelSaw('pi', () => observation);
  });
});

describe('an answer that is interrupted, and another prompt', () => {
  let observation: Conversation;

  beforeAll(async () => {
    const other = addProject({ 'a.txt': 'a\n' });
    const endless: Reply = {
      content: [text('This is but the beginning of it, which goes on and on.')],
      cut: { after_events: 4, how: 'silence' },
    };
    stage().script(
      turnRule('Tell a short one', [text('The end.')]),
      turnRule('Say hello', [text('Hello.')]),
      (request) => (newestUserText(request).includes('Tell a long one') ? endless : undefined),
    );
    observation = await stage().observe(() =>
      other.converse(async function* (pi) {
        yield { type: 'prompt', message: 'Say hello' };
        await pi.says('agent_settled');
        yield { type: 'prompt', message: 'Tell a long one' };
        await pi.says('message_update');
        yield { type: 'abort' };
        await pi.says('agent_settled');
        yield { type: 'prompt', message: 'Tell a short one' };
        await pi.says('agent_settled');
      }),
    );
  });

  it('pi got a beginning, and the answer to the other prompt', () => {
    expect(answersIn(observation.run).map(([stopReason]) => stopReason)).toEqual(['stop', 'aborted', 'stop']);
    expect(answersIn(observation.run).at(-1)).toEqual(['stop', 'The end.']);
  });
  it('the call of the model ended with the interruption', () => {
    expect(observation.seen.map(({ outcome }) => outcome)).toEqual(['answered', 'aborted', 'answered']);
  });
  it('pi drops the beginning: the model saw both prompts, one behind the other', () => {
    expect(comparableMessages(seenLast(observation)).at(-1)?.content).toEqual([
      text('Tell a long one'),
      text('Tell a short one'),
    ]);
  });
  it('paths: start, and on in the process, if it has given the interrupted answer up by then', () => {
    const [first, interrupted, last] = observation.exchanges.map(pathOf);
    expect([first, interrupted]).toEqual(['start', 'continue']);
    expect(['continue', 'rewind', 'replay']).toContain(last);
  });
  checkCalls(() => observation);
  checkWhatTheModelSaw('pi', () => observation);
});

describe('tools that are interrupted', () => {
  let observation: Conversation;

  beforeAll(async () => {
    const other = addProject({ 'a.txt': 'a\n' });
    stage().script(
      turnRule('Go on', [text('I go on.')]),
      turnRule('Wait for ever', [
        use('toolu_one', 'bash', { command: 'sleep 600' }),
        use('toolu_other', 'bash', { command: 'sleep 601' }),
      ]),
    );
    observation = await stage().observe(() =>
      other.converse(async function* (pi) {
        yield { type: 'prompt', message: 'Wait for ever' };
        await pi.says('tool_execution_start');
        await pi.says('tool_execution_start');
        yield { type: 'abort' };
        await pi.says('agent_settled');
        yield { type: 'prompt', message: 'Go on' };
        await pi.says('agent_settled');
      }),
    );
  });

  it('the model saw both results as failed, and the other prompt behind them', () => {
    expect(comparableMessages(seenLast(observation)).at(-1)?.content).toEqual([
      failed('toolu_one', 'Command aborted'),
      failed('toolu_other', 'Command aborted'),
      text('Go on'),
    ]);
  });
  it('paths: start, then a rewind', () => {
    expect(observation.exchanges.map(pathOf)).toEqual(['start', 'rewind']);
  });
  checkEvery(() => observation);
});

describeOfAll('pi killed while its tools run', () => {
  let killed: Observation;
  let continued: Observation;

  beforeAll(async () => {
    const other = addProject({ 'a.txt': 'a\n' });
    stage().script(
      turnRule('Go on', [text('I go on.')]),
      turnRule('End it all', [
        text('As you wish.'),
        use('toolu_wait', 'bash', { command: 'sleep 600' }),
        use('toolu_kill', 'bash', { command: 'kill -9 $PPID' }),
      ]),
    );
    killed = await stage().observe(() => other.run('End it all'));
    continued = await stage().observe(() => other.run('--continue', 'Go on'));
  });

  it('pi ends at once', () => {
    expect(killed.run.code).toBeNull();
  });
  checkAnswer(() => continued, 'I go on.');
  it('pi makes the missing results up, and the model saw them', () => {
    expect(comparableMessages(seenLast(continued)).at(-1)?.content).toEqual([
      failed('toolu_wait', 'No result provided'),
      failed('toolu_kill', 'No result provided'),
      text('Go on'),
    ]);
  });
  it('paths: start, then a rewind', () => {
    expect([...killed.exchanges, ...continued.exchanges].map(pathOf)).toEqual(['start', 'rewind']);
  });
  describe('before', () => checkEvery(() => killed));
  describe('with --continue', () => checkEvery(() => continued));
});

describe('a message to steer by while a tool runs', () => {
  let observation: Conversation;

  beforeAll(async () => {
    const other = addProject({ 'a.txt': 'a\n' });
    stage().script(
      (request) => (newestUserText(request) === 'Say it in German' ? { content: [text('Fertig.')] } : undefined),
      turnRule('Wait for it', [
        use('toolu_wait', 'bash', { command: 'until [ -e go ]; do sleep 0.05; done; cat a.txt' }),
      ]),
      turnRule('Once more', [text('Noch einmal.')]),
    );
    observation = await stage().observe(() =>
      other.converse(async function* (pi) {
        yield { type: 'prompt', message: 'Wait for it' };
        await pi.says('tool_execution_start');
        yield { type: 'steer', message: 'Say it in German' };
        await pi.says('response');
        yield { type: 'bash', command: 'touch go', excludeFromContext: true };
        await pi.says('agent_settled');
        yield { type: 'prompt', message: 'Once more' };
        await pi.says('agent_settled');
      }),
    );
  });

  it('pi got the answer to it', () => {
    expect(answersIn(observation.run).slice(-2)).toEqual([
      ['stop', 'Fertig.'],
      ['stop', 'Noch einmal.'],
    ]);
  });
  it('the model saw it behind the result', () => {
    const [, second] = observation.seen;
    expect(second && outline(second.body)).toEqual(['user: text', 'assistant: tool_use', 'user: tool_result text']);
  });
  it('paths: start, a rewind where text stands beside a result, then continue', () => {
    expect(observation.exchanges.map(pathOf)).toEqual(['start', 'rewind', 'continue']);
  });
  checkEvery(() => observation);
});

describeOfAll('another model in the middle', () => {
  let observation: Conversation;

  beforeAll(async () => {
    const other = addProject({ 'a.txt': 'a\n' });
    stage().script(
      turnRule(
        'Read it',
        [thinking('It has to be read.'), text('I read.'), use('toolu_read', 'read', { path: 'a.txt' })],
        [thinking('That was easy.'), text('It is an a.')],
      ),
      turnRule('Go on', [text('I go on.')]),
      turnRule('And back', [text('I am back.')]),
    );
    observation = await stage().observe(() =>
      other.converse(async function* (pi) {
        yield { type: 'prompt', message: 'Read it' };
        await pi.says('agent_settled');
        yield { type: 'set_model', provider: 'anthropic', modelId: 'claude-opus-4-5' };
        yield { type: 'prompt', message: 'Go on' };
        await pi.says('agent_settled');
        yield { type: 'set_model', provider: 'anthropic', modelId: 'claude-sonnet-4-5' };
        yield { type: 'prompt', message: 'And back' };
        await pi.says('agent_settled');
      }),
    );
  });

  it('the model saw the other one’s thinking as text, and its own as thinking', () => {
    const [, , other, back] = observation.seen.map(({ body }) => body.messages[1]?.content);
    expect(blocksOf(other).map(({ type }) => type)).toEqual(['text', 'text', 'tool_use']);
    expect(blocksOf(back).map(({ type }) => type)).toEqual(['thinking', 'text', 'tool_use']);
  });
  it('paths: a replay for the other model, and the first one’s process goes back', () => {
    expect(observation.exchanges.map(pathOf)).toEqual(['start', 'continue', REPLAY, 'rewind']);
  });
  checkEvery(() => observation);
});

/** Models to which pi sends what is new in the API; for the second one, the level of thinking goes into system messages. */
const OF_LEVELS: Array<[model: string, systemMessages: number, ignored: string[]]> = [
  ['claude-opus-4-8', 0, []],
  ['claude-opus-5-5', 3, ['anthropic-beta:mid-conversation-output-config-2026-07-01']],
];
describe.each(toPlay(OF_LEVELS, ([name]) => name === 'claude-opus-5-5'))(
  'another level of thinking in the middle, %s',
  (model, systemMessages, ignored) => {
    let observation: Conversation;

    beforeAll(async () => {
      const other = addProject({ 'a.txt': 'a\n' });
      stage().script(
        turnRule(
          'Read it',
          [thinking('It has to be read.'), text('I read.'), use('toolu_read', 'read', { path: 'a.txt' })],
          [thinking('That was easy.'), text('It is an a.')],
        ),
        turnRule('Go on', [text('I go on.')]),
      );
      const script: PiScript = async function* (pi) {
        yield { type: 'prompt', message: 'Read it' };
        await pi.says('agent_settled');
        yield { type: 'set_thinking_level', level: 'low' };
        yield { type: 'prompt', message: 'Go on' };
        await pi.says('agent_settled');
      };
      observation = await stage().observe(() => other.converse(script, '--model', model));
    });

    it('pi sent as many system messages as it does for this model', () => {
      const last = observation.exchanges.at(-1)?.body.messages ?? [];
      expect(last.filter(({ role }) => role === 'system')).toHaveLength(systemMessages);
    });
    it('the model thought as hard as pi said', () => {
      const efforts = observation.seen.map(({ body }) => body.output_config);
      expect(efforts).toEqual([{ effort: 'medium' }, { effort: 'medium' }, { effort: 'low' }]);
    });
    it('nothing is left out but what the documentation says', () => {
      const declared = observation.exchanges.flatMap(({ answerHeaders }) => ignoredFields(answerHeaders));
      const always = ['tools.4', 'anthropic-beta:mid-conversation-tool-changes-2026-07-01'];
      expect(new Set(declared)).toEqual(new Set([...always, ...ignored]));
    });
    it('paths: start, then continue', () => {
      expect(observation.exchanges.map(pathOf)).toEqual(['start', 'continue', 'continue']);
    });
    checkThinking('pi', 2, () => observation);
    checkEvery(() => observation);
  },
);

describe('other tools and instructions in the middle, for a model that takes such changes', () => {
  let observations: Observation[];

  beforeAll(async () => {
    const other = addProject({ 'a.txt': 'a\n' });
    stage().script(
      turnRule('Begin', [text('I begin.')]),
      turnRule('Go on', [use('toolu_find', 'grep', { pattern: 'a', path: 'a.txt' })], [text('I go on.')]),
      turnRule('And back', [text('I am back.')]),
    );
    const run = (...args: string[]) => stage().observe(() => other.run('--model', 'claude-opus-5-5', ...args));
    observations = [
      await run('--tools', 'read,bash', 'Begin'),
      await run('--continue', '--tools', 'read,grep', 'Go on'),
      await run('--continue', '--append-system-prompt', 'Be brief – 数.', 'And back'),
    ];
  });

  it('pi prints each answer', () => {
    expect(observations.map(({ run }) => run.stdout.trim())).toEqual(['I begin.', 'I go on.', 'I am back.']);
  });
  it('pi said the changes in system messages', () => {
    const sent = observations.map(({ exchanges }) => JSON.stringify(exchanges.at(-1)?.body.messages));
    expect(sent.map((messages) => messages.split('"type":"tool_addition"').length - 1)).toEqual([0, 1, 4]);
    expect(sent.map((messages) => messages.split('"type":"tool_removal"').length - 1)).toEqual([0, 1, 2]);
    expect(sent.at(-1)).toContain('Be brief – 数.');
  });
  it('the model saw the tools that there were', () => {
    const names = observations.map(({ seen }) =>
      seen
        .at(-1)
        ?.body.tools?.map(({ name }) => name)
        .sort(),
    );
    expect(names).toEqual([
      ['bash', 'read'],
      ['grep', 'read'],
      ['bash', 'edit', 'read', 'write'],
    ]);
  });
  it('paths: a rewind for each change', () => {
    const paths = observations.flatMap(({ exchanges }) => exchanges.map(pathOf));
    expect(paths).toEqual(['start', 'rewind', 'continue', 'rewind']);
  });
  describe('before', () => checkEvery(() => observations[0] as Observation));
  describe('after a change of tools', () => checkEvery(() => observations[1] as Observation));
  describe('after one of tools and instructions', () => checkEvery(() => observations[2] as Observation));
});

function seenLast({ seen }: AnyObservation<unknown>): ModelRequest {
  const last = seen.at(-1);
  if (!last) throw new Error('the model saw nothing');
  return last.body;
}

/** The result of a tool that failed. */
function failed(id: string, message: string): ContentBlock {
  return { type: 'tool_result', tool_use_id: id, is_error: true, content: [text(message)] };
}

/** The messages of the second turn of a project that has had one. */
const SECOND_PROMPT = ['user: text', 'assistant: text', 'user: text'];

function addProject(files: Files, settings?: object): PiProject {
  return stage().add(new PiProject(stage().url, files, settings));
}

/** A project with one turn behind it. */
async function addProjectWithTurn(settings?: object): Promise<PiProject> {
  const other = addProject({ 'a.txt': 'a\n' }, settings);
  stage().script(turnRule('Say hello', [text('Hello.')]));
  await stage().observe(() => other.run('Say hello'));
  return other;
}

function checkAnswer(observation: () => Observation, answer: string): void {
  it('pi ends with exit code 0 and prints the final text', () => {
    const { code, stdout, stderr } = observation().run;
    expect(code, stderr).toBe(0);
    expect(stdout.trim()).toBe(answer);
  });
}

function checkEvery(observation: () => Observation): void {
  checkEveryRequest('pi', '/v1/messages?beta=true', [], stage, observation);
}
