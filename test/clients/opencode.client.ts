import { beforeAll, describe, expect, it } from 'vitest';
import type { ContentBlock, ModelRequest } from '../../scripted-model/script.ts';
import { checkEveryRequest, onStage, REPLAY } from './checks.ts';
import {
  type AspectName,
  allTexts,
  blocksOf,
  comparableMessages,
  compare,
  outline,
  pairUp,
  systemTexts,
  toolResults,
} from './comparison.ts';
import { isTitle, OpenCodeProject, observe, titleRule } from './opencode.ts';
import type { ClientRun, Files } from './project.ts';
import { text, turnRule, use } from './rules.ts';
import { type Observation as AnyObservation, pathOf } from './stage.ts';

type Observation = AnyObservation<ClientRun>;

const NUMBERS = 'one\ntwo\nGröße 数 🌊\n';
const TITLE = 'Numbers put right';

const stage = onStage();

/** The project and the observations of the conversation that goes on through several scenarios. */
let project: OpenCodeProject;
let firstTurn: Observation;
let secondTurn: Observation;

describe('a tool loop', () => {
  beforeAll(async () => {
    project = addProject({ 'numbers.txt': NUMBERS, 'README.md': 'A list of numbers.\n' });
    const filePath = project.path('numbers.txt');
    stage().script(
      titleRule(text(TITLE)),
      turnRule(
        'Put the second',
        [text('First I read the file – all of it.'), use('toolu_read', 'read', { filePath })],
        [use('toolu_edit', 'edit', { filePath, oldString: 'two', newString: 'zwölf "12" \\ 🌊' })],
        [
          text('Now two commands at once.'),
          use('toolu_copy', 'bash', { command: 'cat numbers.txt > copy.txt', description: 'Copies the file' }),
          use('toolu_count', 'bash', { command: 'grep -c "" numbers.txt; exit 3', description: 'Counts the lines' }),
        ],
        [text('The second line is put right.')],
      ),
    );
    firstTurn = await observe(stage(), project, ['run', 'Put the second number right']);
  });

  it('opencode ends with exit code 0', () => {
    expect(firstTurn.run.code, firstTurn.run.stderr).toBe(0);
  });
  it('opencode prints the final text', () => {
    expect(lastLine(firstTurn.run.stdout)).toBe('The second line is put right.');
  });
  it('the edit is on disk', () => {
    expect(project.read('numbers.txt')).toBe('one\nzwölf "12" \\ 🌊\nGröße 数 🌊\n');
  });
  it('the shell command ran', () => {
    expect(project.read('copy.txt')).toBe(project.read('numbers.txt'));
  });
  it('the model saw what each tool returned', () => {
    const results = toolResults(mainRequests(firstTurn).at(-1));
    expect(results.map(({ tool_use_id }) => tool_use_id)).toEqual([
      'toolu_read',
      'toolu_edit',
      'toolu_copy',
      'toolu_count',
    ]);
    const [read, edit, , count] = results.map((block) => JSON.stringify(block.content));
    expect(read).toContain('2: two\\n3: Größe 数 🌊');
    expect(edit).toContain('success');
    expect(count).toContain('3');
  });
  it('one title request, four main ones', () => {
    expect(firstTurn.exchanges.map(({ body }) => isTitle(body)).sort()).toEqual([false, false, false, false, true]);
  });
  it('paths: start, then continue for every follow-up', () => {
    expect(mainPaths(firstTurn)).toEqual(['start', 'continue', 'continue', 'continue']);
  });
  checkEvery(() => firstTurn);
});

describe('a title request beside the main one', () => {
  let observation: Observation;
  let storedTitles: string[];

  beforeAll(async () => {
    const other = addProject({ 'greeting.txt': 'hello\n' });
    stage().script(
      titleRule({ type: 'thinking', thinking: 'A short title is best.' }, text('Greeting in capitals')),
      turnRule(
        'Print the greeting',
        [use('toolu_capitals', 'bash', { command: 'tr a-z A-Z < greeting.txt', description: 'Prints in capitals' })],
        [text('It was printed in capitals.')],
      ),
    );
    observation = await observe(stage(), other, ['run', 'Print the greeting in capitals'], { together: true });
    const list = await other.run('session', 'list', '--format', 'json');
    storedTitles = (JSON.parse(list.stdout) as Array<{ title: string }>).map(({ title }) => title);
  });

  it('opencode ends with exit code 0', () => {
    expect(observation.run.code, observation.run.stderr).toBe(0);
  });
  it('opencode prints the main answer', () => {
    expect(lastLine(observation.run.stdout)).toBe('It was printed in capitals.');
  });
  it('opencode keeps the title that the model gave', () => {
    expect(storedTitles).toEqual(['Greeting in capitals']);
  });
  it('the model saw one title request and two main ones', () => {
    expect(observation.seen.map(({ body }) => isTitle(body)).sort()).toEqual([false, false, true]);
  });
  it('nothing of the title request is in the main conversation', () => {
    const { title, main } = ownTexts(observation);
    expect(title).toContain('Generate a title for this conversation:\n');
    expect(mainRequests(observation)).toHaveLength(2);
    for (const request of mainRequests(observation))
      expect(found(['Greeting in capitals', ...title], request)).toEqual([]);
    expect(main).not.toEqual([]);
  });
  it('nothing of the main conversation is in the title request', () => {
    const { main } = ownTexts(observation);
    expect(main).toContain('toolu_capitals');
    const seen = observation.seen.map(({ body }) => body).filter(isTitle);
    expect(seen).toHaveLength(1);
    for (const request of seen) expect(found(['It was printed in capitals.', ...main], request)).toEqual([]);
  });
  it('paths: start for both, then continue', () => {
    expect(paths(observation, true)).toEqual(['start']);
    expect(mainPaths(observation)).toEqual(['start', 'continue']);
  });
  checkEvery(() => observation);
});

describe('a second turn with --continue', () => {
  beforeAll(async () => {
    stage().script(
      turnRule(
        'Remove the copy',
        [use('toolu_remove', 'bash', { command: 'rm copy.txt && ls', description: 'Removes the copy' })],
        [text('The copy is gone.')],
      ),
    );
    secondTurn = await observe(stage(), project, ['run', '--continue', 'Remove the copy again']);
  });

  it('opencode ends with exit code 0', () => {
    expect(secondTurn.run.code, secondTurn.run.stderr).toBe(0);
  });
  it('opencode prints the final text', () => {
    expect(lastLine(secondTurn.run.stdout)).toBe('The copy is gone.');
  });
  it('the model saw the first turn as it ended, block for block, and the new prompt after it', () => {
    const before = mainRequests(firstTurn).at(-1);
    const [now] = mainRequests(secondTurn);
    expect(before && now && comparableMessages(now)).toEqual([
      ...(before ? comparableMessages(before) : []),
      { role: 'assistant', content: [text('The second line is put right.')] },
      { role: 'user', content: [text('"Remove the copy again"')] },
    ]);
  });
  it('that history has its tool_use and tool_result blocks', () => {
    expect(mainRequests(secondTurn).map(outline)).toEqual([SECOND_TURN, [...SECOND_TURN, ...ONE_CALL]]);
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
      turnRule(
        'Say what is left',
        [use('toolu_list', 'bash', { command: 'ls', description: 'Lists the files' })],
        [text('Two files are left.')],
      ),
    );
    observation = await observe(stage(), project, ['run', '--continue', 'Say what is left']);
  });

  it('opencode ends with exit code 0', () => {
    expect(observation.run.code, observation.run.stderr).toBe(0);
  });
  it('opencode prints the final text', () => {
    expect(lastLine(observation.run.stdout)).toBe('Two files are left.');
  });
  it('the model saw both earlier turns with their tool_use and tool_result blocks', () => {
    const thirdTurn = [...SECOND_TURN, ...ONE_CALL, 'assistant: text', 'user: text'];
    expect(mainRequests(observation).map(outline)).toEqual([thirdTurn, [...thirdTurn, ...ONE_CALL]]);
  });
  it('paths: replay, then continue', () => {
    expect(observation.exchanges.map(pathOf)).toEqual([REPLAY, 'continue']);
  });
  checkEvery(() => observation);
});

describe('a variant that thinks, and a call of a tool that OpenCode does not have', () => {
  let observation: Observation;
  const thinking = { type: 'thinking', thinking: 'It has to be read first.' } as const;

  beforeAll(async () => {
    const other = addProject({ 'greeting.txt': 'hello\n' });
    stage().script(
      titleRule(text('Greeting read')),
      turnRule(
        'Think and read',
        [thinking, text('I read.'), use('toolu_read', 'read', { filePath: other.path('greeting.txt') })],
        [thinking, use('toolu_unknown', 'reed', { filePath: 'greeting.txt' })],
        [thinking, text('It says hello.')],
      ),
    );
    observation = await observe(stage(), other, ['run', '--variant', 'high', 'Think and read the greeting']);
  });

  it('opencode ends with exit code 0, and prints the final text', () => {
    expect(observation.run.code, observation.run.stderr).toBe(0);
    expect(lastLine(observation.run.stdout)).toBe('It says hello.');
  });
  it('the model was asked to think as OpenCode asked for it', () => {
    const main = observation.exchanges.map(({ body }) => body).filter((body) => !isTitle(body));
    const settings = ({ thinking, max_tokens }: ModelRequest) => ({ thinking, max_tokens });
    expect(main.map(settings)).toEqual(mainRequests(observation).map(settings));
    for (const body of main) expect(body.thinking).toMatchObject({ type: 'enabled' });
  });
  it('the model saw its thinking again, with its signature', () => {
    const seen = mainRequests(observation)
      .at(-1)
      ?.messages.flatMap(({ content }) => blocksOf(content))
      .filter(({ type }) => type === 'thinking');
    expect(seen).toEqual(Array(2).fill({ ...thinking, signature: expect.stringMatching(/^sig-/) }));
  });
  it('the model was told that there is no such tool', () => {
    const [, result] = toolResults(mainRequests(observation).at(-1));
    expect([result?.tool_use_id, JSON.stringify(result?.content)]).toEqual([
      'toolu_unknown',
      expect.stringContaining('reed'),
    ]);
  });
  it('paths: replay behind the call that OpenCode gave another name', () => {
    expect(mainPaths(observation)).toEqual(['start', 'continue', REPLAY]);
  });
  checkEvery(() => observation);
});

describe('the comparison itself notices', () => {
  const cases: Array<[string, AspectName, (seen: ModelRequest) => void]> = [
    ['a changed character in a tool result', 'messages', (seen) => changeLast(resultIn(seen, 0))],
    ['a tool result that lost its error flag or got one', 'messages', (seen) => toggleError(resultIn(seen, 1))],
    ['two tool results in another order', 'messages', (seen) => contentOf(seen, 6).reverse()],
    ['another tool_use id', 'messages', (seen) => Object.assign(contentOf(seen, 3)[0] ?? {}, { id: 'toolu_other' })],
    ['another tool input', 'messages', (seen) => Object.assign(contentOf(seen, 3)[0] ?? {}, { input: {} })],
    ['a lost block', 'messages', (seen) => contentOf(seen, 5).shift()],
    ['an added block', 'messages', (seen) => contentOf(seen, 8).push({ type: 'text', text: 'A reminder.' })],
    ['two blocks joined to one', 'messages', (seen) => contentOf(seen, 6).splice(0, 2, { type: 'text', text: 'both' })],
    ['a lost turn', 'messages', (seen) => seen.messages.splice(1, 2)],
    ['a lost newest message', 'messages', (seen) => seen.messages.pop()],
    ['a changed system prompt', 'system prompt', (seen) => changeLast(systemOf(seen).at(-1))],
    [
      'a block behind the system prompt',
      'system prompt',
      (seen) => systemOf(seen).push({ type: 'text', text: 'More.' }),
    ],
    ['a lost tool', 'tools', (seen) => seen.tools?.pop()],
    ['another tool name', 'tools', (seen) => Object.assign(seen.tools?.[0] ?? {}, { name: 'other' })],
    ['a changed tool description', 'tools', (seen) => Object.assign(seen.tools?.[0] ?? {}, { description: 'Other.' })],
    ['a changed tool schema', 'tools', (seen) => Object.assign(seen.tools?.[0] ?? {}, { input_schema: {} })],
    ['another model', 'parameters', (seen) => Object.assign(seen, { model: 'claude-other' })],
    ['another max_tokens', 'parameters', (seen) => Object.assign(seen, { max_tokens: 1 })],
    ['a lost tool_choice', 'parameters', (seen) => Object.assign(seen, { tool_choice: undefined })],
    [
      'thinking that was not asked for',
      'parameters',
      (seen) => Object.assign(seen, { thinking: { type: 'adaptive' } }),
    ],
  ];
  it.each(cases)('%s', (_name, aspect, tamper) => {
    // From what was sent, so that these checks say something even when the gateway is at fault.
    const [sent] = secondTurn.exchanges.map(({ body }) => body);
    if (!sent) throw new Error('the second turn has no request');
    const own = ['Of the SDK.', 'Of Claude Code.'];
    const system = [...own, ...systemTexts(sent)].map((text) => ({ type: 'text', text }));
    const seen: ModelRequest = { ...structuredClone(sent), system };
    expect(compare(aspect, { sent, seen })).toEqual([]);
    tamper(seen);
    expect(compare(aspect, { sent, seen })).not.toEqual([]);
  });

  it('a request that never came to the model', () => {
    const sent = secondTurn.exchanges.map(({ body }) => body);
    expect(pairUp(sent, []).length).not.toBe(sent.length);
  });
});

const SECOND_TURN = [
  'user: text',
  'assistant: text tool_use',
  'user: tool_result',
  'assistant: tool_use',
  'user: tool_result',
  'assistant: text tool_use tool_use',
  'user: tool_result tool_result',
  'assistant: text',
  'user: text',
];
const ONE_CALL = ['assistant: tool_use', 'user: tool_result'];

function addProject(files: Files): OpenCodeProject {
  return stage().add(new OpenCodeProject(stage().url, files));
}

function checkEvery(observation: () => Observation): void {
  checkEveryRequest('OpenCode', '/v1/messages', [], stage, observation);
}

function lastLine(output: string): string | undefined {
  return output.trimEnd().split('\n').at(-1);
}

/** The main requests that the model saw, in order. */
function mainRequests({ seen }: Observation): ModelRequest[] {
  return seen.map(({ body }) => body).filter((body) => !isTitle(body));
}

function paths({ exchanges }: Observation, ofTitles: boolean): unknown[] {
  return exchanges.filter(({ body }) => isTitle(body) === ofTitles).map(pathOf);
}

function mainPaths(observation: Observation): unknown[] {
  return paths(observation, false);
}

/** What OpenCode sent in its title request alone, and in its main requests alone. */
function ownTexts({ exchanges }: Observation): { title: string[]; main: string[] } {
  const textsOf = (ofTitles: boolean) =>
    new Set(exchanges.filter(({ body }) => isTitle(body) === ofTitles).flatMap(({ body }) => [...allTexts(body)]));
  const [title, main] = [textsOf(true), textsOf(false)];
  return { title: [...title].filter((one) => !main.has(one)), main: [...main].filter((one) => !title.has(one)) };
}

/** Those texts that occur anywhere in a request. */
function found(texts: string[], request: ModelRequest): string[] {
  const present = [...allTexts(request)];
  return texts.filter((one) => present.some((other) => other.includes(one)));
}

/** A message's blocks, to be changed in place. */
function contentOf(request: ModelRequest, index: number): ContentBlock[] {
  const content = request.messages[index]?.content;
  if (!Array.isArray(content)) throw new Error(`message ${index} has no list of blocks`);
  return content;
}

/** A tool_result block by its number in the request. */
function resultIn(request: ModelRequest, number: number): ContentBlock {
  const results = request.messages
    .flatMap(({ content }) => (Array.isArray(content) ? content : []))
    .filter(({ type }) => type === 'tool_result');
  const result = results[number];
  if (!result) throw new Error(`there is no tool result ${number}`);
  return result;
}

function systemOf({ system }: ModelRequest): Array<{ type: string; text?: string }> {
  if (!Array.isArray(system)) throw new Error('the system prompt is no list of blocks');
  return system;
}

/** Changes the last character of a text block, or of a tool result. */
function changeLast(block: { type: string; text?: unknown; content?: unknown } | undefined): void {
  const changed = (text: unknown) => `${String(text).slice(0, -1)}#`;
  if (typeof block?.text === 'string') block.text = changed(block.text);
  else if (typeof block?.content === 'string') block.content = changed(block.content);
  else throw new Error('there is no text to change');
}

function toggleError(block: ContentBlock): void {
  block.is_error = block.is_error !== true;
}
