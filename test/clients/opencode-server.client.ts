import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ModelRequest, newestToolResults, newestUserText } from '../../scripted-model/script.ts';
import { until } from '../support/gateway.ts';
import { checkEveryRequest, describeOfAll, onStage, REPLAY } from './checks.ts';
import { blocksOf, comparableMessages, outline, textsOf, toolResults } from './comparison.ts';
import { ODD_INPUTS, ODD_TOOLS_SERVER, RARE_KEYWORDS } from './odd-tools.ts';
import { OpenCodeProject } from './opencode.ts';
import { lastText, OpenCodeServer, type OpenCodeSession, type StoredMessage } from './opencode-server.ts';
import { text, turnRule, use } from './rules.ts';
import { type Observation as AnyObservation, pathOf, pathsOf } from './stage.ts';

type Observation = AnyObservation<StoredMessage>;

const NUMBERS = 'one\ntwo\nGröße 数 🌊\n';
/** One transparent pixel. */
const DOT = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
/** A page without anything on it. */
const PAGE = Buffer.from(
  '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj ' +
    '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n',
).toString('base64');
const stage = onStage();
let project: OpenCodeProject;
let server: OpenCodeServer;

beforeAll(async () => {
  const mcp = { odd: { type: 'local', command: [process.execPath, ODD_TOOLS_SERVER], enabled: true } };
  const files = { 'numbers.txt': NUMBERS, 'dot.png': Buffer.from(DOT, 'base64') };
  project = stage().add(new OpenCodeProject(stage().url, files, { mcp }));
  server = await OpenCodeServer.start(project);
});

afterAll(() => server?.stop());

describe('undo', () => {
  let first: Observation;
  let undone: Observation;
  let broughtBack: Observation;

  beforeAll(async () => {
    script();
    const session = await server.createSession('Undo');
    first = await observe(() => session.prompt('Read the numbers'));
    await observe(() => session.prompt('Say the first'));
    await session.revert(await idOfPrompt(session, 'Say the first'));
    undone = await observe(() => session.prompt('Say the second'));
    await session.revert(await idOfPrompt(session, 'Say the second'));
    await session.unrevert();
    broughtBack = await observe(() => session.prompt('Say the third'));
  });

  it('the model saw what came before the undone message, and the new one in its place', () => {
    expect(newestMessages(undone)).toEqual([...messagesAtTheEnd(first), asked('Say the second')]);
  });
  it('nothing of what was undone is in it', () => {
    for (const part of ['Say the first', 'It is one.']) expect(textsSeen(undone)).not.toContain(part);
  });
  it('after unrevert, the model saw what had been undone again', () => {
    expect(newestMessages(broughtBack)).toEqual([...messagesAtTheEnd(undone), asked('Say the third')]);
  });
  it('paths: rewind behind an undo, continue where an undo was taken back', () => {
    expect([first, undone, broughtBack].map(pathsOf)).toEqual([['start', 'continue'], ['rewind'], ['continue']]);
  });
  describe('before', () => checkEvery(() => first, 'There are three.'));
  describe('with another message', () => checkEvery(() => undone, 'It is two.'));
  describe('taken back', () => checkEvery(() => broughtBack, 'It is Größe 数.'));
});

describe('a fork', () => {
  let first: Observation;
  let both: AnyObservation<StoredMessage[]>;
  let ofPart: Observation;

  beforeAll(async () => {
    script();
    const session = await server.createSession('Fork');
    first = await observe(() => session.prompt('Read the numbers'));
    const fork = await session.fork();
    both = await stage().observe(() => Promise.all([session.prompt('Say the first'), fork.prompt('Say the second')]));
    const part = await session.fork(await idOfPrompt(session, 'Say the first'));
    ofPart = await observe(() => part.prompt('Say the third'));
  });

  it('the model saw one history with two ends', () => {
    expect(both.seen.map(({ body }) => comparableMessages(body)).sort(byEnd)).toEqual([
      [...messagesAtTheEnd(first), asked('Say the first')],
      [...messagesAtTheEnd(first), asked('Say the second')],
    ]);
  });
  it('one goes on in the live process, which goes back for the other one', () => {
    expect(both.exchanges.map(pathOf).sort()).toEqual(['continue', 'rewind']);
  });
  it('the model saw of a fork at an earlier message what came before it', () => {
    expect(newestMessages(ofPart)).toEqual([...messagesAtTheEnd(first), asked('Say the third')]);
    expect(pathsOf(ofPart)).toEqual(['rewind']);
  });
  describe('beside its origin', () => {
    it('opencode keeps both answers apart', () => {
      expect(both.run.map(lastText)).toEqual(['It is one.', 'It is two.']);
    });
    checkEveryRequest('OpenCode', '/v1/messages', [], stage, () => both);
  });
  describe('at an earlier message', () => checkEvery(() => ofPart, 'It is Größe 数.'));
});

describeOfAll('plan mode', () => {
  let planned: Observation;
  let built: Observation;
  let later: Observation;

  beforeAll(async () => {
    script();
    const session = await server.createSession('Plan');
    planned = await observe(() => session.prompt('Read the numbers', { agent: 'plan' }));
    built = await observe(() => session.prompt('Say the first', { agent: 'build' }));
    later = await observe(() => session.prompt('Say the second', { agent: 'build' }));
  });

  it('OpenCode put a reminder behind the prompt, and took it away one turn later', () => {
    const first = ({ exchanges }: Observation) => outline(exchanges.at(0)?.body as ModelRequest)[0];
    expect([planned, built].map(first)).toEqual(['user: text text', 'user: text']);
  });
  it('the model saw the same', () => {
    const first = ({ seen }: Observation) => outline(seen.at(0)?.body as ModelRequest)[0];
    expect([planned, built].map(first)).toEqual(['user: text text', 'user: text']);
  });
  it('paths: rewind where the history has changed', () => {
    expect([planned, built].map(pathsOf)).toEqual([['start', 'continue'], ['rewind']]);
  });
  describe('itself', () => checkEvery(() => planned, 'There are three.'));
  describe('and then the building', () => checkEvery(() => built, 'It is one.'));
  describe('and what goes on after it', () => checkEvery(() => later, 'It is two.'));
});

describeOfAll('a shell command of the user', () => {
  let observation: Observation;
  let later: Observation;

  beforeAll(async () => {
    script();
    const session = await server.createSession('Shell');
    await session.shell('grep -c "" numbers.txt; echo "Größe" >&2');
    observation = await observe(() => session.prompt('Say the first'));
    later = await observe(() => session.prompt('Say the second'));
  });

  it('the model saw it as a call with its result', () => {
    expect(observation.seen.map(({ body }) => outline(body))).toEqual([
      ['user: text', 'assistant: tool_use', 'user: tool_result text'],
    ]);
    expect(JSON.stringify(toolResults(observation.seen[0]?.body)[0]?.content)).toContain('3\\nGröße');
  });
  it('paths: replay, because no process has made that call, then continue', () => {
    expect([observation, later].map(pathsOf)).toEqual([[REPLAY], ['continue']]);
  });
  describe('and the prompt behind it', () => checkEvery(() => observation, 'It is one.'));
  describe('in the history', () => checkEvery(() => later, 'It is two.'));
});

describe('an answer as data', () => {
  let observation: Observation;
  let later: Observation;

  beforeAll(async () => {
    script();
    const session = await server.createSession('Data');
    const schema = { type: 'object', properties: { count: { type: 'number' } }, required: ['count'] };
    observation = await observe(() => session.prompt('Give it as data', { format: { type: 'json_schema', schema } }));
    later = await observe(() => session.prompt('Say the second'));
  });

  it('OpenCode forced a tool, and the model was forced', () => {
    for (const request of [observation.exchanges[0]?.body, observation.seen[0]?.body]) {
      expect(request?.tool_choice).toMatchObject({ type: 'any' });
      expect(request?.tools?.map(({ name }) => name)).toContain('StructuredOutput');
    }
  });
  it('opencode has the data', () => {
    expect(observation.run.info.structured).toEqual({ count: 3 });
  });
  it('paths: start, then replay because the tools have changed', () => {
    expect([observation, later].map(pathsOf)).toEqual([['start'], [REPLAY]]);
  });
  describe('itself', () => checkEvery(() => observation, undefined));
  describe('in the history', () => checkEvery(() => later, 'It is two.'));
});

describe('an image and a PDF', () => {
  let attached: Observation;
  let later: Observation;

  beforeAll(async () => {
    script();
    const session = await server.createSession('Attachments');
    attached = await observe(() =>
      session.prompt([
        { type: 'text', text: 'Look at these' },
        { type: 'file', mime: 'image/png', filename: 'other.png', url: `data:image/png;base64,${DOT}` },
        { type: 'file', mime: 'application/pdf', filename: 'page.pdf', url: `data:application/pdf;base64,${PAGE}` },
      ]),
    );
    later = await observe(() => session.prompt('Say the first'));
  });

  it('the model saw both, and the image that a tool returned', () => {
    const seen = attached.seen.map(({ body }) => outline(body));
    expect(seen).toEqual([
      ['user: text image document'],
      ['user: text image document', 'assistant: tool_use', 'user: tool_result'],
    ]);
    expect(JSON.stringify(toolResults(attached.seen.at(-1)?.body))).toContain(DOT);
    for (const { body } of [...attached.seen, ...later.seen]) expect(JSON.stringify(body)).toContain(PAGE);
  });
  it('paths: replay for the image of the tool, continue behind it', () => {
    expect([attached, later].map(pathsOf)).toEqual([['start', REPLAY], ['continue']]);
  });
  describe('new', () => checkEvery(() => attached, 'I saw all.'));
  describe('in the history', () => checkEvery(() => later, 'It is one.'));
});

describe('subagents side by side', () => {
  let observation: Observation;

  beforeAll(async () => {
    const task = (id: string, which: string) =>
      use(id, 'task', { description: `Counts ${which}`, prompt: `Count the ${which}`, subagent_type: 'general' });
    const counter = (which: string) =>
      turnRule(
        `Count the ${which}`,
        [use(`toolu_${which}`, 'read', { filePath: project.path('numbers.txt') })],
        [text(`The ${which} are three.`)],
      );
    stage().script(
      turnRule(
        'Delegate the counting',
        [text('Two shall do it.'), task('toolu_task_lines', 'lines'), task('toolu_task_words', 'words')],
        [text('Both have counted.')],
      ),
      counter('lines'),
      counter('words'),
    );
    const session = await server.createSession('Subagents');
    observation = await stage().observe(
      () => session.prompt('Delegate the counting'),
      // The first requests of both go to the gateway together.
      async ({ body }, exchanges) => {
        const isFirst = (request: ModelRequest) => newestUserText(request).includes('Count the ');
        const haveMet = () => exchanges().filter((exchange) => isFirst(exchange.body)).length === 2;
        if (isFirst(body)) await until('both subagents have asked', haveMet, 60_000);
      },
    );
  });

  const requestsOf = (which: string) =>
    observation.exchanges.filter(({ body }) => textsOf(body).includes(`Count the ${which}`) && !isMain(body));
  const isMain = (body: ModelRequest) => textsOf(body).includes('Delegate the counting');

  it('the main agent got both answers', () => {
    const results = toolResults(observation.seen.find(({ body }) => newestToolResults(body).length === 2)?.body);
    expect(results.map(({ tool_use_id, content }) => [tool_use_id, JSON.stringify(content)])).toEqual([
      ['toolu_task_lines', expect.stringContaining('The lines are three.')],
      ['toolu_task_words', expect.stringContaining('The words are three.')],
    ]);
  });
  it('each of the three has its own conversation', () => {
    for (const { body } of observation.seen) {
      const others = ['Delegate the counting', 'Count the lines', 'Count the words'];
      expect(others.filter((other) => textsOf(body).includes(other))).toHaveLength(1);
    }
  });
  it('paths: start and continue for each', () => {
    const main = observation.exchanges.filter(({ body }) => isMain(body));
    expect([main, requestsOf('lines'), requestsOf('words')].map((each) => each.map(pathOf))).toEqual([
      ['start', 'continue'],
      ['start', 'continue'],
      ['start', 'continue'],
    ]);
  });
  checkEvery(() => observation, 'Both have counted.');
});

describeOfAll('MCP tools with odd schemas', () => {
  let observation: Observation;

  beforeAll(async () => {
    stage().script(
      turnRule(
        'Use the odd ones',
        [use('toolu_tree', 'odd_tree', ODD_INPUTS.tree), use('toolu_shape', 'odd_shape', ODD_INPUTS.shape)],
        [use('toolu_nothing', 'odd_nothing', ODD_INPUTS.nothing)],
        [text('All were used.')],
      ),
    );
    const session = await server.createSession('Odd');
    observation = await observe(() => session.prompt('Use the odd ones'));
  });

  it('OpenCode declared them with what is rare in them', () => {
    const odd = observation.exchanges[0]?.body.tools?.filter(({ name }) => name.startsWith('odd_'));
    expect(odd).toHaveLength(3);
    const schemas = JSON.stringify(odd);
    for (const keyword of RARE_KEYWORDS) expect(schemas).toContain(keyword);
  });
  it('they were called with the model’s arguments, and the model saw what they returned', () => {
    const results = toolResults(observation.seen.at(-1)?.body);
    const texts = results.map(({ content }) => String(blocksOf(content)[0]?.text));
    expect(texts.map((returned) => JSON.parse(returned))).toEqual(Object.values(ODD_INPUTS));
  });
  it('paths: start, then continue', () => {
    expect(pathsOf(observation)).toEqual(['start', 'continue', 'continue']);
  });
  checkEvery(() => observation, 'All were used.');
});

describe('a summary that is asked for', () => {
  let first: Observation;
  let summary: AnyObservation<unknown>;
  let after: Observation;

  beforeAll(async () => {
    script();
    const session = await server.createSession('Summary');
    first = await observe(() => session.prompt('Read the numbers'));
    summary = await stage().observe(() => session.summarize());
    after = await observe(() => session.prompt('Say the first'));
  });

  it('the model saw the conversation, without tools', () => {
    expect(summary.seen.map(({ body }) => body.tools ?? [])).toEqual([[]]);
    expect(JSON.stringify(summary.seen[0]?.body)).toContain('There are three.');
  });
  it('the model saw the summary in place of the history', () => {
    expect(after.seen.map(({ body }) => outline(body))).toEqual([['user: text', 'assistant: text', 'user: text']]);
    expect(textsSeen(after)).toContain('There are three numbers – 数.');
    expect(textsSeen(after)).not.toContain('Read the numbers');
  });
  it('paths: start for the summary, replay after it', () => {
    expect([first, summary, after].map(pathsOf)).toEqual([['start', 'continue'], ['start'], [REPLAY]]);
  });
  describe('itself', () => checkEveryRequest('OpenCode', '/v1/messages', [], stage, () => summary));
  describe('and what goes on after it', () => checkEvery(() => after, 'It is one.'));
});

/** What the model answers to the prompts of most scenarios. */
function script(): void {
  stage().script(
    (request) =>
      (request.tools ?? []).length === 0 ? { content: [text('There are three numbers – 数.')] } : undefined,
    turnRule(
      'Read the numbers',
      [text('I read.'), use('toolu_read', 'read', { filePath: project.path('numbers.txt') })],
      [text('There are three.')],
    ),
    turnRule('Say the first', [text('It is one.')]),
    turnRule('Say the second', [text('It is two.')]),
    turnRule('Say the third', [text('It is Größe 数.')]),
    turnRule('Give it as data', [use('toolu_data', 'StructuredOutput', { count: 3 })]),
    turnRule('Look at these', [use('toolu_look', 'read', { filePath: project.path('dot.png') })], [text('I saw all.')]),
  );
}

function observe(run: () => Promise<StoredMessage>): Promise<Observation> {
  return stage().observe(run);
}

/** The checks that hold in every scenario; `answer` is what OpenCode has to have as the agent's last words. */
function checkEvery(observation: () => Observation, answer: string | undefined): void {
  it('opencode has the final text', () => {
    expect(observation().run.info.error).toBeUndefined();
    expect(lastText(observation().run)).toBe(answer);
  });
  checkEveryRequest('OpenCode', '/v1/messages', [], stage, observation);
}

async function idOfPrompt(session: OpenCodeSession, prompt: string): Promise<string> {
  const messages = await session.messages();
  const found = messages.findLast(
    ({ info, parts }) => info.role === 'user' && parts.some((part) => part.text === prompt),
  );
  if (!found) throw new Error(`OpenCode has no message “${prompt}”.`);
  return found.info.id;
}

type Messages = ReturnType<typeof comparableMessages>;

function asked(prompt: string): Messages[number] {
  return { role: 'user', content: [text(prompt)] };
}

/** The messages of the newest request that the model saw. */
function newestMessages({ seen }: Observation): Messages {
  const newest = seen.at(-1);
  return newest ? comparableMessages(newest.body) : [];
}

/** Those messages with the model's answer to them. */
function messagesAtTheEnd(observation: Observation): Messages {
  const answer = lastText(observation.run);
  return [...newestMessages(observation), { role: 'assistant', content: [text(String(answer))] }];
}

function byEnd(one: Messages, other: Messages): number {
  return JSON.stringify(one.at(-1)).localeCompare(JSON.stringify(other.at(-1)));
}

function textsSeen({ seen }: AnyObservation<unknown>): string {
  return seen.map(({ body }) => textsOf(body)).join('\n');
}
