import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContentBlock, ModelRequest } from '../../scripted-model/script.ts';
import type { ClientApi } from '../../src/clients/client.ts';
import { onStage, REPLAY, toPlay } from './checks.ts';
import { blocksOf, compare, toolResults } from './comparison.ts';
import { readHostileFiles, textsOfHostileFiles } from './hostile-files.ts';
import { launchedProject, launchThere } from './launch-there.ts';
import { cline, continueCli, droid, Elsewhere, kilo, type LaunchedClient, openCode, pi, qwenCode } from './launched.ts';
import { isTitle, titleRule } from './opencode.ts';
import type { ClientRun, Project } from './project.ts';
import { memoryRule } from './qwen-code.ts';
import type { Exchange } from './recording-proxy.ts';
import { text, thinking, turnRule, use } from './rules.ts';
import { type Observation, pathOf, pathsOf } from './stage.ts';

/** Clients that speak the Messages API as well: one conversation over each of OpenAI's APIs, launched without a change to their files. */

const PROMPT = 'What stands in the readme?';
const LATER = 'And how many words are that?';
const PICTURE = 'Which colour is the dot?';
const DOT = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const FILE = 'Six times seven – 数.';

/** How a client has one conversation without a terminal. */
interface Talk {
  client: LaunchedClient;
  apis: readonly ClientApi[];
  /** Whether it is walked every day; so it is, unless this is false: it has a twin, which is. */
  isEveryday?: boolean;
  /** Arguments for the first turn. */
  begin(prompt: string): string[];
  /** Arguments for one more turn of that conversation; absent for a client that goes on in a terminal alone, or signed in. */
  goOn?(prompt: string): string[];
  /** The path of that turn, where it is not `continue`. */
  laterPath?: unknown;
  /** Arguments for a turn about a picture. */
  look?(prompt: string, picture: string): string[];
  /** What of each of its requests is left out and declared, for an API; nothing where it is absent. */
  ignored?: { [api in ClientApi]?: string };
  /** Tools that Claude Code has, too: the model has them with a stroke behind the name. */
  renamed?: readonly string[];
  /** Its tool that reads a file, and what it is called with. */
  read(path: string): [name: string, input: unknown];
}

const BOTH: readonly ClientApi[] = ['chat', 'responses'];
const TALKS: readonly Talk[] = [
  {
    client: openCode,
    apis: BOTH,
    begin: (prompt) => ['run', prompt],
    goOn: (prompt) => ['run', '--continue', prompt],
    look: (prompt, picture) => ['run', prompt, '--file', picture],
    read: (filePath) => ['read', { filePath }],
  },
  {
    client: kilo,
    apis: BOTH,
    isEveryday: false,
    begin: (prompt) => ['run', prompt],
    goOn: (prompt) => ['run', '--continue', prompt],
    read: (filePath) => ['read', { filePath }],
  },
  {
    client: qwenCode,
    apis: BOTH,
    begin: (prompt) => ['--yolo', prompt],
    goOn: (prompt) => ['--yolo', '--continue', prompt],
    // It changes its reminders.
    laterPath: REPLAY,
    read: (file_path) => ['read_file', { file_path }],
  },
  {
    client: pi,
    apis: BOTH,
    begin: (prompt) => ['-p', prompt],
    goOn: (prompt) => ['-p', '--continue', prompt],
    look: (prompt, picture) => ['-p', `@${picture}`, prompt],
    read: (path) => ['read', { path }],
  },
  {
    client: cline,
    apis: BOTH,
    begin: (prompt) => [prompt],
    // Web search, pictures that OpenAI makes, and the sources of that search.
    ignored: { responses: 'truncation, tools.0, tools.1, include.0' },
    read: (path) => ['read_files', { files: [{ path }] }],
  },
  {
    client: continueCli,
    apis: ['chat'],
    begin: (prompt) => ['--auto', '-p', prompt],
    goOn: (prompt) => ['--auto', '--resume', '-p', prompt],
    read: (filepath) => ['Read', { filepath }],
  },
  {
    // It waits at its end for what it tells Factory.
    client: { ...droid, variables: (url) => ({ ...droid.variables(url), FACTORY_AIRGAP_ENABLED: '1' }) },
    apis: BOTH,
    begin: (prompt) => ['exec', prompt],
    renamed: ['Skill', 'ToolSearch'],
    read: (file_path) => ['Read', { file_path }],
  },
];

const stage = onStage();
let elsewhere: Elsewhere;

beforeAll(async () => {
  elsewhere = await Elsewhere.start();
});

afterAll(() => elsewhere?.close());

const ROWS = toPlay(TALKS, ({ isEveryday = true }) => isEveryday).flatMap((talk) =>
  talk.apis.map((api) => {
    // Of a client on both APIs one has the whole conversation every day, the other its loop of tools.
    const [whole] = toPlay([talk], () => api === talk.apis.at(-1));
    return { ...talk, api, name: talk.client.name, goOn: whole?.goOn, look: whole?.look };
  }),
);

describe.each(ROWS)(
  '$name with $api',
  ({ client, api, begin, goOn, laterPath = 'continue', look, ignored, renamed = [], read }) => {
    const runs: Observation<ClientRun>[] = [];
    const exchanges = () => runs.flatMap((run) => run.exchanges);
    let project: Project;

    beforeAll(async () => {
      project = launchedProject(stage(), client, elsewhere, {
        'readme.md': FILE,
        'dot.png': Buffer.from(DOT, 'base64'),
      });
      const [name, input] = read(project.path('readme.md'));
      stage().script(
        memoryRule,
        titleRule(text('A title.')),
        turnRule(PICTURE, [text('Black.')]),
        turnRule(LATER, [text('Three.')]),
        turnRule(
          PROMPT,
          [text('I look.'), text(' Twice.'), use('toolu_one', name, input)],
          [use('toolu_two', name, input), use('toolu_three', name, input)],
          [text('A sum.')],
        ),
      );
      const turns = [begin(PROMPT), goOn?.(LATER), look?.(PICTURE, project.path('dot.png'))];
      for (const args of turns) {
        if (args === undefined) continue;
        const flags = ['--api', api];
        const place = { stage: stage(), client, project, elsewhere };
        runs.push(await stage().observe(() => launchThere(place, args, flags)));
      }
    });

    it('answers, and ends well', () => {
      const answers = ['A sum.', ...(goOn ? ['Three.'] : []), ...(look ? ['Black.'] : [])];
      expect(runs.map(({ run }) => [run.stdout, run.code])).toEqual(
        answers.map((answer) => [expect.stringContaining(answer), 0]),
      );
    });
    it('speaks that API alone, and each request is one model call', () => {
      const route = api === 'chat' ? '/v1/chat/completions' : '/v1/responses';
      expect(new Set(exchanges().map(({ path }) => path))).toEqual(new Set([route]));
      expect(runs.flatMap(({ seen }) => seen)).toHaveLength(exchanges().length);
    });
    it.each(['messages', 'system prompt', 'tools'] as const)('%s: the model saw what it sent', (aspect) => {
      // Of one answer many send their texts back in one: a live process goes on with its own.
      const pairs = runs.flatMap((run) =>
        run.pairs.map(({ sent, seen }) => ({ sent: joined(sent), seen: joined(seen) })),
      );
      expect(pairs).toHaveLength(exchanges().length);
      for (const tool of pairs.flatMap(({ seen }) => seen.tools ?? [])) {
        if (renamed.includes(tool.name.slice(0, -1))) tool.name = tool.name.slice(0, -1);
      }
      expect([...new Set(pairs.flatMap((pair) => compare(aspect, pair)))]).toEqual([]);
    });
    it('its tools have run, and their results have reached the model', () => {
      const results = toolResults(runs[0]?.seen.at(-1)?.body);
      expect(results.map(({ tool_use_id }) => tool_use_id)).toEqual(['toolu_one', 'toolu_two', 'toolu_three']);
      // Qwen Code says of what it has read before that it has read it.
      expect(JSON.stringify(results[0])).toContain(FILE);
    });
    it('goes on in the live process', () => {
      const [first, second] = runs.map((run) => pathsOf({ exchanges: run.exchanges.filter(isOfTheTurn) }));
      expect(first).toEqual(['start', 'continue', 'continue']);
      if (goOn) expect(second).toEqual([laterPath]);
    });
    it('what is left out of its requests is declared, and nothing else', () => {
      const told = exchanges().map(({ answerHeaders }) => answerHeaders['isthmus-ignored']);
      expect([...new Set(told)]).toEqual([ignored?.[api]]);
      expect(exchanges().flatMap(({ answerHeaders }) => answerHeaders['isthmus-converted'] ?? [])).toEqual([]);
    });
    if (look) {
      it('its picture has reached the model', () => {
        const newest = runs.at(-1)?.seen.map(({ body }) => JSON.stringify(body.messages)) ?? [];
        expect(newest.filter((messages) => messages.includes(DOT))).not.toEqual([]);
      });
    }
    it('nothing went where the user’s settings lead, and no file of theirs has changed', () => {
      expect(elsewhere.asked).toEqual([]);
      expect(JSON.stringify(exchanges().map(({ headers }) => headers))).not.toContain('theirs');
      const files = client.hostile(elsewhere.url);
      expect(readHostileFiles(project, files)).toEqual(textsOfHostileFiles(project, files));
    });
    it('nothing is left behind', () => {
      expect(runs.map(({ run }) => run.stderr).join('')).not.toContain('left behind');
      expect(readdirSync(project.home).filter((name) => name.startsWith('isthmus-'))).toEqual([]);
    });
  },
);

/** Clients that send back what the model thought, and how they carry it. */
const THINKERS = [
  { client: pi, api: 'chat', carries: '"reasoning_details":[{' },
  { client: pi, api: 'responses', carries: '"encrypted_content":"isthmus1.' },
  // In the same form as pi.
  { client: openCode, api: 'responses', carries: '"encrypted_content":"isthmus1.', isEveryday: false },
  { client: qwenCode, api: 'responses', carries: '"encrypted_content":"isthmus1.', isEveryday: false },
] as const;

describe.each(
  toPlay(
    THINKERS.map((row) => ({ isEveryday: true, ...row, name: row.client.name })),
    ({ isEveryday }) => isEveryday,
  ),
)('thinking of $name with $api', ({ client, api, carries }) => {
  const THOUGHT = 'It has to be read first.';
  let before: Observation<ClientRun>;
  let behind: Observation<ClientRun>;

  beforeAll(async () => {
    const talk = TALKS.find((one) => one.client === client);
    const project = launchedProject(stage(), client, elsewhere, { 'readme.md': FILE });
    const [name, input] = talk?.read(project.path('readme.md')) ?? ['', {}];
    stage().script(
      memoryRule,
      titleRule(text('A title.')),
      turnRule(LATER, [text('Three.')]),
      turnRule(PROMPT, [thinking(THOUGHT), text('I look.'), use('toolu_one', name, input)], [text('A sum.')]),
    );
    const place = { stage: stage(), client, project, elsewhere };
    const play = (args: string[] = []) => stage().observe(() => launchThere(place, args, ['--api', api]));
    before = await play(talk?.begin(PROMPT));
    await stage().restartGateway();
    behind = await play(talk?.goOn?.(LATER));
  });

  it('it carries what the model thought, with its signature', () => {
    expect(JSON.stringify(before.exchanges.at(-1)?.body)).toContain(carries);
  });
  it('behind a restart of the gateway the model has it back, verbatim', () => {
    const [request] = behind.exchanges.flatMap((exchange, at) => (isOfTheTurn(exchange) ? [behind.expected[at]] : []));
    const seen = behind.pairs.find(({ sent }) => sent === request)?.seen;
    const blocks = seen?.messages.flatMap(({ content }) => blocksOf(content)) ?? [];
    const signature = signatureIn(before.exchanges.filter(isOfTheTurn)[0]);
    expect(behind.exchanges.filter(isOfTheTurn).map(pathOf)).toEqual([REPLAY]);
    expect(blocks.filter(({ type }) => type === 'thinking')).toEqual([
      { type: 'thinking', thinking: THOUGHT, signature },
    ]);
  });
});

/** The signature that an answer carries, plain or within what is called encrypted. */
function signatureIn(exchange: Exchange | undefined): string | undefined {
  const answer = exchange?.answer ?? '';
  const [, carried = ''] = /"encrypted_content":"isthmus1\.([\w-]+)"/.exec(answer) ?? [];
  return /"signature":"([^"]+)"/.exec(`${answer}${Buffer.from(carried, 'base64url')}`)?.[1];
}

/** The request, with texts that stand behind each other in an answer as one. */
function joined(request: ModelRequest): ModelRequest {
  const messages = request.messages.map((message) => {
    if (message.role !== 'assistant') return message;
    const content: ContentBlock[] = [];
    for (const block of blocksOf(message.content)) {
      const last = content.at(-1);
      if (last?.type === 'text' && block.type === 'text') last.text = `${last.text}${block.text}`;
      else content.push({ ...block });
    }
    return { ...message, content };
  });
  return { ...request, messages };
}

/** Whether a request is of the conversation, and not of what a client asks beside it. */
function isOfTheTurn({ body }: Exchange): boolean {
  return !isTitle(body) && !JSON.stringify(body).includes('managed memory extraction subagent');
}
