import { beforeAll, describe, expect, it } from 'vitest';
import type { ContentBlock, ModelRequest, RuleFunction } from '../../scripted-model/script.ts';
import { foldMessage } from '../support/fold-message.ts';
import { until } from '../support/gateway.ts';
import { checkEveryRequest, describeOfAll, onStage, REPLAY, toPlay } from './checks.ts';
import {
  ClaudeCodeProject,
  type ClaudeCodeRun,
  isOfSubagent,
  outcomes,
  shownAnswers,
  userLine,
} from './claude-code.ts';
import { type AspectName, allTexts, blocksOf, comparableMessages, compare, toolResults } from './comparison.ts';
import { asDeclared, ignoredFields } from './declared.ts';
import { ODD_INPUTS, ODD_TOOLS_SERVER, RARE_KEYWORDS } from './odd-tools.ts';
import type { Files } from './project.ts';
import type { Exchange } from './recording-proxy.ts';
import { text, turnRule, use } from './rules.ts';
import { type Observation as AnyObservation, type Pacing, pathOf, pathsOf } from './stage.ts';

type Observation = AnyObservation<ClaudeCodeRun>;

const NUMBERS = 'one\ntwo\nGröße 数 🌊\n';
/** One transparent pixel. */
const DOT = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
/** A model to which Claude Code sends no `role: "system"` messages. */
const MODEL = 'claude-sonnet-4-5';
/** What the gateway says that it does not act on, in each request. */
const IGNORED = [
  'context_management',
  // Its placeholder, and the tools that were loaded.
  'tools.N',
  'tools.N.defer_loading',
  'anthropic-beta:context-management-2025-06-27',
];
/** Of a replay within a loop of tools: the scripted model has called them without a thought, which the API would refuse. */
const REPLAYED_LOOP_IGNORED = [...IGNORED, 'thinking'];
/** What it says so for newer models. */
const NEWER_IGNORED = [
  ...IGNORED,
  'anthropic-beta:mid-conversation-tool-changes-2026-07-01',
  'anthropic-beta:per-turn-control-2026-07-01',
];
const ALLOWED = ['--allowedTools', 'Read', 'Bash', 'Agent', 'ToolSearch', 'CronList'];

const stage = onStage();

/** The project and the observations of the conversation that goes on through several scenarios. */
let project: ClaudeCodeProject;
let firstRun: Observation;
let secondRun: Observation;

describe('a tool loop', () => {
  beforeAll(async () => {
    project = addProject({ 'numbers.txt': NUMBERS, 'dot.png': Buffer.from(DOT, 'base64') });
    stage().script(
      turnRule(
        'Count the numbers',
        [
          { type: 'thinking', thinking: 'They have to be read first.' },
          text('First I read the file – all of it.'),
          use('toolu_read', 'Read', { file_path: project.path('numbers.txt') }),
        ],
        [
          text('Now two commands at once.'),
          use('toolu_copy', 'Bash', { command: 'cat numbers.txt > "copy 1.txt"', description: 'Copies the file' }),
          use('toolu_count', 'Bash', { command: 'grep -c "" numbers.txt; exit 3', description: 'Counts the lines' }),
        ],
        [text('There are three – 数.')],
      ),
    );
    firstRun = await observe('Count the numbers');
  });

  it('the shell command ran', () => {
    expect(project.read('copy 1.txt')).toBe(NUMBERS);
  });
  it('the model saw what each tool returned', () => {
    const results = toolResults(requests(firstRun).at(-1));
    expect(results.map(({ tool_use_id, is_error }) => [tool_use_id, is_error])).toEqual([
      ['toolu_read', undefined],
      ['toolu_copy', undefined],
      ['toolu_count', true],
    ]);
    const [read, , count] = results.map(({ content }) => JSON.stringify(content));
    expect(read).toContain('2\\ttwo\\n3\\tGröße 数 🌊');
    expect(count).toContain('Exit code 3\\n3');
  });
  it('the model saw its thinking again, with its signature', () => {
    const thinking = { type: 'thinking', thinking: 'They have to be read first.', signature: 'sig-27' };
    expect(requests(firstRun).map(({ messages }) => messages[1]?.content[0])).toEqual([undefined, thinking, thinking]);
  });
  it('paths: start, then continue for every follow-up', () => {
    expect(firstRun.exchanges.map(pathOf)).toEqual(['start', 'continue', 'continue']);
  });
  checkEvery(() => firstRun, ['There are three – 数.']);
});

describe('a second process with --continue', () => {
  beforeAll(async () => {
    stage().script(
      turnRule(
        'Remove the copy',
        [use('toolu_remove', 'Bash', { command: 'rm "copy 1.txt" && ls', description: 'Removes the copy' })],
        [text('The copy is gone.')],
      ),
    );
    secondRun = await observe('Remove the copy', '--continue');
  });

  it('the model saw the first run as it ended, block for block, and the new prompt after it', () => {
    const before = requests(firstRun).at(-1);
    const [now] = requests(secondRun);
    const messages = now ? comparableMessages(now) : [];
    expect(messages.slice(0, -1)).toEqual([
      ...(before ? comparableMessages(before) : []),
      { role: 'assistant', content: [text('There are three – 数.')] },
    ]);
    expect(messages.at(-1)?.content.at(-1)).toEqual(text('Remove the copy'));
  });
  it('paths: continue for every request', () => {
    expect(secondRun.exchanges.map(pathOf)).toEqual(['continue', 'continue']);
  });
  checkEvery(() => secondRun, ['The copy is gone.']);
});

describe('a subagent', () => {
  let observation: Observation;

  beforeAll(async () => {
    stage().script(...subagentRules(project));
    observation = await stage().observe(
      () => project.run(['Delegate the counting', '--continue', ...ALLOWED], MODEL),
      meetAtTheGateway,
    );
  });

  it('the model saw three requests of the main agent and two of the subagent', () => {
    expect(requests(observation).map(isOfSubagent).sort()).toEqual([false, false, false, true, true]);
  });
  it('the subagent read the file', () => {
    const [result] = toolResults(requests(observation).filter(isOfSubagent).at(-1));
    expect(result?.tool_use_id).toBe('toolu_agent_read');
    expect(JSON.stringify(result?.content)).toContain('2\\ttwo\\n3\\tGröße 数 🌊');
  });
  it('the main agent got the subagent’s answer', () => {
    const newest = mainRequests(observation).at(-1)?.messages.at(-1);
    expect(JSON.stringify(newest)).toContain('<result>I counted three of them.</result>');
  });
  it('nothing else of the subagent is in the main conversation', () => {
    for (const request of mainRequests(observation)) expect([...allTexts(request)]).not.toContain('toolu_agent_read');
  });
  it('nothing of the main conversation is in the subagent’s', () => {
    for (const request of requests(observation).filter(isOfSubagent)) {
      const texts = [...allTexts(request)];
      expect(texts).toContain('Open the list and count.');
      for (const other of ['Delegate the counting', 'An agent shall do it.', 'toolu_agent', 'It is at work.']) {
        expect(texts).not.toContain(other);
      }
    }
  });
  it('paths: continue for the main agent, start and continue for the subagent', () => {
    expect(pathsByAgent(observation)).toEqual(SUBAGENT_PATHS);
  });
  checkEvery(() => observation, SUBAGENT_RESULTS);
});

describe('images', () => {
  let ofTool: Observation;
  let ofUser: Observation;
  let later: Observation;

  beforeAll(async () => {
    stage().script(
      turnRule(
        'Look at the dot',
        [use('toolu_look', 'Read', { file_path: project.path('dot.png') })],
        [text('It is a dot.')],
      ),
      turnRule('And what is this?', [text('The same dot.')]),
      turnRule('Compare both', [text('They are equal.')]),
    );
    ofTool = await observe('Look at the dot', '--continue');
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: DOT } };
    ofUser = await stage().observe(() =>
      project.run(
        ['--continue', '--input-format', 'stream-json', ...ALLOWED],
        MODEL,
        userLine(text('And what is this?'), image),
      ),
    );
    later = await observe('Compare both', '--continue');
  });

  it('the model saw the image that the tool returned', () => {
    expect(imagesIn(requests(ofTool).at(-1))).toEqual([DOT]);
  });
  it('the model saw the user’s image beside it', () => {
    expect(imagesIn(requests(ofUser).at(-1))).toEqual([DOT, DOT]);
  });
  it('the model saw both again one turn later', () => {
    expect(imagesIn(requests(later).at(-1))).toEqual([DOT, DOT]);
  });
  it('paths: rewind or replay for what has a new image, continue behind it', () => {
    expect([ofTool, ofUser, later].map(({ exchanges }) => exchanges.map(pathOf))).toEqual([
      ['continue', 'rewind'],
      [REPLAY],
      ['continue'],
    ]);
  });
  describe('of a tool', () => checkEvery(() => ofTool, ['It is a dot.'], { ignored: REPLAYED_LOOP_IGNORED }));
  describe('of the user', () => checkEvery(() => ofUser, ['The same dot.']));
  describe('in the history', () => checkEvery(() => later, ['They are equal.']));
});

describe('a further process after a restart of the gateway', () => {
  let observation: Observation;

  beforeAll(async () => {
    await stage().restartGateway();
    stage().script(
      turnRule(
        'Say what is there',
        [use('toolu_list', 'Bash', { command: 'ls', description: 'Lists the files' })],
        [text('Two files are there.')],
      ),
    );
    observation = await observe('Say what is there', '--continue');
  });

  it('the model saw every earlier call again, and both images', () => {
    const [request] = requests(observation);
    expect(toolResults(request).map(({ tool_use_id }) => tool_use_id)).toEqual(EARLIER_CALLS);
    expect(imagesIn(request)).toEqual([DOT, DOT]);
  });
  it('paths: replay, then continue', () => {
    expect(observation.exchanges.map(pathOf)).toEqual([REPLAY, 'continue']);
  });
  checkEvery(() => observation, ['Two files are there.']);
});

describe('/compact', () => {
  let compaction: Observation;
  let after: Observation;

  beforeAll(async () => {
    stage().script(summaryRule('There are three numbers – 数.'));
    compaction = await observe('/compact', '--continue');
    stage().script(
      turnRule(
        'Count once more',
        [use('toolu_again', 'Bash', { command: 'wc -l numbers.txt', description: 'Counts the lines' })],
        [text('There are still three.')],
      ),
    );
    after = await observe('Count once more', '--continue');
  });

  it('the model saw the whole history, and after it what to do with it', () => {
    const [request] = requests(compaction);
    expect(toolResults(request).map(({ tool_use_id }) => tool_use_id)).toEqual([...EARLIER_CALLS, 'toolu_list']);
    expect(imagesIn(request)).toEqual([DOT, DOT]);
  });
  it('claude kept the summary', () => {
    expect(compaction.run.stdout).toContain('There are three numbers – 数.');
  });
  it('the model saw the summary in place of the history', () => {
    const [request] = requests(after);
    expect(JSON.stringify(request?.messages[0])).toContain('There are three numbers – 数.');
    expect(toolResults(request)).toEqual([]);
    expect(JSON.stringify(request)).not.toContain('Delegate the counting');
  });
  it('paths: replay for both, because neither has the history as it was', () => {
    expect([compaction, after].map(({ exchanges }) => exchanges.map(pathOf))).toEqual([[REPLAY], [REPLAY, 'continue']]);
  });
  describe('itself', () => checkEvery(() => compaction, [''], { shows: false, ignored: REPLAYED_LOOP_IGNORED }));
  describe('and what goes on after it', () => checkEvery(() => after, ['There are still three.']));
});

describe('--fork-session', () => {
  let origin: Observation;
  let fork: Observation;
  let back: Observation;

  beforeAll(async () => {
    const other = addProject({ 'numbers.txt': NUMBERS });
    const run = (...args: string[]) => stage().observe(() => other.run([...args, ...ALLOWED], MODEL));
    stage().script(
      turnRule(
        'Count the numbers',
        [use('toolu_read', 'Read', { file_path: other.path('numbers.txt') })],
        [text('There are three.')],
      ),
      turnRule(
        'Try it another way',
        [use('toolu_count', 'Bash', { command: 'grep -c "" numbers.txt', description: 'Counts the lines' })],
        [text('There are three that way, too.')],
      ),
      turnRule('Say the first', [text('It is one.')]),
    );
    origin = await run('Count the numbers');
    const session = sessionOf(origin);
    fork = await run('Try it another way', '--resume', session, '--fork-session');
    back = await run('Say the first', '--resume', session);
  });

  it('claude has two sessions', () => {
    expect(sessionOf(fork)).not.toBe(sessionOf(origin));
    expect(sessionOf(back)).toBe(sessionOf(origin));
  });
  it('the model saw one history with two ends', () => {
    const before = requests(origin).at(-1);
    const history = [
      ...(before ? comparableMessages(before) : []),
      { role: 'assistant', content: [text('There are three.')] },
    ];
    for (const [observation, prompt] of [[fork, 'Try it another way'] as const, [back, 'Say the first'] as const]) {
      const [request] = requests(observation);
      const messages = request ? comparableMessages(request) : [];
      expect(messages.slice(0, -1)).toEqual(history);
      expect(messages.at(-1)?.content.at(-1)).toEqual(text(prompt));
    }
  });
  it('paths: the fork goes on in the live process, which goes back for the origin', () => {
    expect([origin, fork, back].map(pathsOf)).toEqual([['start', 'continue'], ['continue', 'continue'], ['rewind']]);
  });
  describe('before it', () => checkEvery(() => origin, ['There are three.']));
  describe('itself', () => checkEvery(() => fork, ['There are three that way, too.']));
  describe('and the origin after it', () => checkEvery(() => back, ['It is one.']));
});

describe('MCP tools with odd schemas', () => {
  let observation: Observation;
  const ODD = ['mcp__odd__tree', 'mcp__odd__shape', 'mcp__odd__nothing'];

  beforeAll(async () => {
    const other = addProject({ 'numbers.txt': NUMBERS });
    const mcpServers = { odd: { type: 'stdio', command: process.execPath, args: [ODD_TOOLS_SERVER] } };
    stage().script(
      turnRule(
        'Use the odd ones',
        // As the gateway declares it to the model.
        [use('toolu_search', 'ToolSearch_', { query: `select:${ODD.join()}` })],
        [use('toolu_tree', 'mcp__odd__tree', ODD_INPUTS.tree), use('toolu_shape', 'mcp__odd__shape', ODD_INPUTS.shape)],
        [use('toolu_nothing', 'mcp__odd__nothing', ODD_INPUTS.nothing)],
        [text('All were used.')],
      ),
    );
    observation = await stage().observe(() =>
      other.run(['Use the odd ones', '--mcp-config', JSON.stringify({ mcpServers }), ...ALLOWED, ...ODD], MODEL),
    );
  });

  it('Claude Code declared them with what is rare in them, once they were loaded', () => {
    const odd = observation.exchanges.map(({ body }) => body.tools?.filter(({ name }) => ODD.includes(name)));
    expect(odd.map((tools) => tools?.length)).toEqual([0, 3, 3, 3]);
    const schemas = JSON.stringify(odd.at(-1));
    for (const keyword of RARE_KEYWORDS) expect(schemas).toContain(keyword);
  });
  it('they were called with the model’s arguments, and the model saw what they returned', () => {
    const results = toolResults(requests(observation).at(-1)).slice(-3);
    const texts = results.map(({ content }) => String(blocksOf(content)[0]?.text));
    expect(texts.map((returned) => JSON.parse(returned))).toEqual(Object.values(ODD_INPUTS));
  });
  it('paths: rewind where the tools have changed', () => {
    expect(pathsOf(observation)).toEqual(['start', 'rewind', 'continue', 'continue']);
  });
  checkEvery(() => observation, ['All were used.'], { ignored: REPLAYED_LOOP_IGNORED });
});

describe('a tool that the client loads when the model has searched for it', () => {
  let observation: Observation;

  beforeAll(async () => {
    const other = addProject({ 'numbers.txt': NUMBERS });
    stage().script(
      turnRule(
        'Which jobs are planned?',
        // As the gateway declares it to the model.
        [use('toolu_search', 'ToolSearch_', { query: 'select:CronList' })],
        [use('toolu_jobs', 'CronList', {})],
        [text('No job is planned.')],
      ),
    );
    observation = await stage().observe(() => other.run(['Which jobs are planned?', ...ALLOWED], MODEL));
  });

  it('the model saw which tool was loaded, and that tool', () => {
    const [before, after] = requests(observation);
    expect(JSON.stringify(toolResults(after))).toContain('The tool CronList is loaded.');
    const names = [before, after].map((request) => (request?.tools ?? []).map(({ name }) => name));
    expect(names.map((all) => all.includes('CronList'))).toEqual([false, true]);
  });
  it('the model saw what the loaded tool returned', () => {
    const result = toolResults(requests(observation).at(-1)).at(-1);
    expect([result?.tool_use_id, JSON.stringify(result?.content)]).toEqual([
      'toolu_jobs',
      expect.stringContaining('No scheduled jobs'),
    ]);
  });
  it('paths: rewind where the tools have changed', () => {
    expect(observation.exchanges.map(pathOf)).toEqual(['start', 'rewind', 'continue']);
  });
  checkEvery(() => observation, ['No job is planned.'], { ignored: REPLAYED_LOOP_IGNORED });
});

describeOfAll('adaptive thinking, claude-opus-4-6', () => {
  let observation: Observation;

  beforeAll(async () => {
    const other = addProject({ 'numbers.txt': NUMBERS });
    stage().script(
      turnRule(
        'Count the numbers',
        [
          { type: 'thinking', thinking: 'They have to be read first.' },
          use('toolu_read', 'Read', { file_path: other.path('numbers.txt') }),
        ],
        [{ type: 'thinking', thinking: 'Three.' }, text('There are three.')],
      ),
    );
    observation = await stage().observe(() =>
      other.run(['Count the numbers', '--effort', 'low', ...ALLOWED], 'claude-opus-4-6'),
    );
  });

  it('Claude Code asked for it with an effort, and the model was asked for it', () => {
    for (const { thinking, output_config } of [...observation.exchanges, ...observation.seen].map(({ body }) => body)) {
      expect(thinking).toMatchObject({ type: 'adaptive' });
      expect(output_config).toMatchObject({ effort: 'low' });
    }
  });
  it('the model saw its thinking again, with its signature', () => {
    expect(requests(observation).at(-1)?.messages[1]?.content[0]).toEqual({
      type: 'thinking',
      thinking: 'They have to be read first.',
      signature: 'sig-27',
    });
  });
  it('paths: start, then continue', () => {
    expect(pathsOf(observation)).toEqual(['start', 'continue']);
  });
  checkEvery(() => observation, ['There are three.']);
});

/** To each of them Claude Code sends another mixture of thinking, effort, betas and system messages. */
const MIXTURES = ['claude-sonnet-5', 'claude-sonnet-5-5', 'claude-haiku-5-5', 'claude-fable-5'];
for (const model of toPlay(MIXTURES, (name) => name === 'claude-sonnet-5-5')) {
  describe(`a tool loop and its continuation, ${model}`, () => {
    let loop: Observation;
    let after: Observation;

    beforeAll(async () => {
      const other = addProject({ 'numbers.txt': NUMBERS });
      const run = (...args: string[]) => stage().observe(() => other.run([...args, ...ALLOWED], model));
      stage().script(
        turnRule(
          'Count the numbers',
          [
            { type: 'thinking', thinking: 'They have to be read first.' },
            text('I read.'),
            use('toolu_read', 'Read', { file_path: other.path('numbers.txt') }),
          ],
          [use('toolu_count', 'Bash', { command: 'grep -c "" numbers.txt; exit 3', description: 'Counts the lines' })],
          [text('There are three.')],
        ),
        turnRule('Count once more', [text('There are still three.')]),
      );
      loop = await run('Count the numbers');
      after = await run('Count once more', '--continue');
    });

    it('the model was asked to think as Claude Code asked for it', () => {
      const settings = ({ body }: { body: ModelRequest }) => [body.thinking, body.output_config, body.max_tokens];
      expect(loop.seen.map(settings)).toEqual(loop.exchanges.map(settings));
    });
    it('the model saw its thinking again, with its signature', () => {
      const thinking = { type: 'thinking', thinking: 'They have to be read first.', signature: 'sig-27' };
      const seen = [loop, after].map((observation) => requests(observation).at(-1)?.messages[1]?.content[0]);
      expect(seen).toEqual([thinking, thinking]);
    });
    it('paths: start, then continue, in the next process of Claude Code, too', () => {
      expect([loop, after].map(pathsOf)).toEqual([['start', 'continue', 'continue'], ['continue']]);
    });
    describe('the loop', () => checkEvery(() => loop, ['There are three.'], { ignored: NEWER_IGNORED }));
    describe('what goes on', () => checkEvery(() => after, ['There are still three.'], { ignored: NEWER_IGNORED }));
  });
}

describe('auto mode, where the API checks each call', () => {
  let observation: Observation;

  beforeAll(async () => {
    const other = addProject({ 'numbers.txt': NUMBERS });
    const loop = turnRule(
      'Make a copy',
      [use('toolu_make', 'Bash', { command: 'cp numbers.txt made.txt', description: 'Makes a copy' })],
      [text('It is made.')],
    );
    const tool_uses = { toolu_make: { type: 'evaluated', outcome: 'not_flagged' } };
    const delta = { safeguard_results: [{ type: 'dangerous_tool_use', status: { type: 'available', tool_uses } }] };
    stage().script((request) => {
      const reply = loop(request);
      return reply && { ...reply, delta };
    });
    observation = await stage().observe(() =>
      other.run(['Make a copy', '--permission-mode', 'auto'], 'claude-sonnet-5-5'),
    );
    made = other.read('made.txt');
  });
  let made: string;

  it('Claude Code asked the API to check, and the model’s API got that as it was', () => {
    const sent = observation.exchanges.map(({ body }) => body.safeguards);
    expect(sent).toMatchObject(Array(2).fill([{ type: 'dangerous_tool_use' }]));
    expect(requests(observation).map(({ safeguards }) => safeguards)).toEqual(sent);
  });
  it('the API’s word was enough: the command ran, no model was asked about it, and nothing is amiss', () => {
    expect(made).toBe(NUMBERS);
    expect(observation.exchanges).toHaveLength(2);
    expect(observation.run.stderr).toBe('');
  });
  checkEvery(() => observation, ['It is made.'], { ignored: [...NEWER_IGNORED, 'anthropic-beta:afk-mode-2026-01-31'] });
});

/** Models to which Claude Code sends `role: "system"` messages; the first gets an effort in them, the second one behind every user turn. */
const OF_SYSTEM_MESSAGES = [
  { model: 'claude-opus-5-5', ignored: ['anthropic-beta:per-turn-control-2026-07-01'] },
  { model: 'claude-opus-5', ignored: [] },
];
for (const { model, ignored } of toPlay(OF_SYSTEM_MESSAGES, ({ model }) => model === 'claude-opus-5-5')) {
  describe(`system messages inside a conversation, ${model}`, () => {
    const ignoredHere = [...IGNORED, 'anthropic-beta:mid-conversation-tool-changes-2026-07-01', ...ignored];
    let loop: Observation;
    let subagent: Observation;
    let image: Observation;
    let compaction: Observation;
    let after: Observation;

    beforeAll(async () => {
      const other = addProject({ 'numbers.txt': NUMBERS, 'dot.png': Buffer.from(DOT, 'base64') });
      const run = (args: string[], pacing?: Pacing) =>
        stage().observe(() => other.run([...args, ...ALLOWED], model), pacing);
      stage().script(
        summaryRule('There are three numbers – 数.'),
        turnRule(
          'Count the numbers',
          [text('I read.'), use('toolu_read', 'Read', { file_path: other.path('numbers.txt') })],
          [
            use('toolu_list', 'Bash', { command: 'ls', description: 'Lists the files' }),
            use('toolu_count', 'Bash', { command: 'grep -c "" numbers.txt; exit 3', description: 'Counts the lines' }),
          ],
          [text('There are three.')],
        ),
        ...subagentRules(other),
        turnRule(
          'Look at the dot',
          [use('toolu_look', 'Read', { file_path: other.path('dot.png') })],
          [text('It is a dot.')],
        ),
        turnRule('Count once more', [text('There are still three.')]),
      );
      loop = await run(['Count the numbers']);
      subagent = await run(['Delegate the counting', '--continue'], meetAtTheGateway);
      image = await run(['Look at the dot', '--continue', '--effort', 'low']);
      compaction = await run(['/compact', '--continue']);
      after = await run(['Count once more', '--continue']);
    });

    const systemMessages = ({ body }: Exchange) => body.messages.filter(({ role }) => role === 'system');

    it('Claude Code sent them in every request', () => {
      for (const { exchanges } of [loop, subagent, image, compaction, after]) {
        expect(exchanges.map((exchange) => systemMessages(exchange).length)).not.toContain(0);
      }
    });
    it('the model saw none of them', () => {
      const roles = [loop, subagent, image, compaction, after].flatMap((observation) =>
        requests(observation).flatMap(({ messages }) => messages.map(({ role }) => role)),
      );
      expect(new Set(roles)).toEqual(new Set(['user', 'assistant']));
    });
    it('one behind tool results is at the end of the last of them', () => {
      for (const [index, { body }] of subagent.exchanges.entries()) {
        const [results, system] = body.messages.slice(-2);
        if (system?.role !== 'system' || !JSON.stringify(results).includes('tool_result')) continue;
        const seen = subagent.pairs.find((pair) => pair.sent === subagent.expected[index])?.seen;
        const [text] = blocksOf(system.content).map((block) => `<system-reminder>\n${block.text}\n</system-reminder>`);
        const newest = seen?.messages.at(-1)?.content;
        expect(blocksOf(newest).map(({ type }) => type)).toEqual(['tool_result']);
        expect(JSON.stringify(newest)).toContain(JSON.stringify(`\n\n${text}`).slice(1, -1));
      }
      expect.hasAssertions();
    });
    it('paths: as without them', () => {
      expect([loop, image, compaction, after].map(({ exchanges }) => exchanges.map(pathOf))).toEqual([
        ['start', 'continue', 'continue'],
        ['continue', 'rewind'],
        ['rewind'],
        [REPLAY],
      ]);
      expect(pathsByAgent(subagent)).toEqual(SUBAGENT_PATHS);
    });
    describe('a tool loop', () => checkEvery(() => loop, ['There are three.'], { ignored: ignoredHere }));
    describe('a subagent', () => checkEvery(() => subagent, SUBAGENT_RESULTS, { ignored: ignoredHere }));
    describe('an image, with another effort', () =>
      checkEvery(() => image, ['It is a dot.'], { ignored: ignoredHere }));
    describe('/compact', () =>
      checkEvery(() => compaction, [''], {
        ignored: [...ignoredHere, 'anthropic-beta:fallback-credit-2026-06-01'],
        shows: false,
      }));
    describe('after it', () => checkEvery(() => after, ['There are still three.'], { ignored: ignoredHere }));
  });
}

describe('the comparison itself notices, when it is not declared,', () => {
  const cases: Array<[string, AspectName, string]> = [
    ['a lost tool', 'tools', 'tools.N'],
    ['a lost field of the body', 'parameters', 'context_management'],
  ];
  it.each(cases)('%s', (_name, aspect, lost) => {
    const [exchange] = secondRun.exchanges;
    const [pair] = secondRun.pairs;
    if (!exchange || !pair) throw new Error('the second run has no request');
    const declared = ignoredFields(exchange.answerHeaders).filter((path) => withoutNumber(path) !== lost);
    const sent = asDeclared(exchange.body, { 'isthmus-ignored': declared.join(', ') });
    expect(compare(aspect, { sent, seen: pair.seen })).not.toEqual([]);
  });
});

/** The calls of the conversation that goes on through the scenarios, up to the restart of the gateway. */
const EARLIER_CALLS = ['toolu_read', 'toolu_copy', 'toolu_count', 'toolu_remove', 'toolu_agent', 'toolu_look'];

/** Answers what Claude Code asks for `/compact`; it goes before other rules, because the history's end is in that request too. */
function summaryRule(summary: string): RuleFunction {
  return turnRule('Your task is to create a detailed summary', [
    text(`<analysis>What matters are the numbers.</analysis>\n<summary>${summary}</summary>`),
  ]);
}

/** A main agent that delegates and is told when its subagent is done, and the subagent, which reads a file. */
function subagentRules(own: ClaudeCodeProject): RuleFunction[] {
  return [
    turnRule(
      'Delegate the counting',
      [
        text('An agent shall do it.'),
        // As the gateway declares it to the model.
        use('toolu_agent', 'Agent_', {
          description: 'Counts the numbers',
          prompt: 'Open the list and count.',
          subagent_type: 'general-purpose',
        }),
      ],
      [text('It is at work.')],
    ),
    turnRule('<task-notification>', [text('The agent found three.')]),
    turnRule(
      'Open the list and count.',
      [use('toolu_agent_read', 'Read', { file_path: own.path('numbers.txt') })],
      [text('I counted three of them.')],
    ),
  ];
}

/** What `claude` says when it has delegated, and when it is told the outcome. */
const SUBAGENT_RESULTS = ['It is at work.', 'The agent found three.'];
/** The main agent's conversation goes on; the subagent's begins. */
const SUBAGENT_PATHS = { main: ['continue', 'continue', 'continue'], subagent: ['start', 'continue'] };

function addProject(files: Files): ClaudeCodeProject {
  return stage().add(new ClaudeCodeProject(stage().url, files));
}

/** Runs `claude -p` with a prompt in the project of most scenarios. */
function observe(prompt: string, ...flags: string[]): Promise<Observation> {
  return stage().observe(() => project.run([prompt, ...flags, ...ALLOWED], MODEL));
}

/** Lets the subagent's first request and the main agent's second one go to the gateway only when both have come. */
const meetAtTheGateway: Pacing = async (_exchange, exchanges) => {
  const count = (ofSubagent: boolean) => exchanges().filter(({ body }) => isOfSubagent(body) === ofSubagent).length;
  if (exchanges().length > 1) {
    await until('both agents have asked', () => count(false) > 1 && count(true) > 0, 60_000);
  }
};

/**
 * The checks that hold in every scenario.
 *
 * @param results what `claude` has to say at the end of each turn
 * @param options.ignored what the gateway declares as not acted on, at most
 * @param options.shows whether `claude` shows the model's answers
 */
function checkEvery(
  observation: () => Observation,
  results: string[],
  { ignored = IGNORED, shows = true }: { ignored?: string[]; shows?: boolean } = {},
): void {
  it('claude ends with exit code 0', () => {
    const { code, stdout, stderr } = observation().run;
    expect(code, stdout + stderr).toBe(0);
  });
  it('claude says what the model said last', () => {
    expect(outcomes(observation().run)).toEqual(results);
  });
  it(`claude showed ${shows ? 'every answer that it got, block for block' : 'no answer'}`, () => {
    const { run, exchanges } = observation();
    const answers = exchanges.map(({ events }): [string, ContentBlock[]] => {
      const { id, content } = foldMessage(events);
      return [String(id), content];
    });
    expect(shownAnswers(run)).toEqual(new Map(shows ? answers : []));
  });
  it('the gateway acts on all but what is known', () => {
    for (const { answerHeaders } of observation().exchanges) {
      expect(
        ignoredFields(answerHeaders)
          .map(withoutNumber)
          .filter((field) => !ignored.includes(field)),
      ).toEqual([]);
    }
  });
  // It warms the connection up with a request whose answer it does not look at.
  checkEveryRequest('Claude Code', '/v1/messages?beta=true', ['HEAD /api/hello'], stage, observation);
}

/** The session that a run was of. */
function sessionOf({ run }: Observation): string {
  return String(run.events.at(-1)?.session_id);
}

/** The requests that the model saw, in order. */
function requests({ seen }: Observation): ModelRequest[] {
  return seen.map(({ body }) => body);
}

function mainRequests(observation: Observation): ModelRequest[] {
  return requests(observation).filter((request) => !isOfSubagent(request));
}

/** A path that does not say which tool or message it is. */
function withoutNumber(path: string): string {
  return path.replace(/^(tools|messages)\.(\d+|\*)(?=\.|$)/, '$1.N');
}

/** Which way the turns of each agent took. */
function pathsByAgent({ exchanges }: Observation): { main: unknown[]; subagent: unknown[] } {
  const paths = (ofSubagent: boolean) => exchanges.filter(({ body }) => isOfSubagent(body) === ofSubagent).map(pathOf);
  return { main: paths(false), subagent: paths(true) };
}

/** The data of every image in a request, in tool results too. */
function imagesIn(request: ModelRequest | undefined): string[] {
  const inBlocks = (blocks: ContentBlock[]): string[] =>
    blocks.flatMap((block) => {
      if (block.type === 'image') return [(block.source as { data: string }).data];
      return block.type === 'tool_result' ? inBlocks(block.content as ContentBlock[]) : [];
    });
  return request ? comparableMessages(request).flatMap(({ content }) => inBlocks(content)) : [];
}
