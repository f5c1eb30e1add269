import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ModelRequest, newestUserText, type RuleFunction } from '../../scripted-model/script.ts';
import { makeWorkspace } from '../support/agents.ts';
import { foldMessage } from '../support/fold-message.ts';
import { until } from '../support/gateway.ts';
import { onStage } from './checks.ts';
import { comparableMessages, systemTexts, textsOf, toolResults } from './comparison.ts';
import { convertedFields, ignoredFields } from './declared.ts';
import { isTitle, OpenCodeProject } from './opencode.ts';
import { lastText, OpenCodeServer, type OpenCodeSession, type StoredMessage } from './opencode-server.ts';
import type { Exchange } from './recording-proxy.ts';
import { text, turnRule, use } from './rules.ts';
import { type Observation as AnyObservation, pathsOf } from './stage.ts';

/** Clients whose requests name an agent: the gateway runs its tools, in a folder that is not the client's. */

type Observation = AnyObservation<StoredMessage>;

const WORKSPACE = makeWorkspace({ 'numbers.txt': 'one\ntwo\nGröße 数 🌊\n' });
/** Of the same name, where the client's own tools would work. */
const OWN_FILES = { 'numbers.txt': 'The client’s own.\n' };
const READ = { file_path: WORKSPACE.file('numbers.txt') };
const MODEL = 'claude-sonnet-4-5';

const stage = onStage({ docs: { level: 'edit', workspace: WORKSPACE.path, model: MODEL } });
afterAll(() => WORKSPACE.remove());

describe('OpenCode, whose model is an agent', () => {
  let project: OpenCodeProject;
  let server: OpenCodeServer;

  beforeAll(async () => {
    const isthmus = {
      npm: '@ai-sdk/anthropic',
      options: { baseURL: `${stage().url}/v1`, apiKey: 'dummy' },
      models: { docs: { name: 'Docs', limit: { context: 200_000, output: 32_000 } } },
    };
    const configuration = { model: 'isthmus/docs', provider: { isthmus } };
    project = stage().add(new OpenCodeProject(stage().url, OWN_FILES, configuration));
    server = await OpenCodeServer.start(project);
  });

  afterAll(() => server?.stop());

  describe('an answer with hidden steps', () => {
    let session: OpenCodeSession;
    let first: Observation;
    let next: Observation;
    let afterRestart: Observation;
    let title: string;

    beforeAll(async () => {
      stage().script(
        (request) => (isForTitle(request) ? { content: [text('Numbers put right')] } : undefined),
        agentRule(
          'Put the second',
          [text('First I read it.'), use('toolu_read', 'Read', READ)],
          [use('toolu_edit', 'Edit', { ...READ, old_string: 'two', new_string: 'zwölf 🌊' })],
          [text('The second is put right.')],
        ),
        agentRule('What was it', [text('It was two.')]),
        agentRule('And the third', [text('It is Größe 数.')]),
      );
      session = await server.createSession();
      first = await stage().observe(async () => {
        const answer = await session.prompt('Put the second number right');
        await until('OpenCode has a title', async () => {
          ({ title } = await server.get<{ title: string }>(`/session/${session.id}`));
          return !title.startsWith('New session');
        });
        return answer;
      });
      next = await stage().observe(() => session.prompt('What was it before?'));
      await stage().restartGateway();
      afterRestart = await stage().observe(() => session.prompt('And the third?'));
    });

    it('its tools ran in the workspace, and none of OpenCode’s', async () => {
      expect(WORKSPACE.read('numbers.txt')).toBe('one\nzwölf 🌊\nGröße 数 🌊\n');
      expect(project.read('numbers.txt')).toBe(OWN_FILES['numbers.txt']);
      const parts = (await session.messages()).flatMap((message) => message.parts.map(({ type }) => type));
      expect(parts).not.toContain('tool');
    });
    it('OpenCode has one answer, with its usage', () => {
      const { info, parts } = first.run;
      expect(info.error).toBeUndefined();
      expect(parts.filter(({ type }) => type === 'text').map((part) => part.text)).toEqual([
        'First I read it.',
        'The second is put right.',
      ]);
      expect(info).toMatchObject({ finish: 'stop', tokens: { output: 3 * OUTPUT_TOKENS } });
      for (const { run } of [next, afterRestart]) expect(run.info).toMatchObject({ finish: 'stop' });
      expect([next, afterRestart].map(({ run }) => lastText(run))).toEqual(['It was two.', 'It is Größe 数.']);
    });
    it('each answer is the agent’s, and says that OpenCode’s own tools are left out', () => {
      for (const { body, answerHeaders } of mainExchanges(first, next, afterRestart)) {
        expect(body.tools?.length).toBeGreaterThan(3);
        expect(answerHeaders['isthmus-agent']).toBe('docs');
        expect(ignoredFields(answerHeaders)).toContain('tools.*');
        expect(convertedFields(answerHeaders)).toEqual(['max_tokens']);
      }
    });
    it('its request for a title goes to the agent, too', () => {
      const titles = first.exchanges.filter(({ body }) => isTitle(body));
      expect(titles.map(({ answerHeaders }) => answerHeaders['isthmus-agent'])).toEqual(['docs']);
      expect(title).toBe('Numbers put right');
    });
    it('paths: start, continue, and replay after a restart', () => {
      expect([mainPaths(first), mainPaths(next), mainPaths(afterRestart)]).toEqual([
        ['start'],
        ['continue'],
        ['replay'],
      ]);
    });
    it('the model knew each hidden step, live and after the restart', () => {
      for (const { seen } of [next, afterRestart]) {
        const results = toolResults(seen.at(-1)?.body);
        expect(results.map(({ tool_use_id }) => tool_use_id)).toEqual(['toolu_read', 'toolu_edit']);
        expect(JSON.stringify(results[0]?.content)).toContain('Größe 数');
      }
    });
    it('the replay has the live conversation, message for message', () => {
      const [live = [], replayed = []] = [next, afterRestart].map(({ seen }) => messagesIn(seen.at(-1)?.body));
      expect(replayed.slice(0, live.length)).toEqual(live);
      expect(replayed.slice(live.length).map(({ role }) => role)).toEqual(['assistant', 'user']);
    });
    describe('at first', () => checkAnswers(() => first));
    describe('and then', () => checkAnswers(() => next));
    describe('after the restart', () => checkAnswers(() => afterRestart));
  });

  describe('the agents that its task tool lists', () => {
    let observation: Observation;

    beforeAll(async () => {
      stage().script(
        ...delegation('Delegate the counting', { lines: 'Explore-Agent', words: 'GENERAL' }, 'Both have counted.'),
      );
      const session = await server.createSession('Delegation');
      observation = await stage().observe(() => session.prompt('Delegate the counting'));
    });

    it('each does its task as OpenCode describes it, whatever the model calls it', () => {
      for (const [name, which] of [
        ['explore', 'lines'],
        ['general', 'words'],
      ]) {
        const about = describedIn(observation, String(name));
        expect(systemOfAgent(observation, String(which))).toContain(`You are the agent “${name}”: ${about}`);
      }
    });
    it('the agent got what they say', () => checkReports(observation, ['lines', 'words']));
    it('OpenCode has the agent’s words alone', () => {
      const shown = observation.run.parts.filter(({ type }) => type === 'text' || type === 'tool');
      expect(shown.map((part) => part.text)).toEqual(['Both have counted.']);
    });
    it('their usage is counted, and told apart', () => checkSubagentUsage(observation, 2));
    checkAnswers(() => observation);
  });
});

describe('oh-my-opencode, whose base URL is an agent’s', () => {
  let server: OpenCodeServer;
  let observation: Observation;

  beforeAll(async () => {
    const folder = process.env.ISTHMUS_CLIENTS_OH_MY_OPENCODE ?? '';
    const plugin = [pathToFileURL(join(folder, 'node_modules', 'oh-my-opencode', 'dist', 'index.js')).href];
    const url = `${stage().url}/agents/docs`;
    server = await OpenCodeServer.start(stage().add(new OpenCodeProject(url, OWN_FILES, { plugin })));
    stage().script(
      ...delegation('Delegate to the gods', { lines: 'Oracle', words: 'metis' }, 'The gods have counted.'),
    );
    const session = await server.createSession('Gods');
    observation = await stage().observe(() => session.prompt('Delegate to the gods'));
  });

  afterAll(() => server?.stop());

  it('its agents become the agent’s, by the names that it calls them', () => {
    expect(systemOfAgent(observation, 'lines')).toContain(`You are the agent “oracle”: `);
    expect(systemOfAgent(observation, 'words')).toContain(`You are the agent “Metis - Plan Consultant”: `);
  });
  it('the agent got what they say', () => checkReports(observation, ['lines', 'words']));
  it('OpenCode has the agent’s words alone', () => {
    expect(lastText(observation.run)).toBe('The gods have counted.');
    expect(observation.run.parts.map(({ type }) => type)).not.toContain('tool');
  });
  it('their usage is counted, and told apart', () => checkSubagentUsage(observation, 2));
  checkAnswers(() => observation);
});

describe('the Vercel AI SDK, whose base URL is an agent’s', () => {
  interface Run {
    text: string;
    finishReason: string;
    usage: { outputTokens: number };
    session: string | undefined;
  }
  let alike: Array<AnyObservation<Run>>;
  let next: AnyObservation<Run>;

  beforeAll(async () => {
    const load = (file: string) =>
      import(pathToFileURL(join(process.env.ISTHMUS_CLIENTS_VERCEL_AI ?? '', 'node_modules', file)).href);
    const { streamText } = await load('ai/dist/index.mjs');
    const { createAnthropic } = await load('@ai-sdk/anthropic/dist/index.mjs');
    const model = createAnthropic({ baseURL: `${stage().url}/agents/docs/v1`, apiKey: 'any' })(MODEL);
    const ask = (messages: object[], headers: Record<string, string> = {}) =>
      stage().observe<Run>(async () => {
        const result = streamText({ model, messages, headers });
        const [words, finishReason, usage, { headers: answered }] = await Promise.all([
          result.text,
          result.finishReason,
          result.usage,
          result.response,
        ]);
        return { text: words, finishReason, usage, session: answered['isthmus-session'] };
      });
    const question = { role: 'user', content: 'How many are there?' };
    alike = [];
    for (const which of ['one', 'other']) {
      stage().script(
        agentRule('How many', [text('I look. '), use(`toolu_${which}`, 'Read', READ)], [text('There are three.')]),
      );
      alike.push(await ask([question]));
    }
    stage().script(agentRule('Are you sure', [text('Quite sure.')]));
    const said = { role: 'assistant', content: 'I look. There are three.' };
    next = await ask([question, said, { role: 'user', content: 'Are you sure?' }], {
      'isthmus-session': String(alike[0]?.run.session),
    });
  });

  it('its stream is one message, with the usage of both calls of the model', () => {
    for (const { run, exchanges } of alike) {
      expect(run).toMatchObject({
        text: 'I look. There are three.',
        finishReason: 'stop',
        usage: { outputTokens: 2 * OUTPUT_TOKENS },
      });
      const types = exchanges.flatMap(({ events }) => events.map(({ type }) => type));
      expect(types.filter((type) => type === 'message_start' || type === 'message_stop')).toEqual([
        'message_start',
        'message_stop',
      ]);
    }
  });
  it('a session that is sent back goes on, and no other one that looks alike', () => {
    expect([...alike, next].flatMap(pathsOf)).toEqual(['start', 'start', 'continue']);
    expect(next.run).toMatchObject({ text: 'Quite sure.', session: alike[0]?.run.session });
    expect(toolResults(next.seen.at(-1)?.body).map(({ tool_use_id }) => tool_use_id)).toEqual(['toolu_one']);
  });
  describe('one', () => checkAnswers(() => alike[0] as AnyObservation<Run>));
  describe('the next', () => checkAnswers(() => next));
});

/** What the scripted model says that an answer took. */
const OUTPUT_TOKENS = 7;

/** The check that holds for every request of every client. */
function checkAnswers(observation: () => AnyObservation<unknown>): void {
  it('each answer is whole and grammatical, and each call of the model was answered', () => {
    for (const { status, outcome, departure } of observation().exchanges) {
      expect([status, outcome, departure]).toEqual([200, 'whole', undefined]);
    }
    expect(observation().seen.filter(({ outcome }) => outcome !== 'answered')).toEqual([]);
  });
}

/** As {@link turnRule}, for a process that puts reminders behind the newest message. */
function agentRule(prompt: string, ...steps: Parameters<typeof turnRule>[1][]): RuleFunction {
  const rule = turnRule(prompt, ...steps);
  return (request) => rule(withoutReminders(request));
}

function withoutReminders(request: ModelRequest): ModelRequest {
  return { ...request, messages: request.messages.filter(({ role }) => role !== 'system') };
}

/** An agent that hands two tasks to others, and those, which read a file each. */
function delegation(prompt: string, names: Record<'lines' | 'words', string>, end: string): RuleFunction[] {
  const task = (which: 'lines' | 'words') =>
    use(`toolu_task_${which}`, 'Agent', {
      description: `Counts ${which}`,
      prompt: `Count the ${which}`,
      subagent_type: names[which],
    });
  const counter = (which: string) =>
    agentRule(`Count the ${which}`, [use(`toolu_${which}`, 'Read', READ)], [text(`The ${which} are three.`)]);
  return [agentRule(prompt, [task('lines'), task('words')], [text(end)]), counter('lines'), counter('words')];
}

/** The system prompt of the one that was to count something. */
function systemOfAgent({ seen }: Observation, which: string): string {
  const found = seen.find(({ body }) => newestUserText(withoutReminders(body)).includes(`Count the ${which}`));
  return found ? systemTexts(found.body).join('\n') : '';
}

/** How the client's task tool describes an agent. */
function describedIn({ exchanges }: Observation, name: string): string | undefined {
  const task = exchanges[0]?.body.tools?.find((tool) => tool.name === 'task') as { description?: string } | undefined;
  return new RegExp(`^- ${name}: (.*)$`, 'm').exec(task?.description ?? '')?.[1];
}

function checkReports({ seen }: Observation, counted: string[]): void {
  const results = toolResults(seen.at(-1)?.body);
  const reports = Object.fromEntries(
    results.map(({ tool_use_id, content }) => [String(tool_use_id), JSON.stringify(content)]),
  );
  // They come in the order in which they were done.
  expect(reports).toEqual(
    Object.fromEntries(
      counted.map((which) => [`toolu_task_${which}`, expect.stringContaining(`The ${which} are three.`)]),
    ),
  );
}

/** Each subagent calls the model twice, and the agent itself does. */
function checkSubagentUsage({ exchanges }: Observation, subagents: number): void {
  const [exchange] = exchanges;
  const done = exchange?.events.find((event) => 'isthmus_agent' in event)?.isthmus_agent;
  expect(done).toMatchObject({ subagent_usage: { output_tokens: subagents * 2 * OUTPUT_TOKENS } });
  const { usage } = foldMessage(exchange?.events ?? []) as unknown as { usage: { output_tokens: number } };
  expect(usage.output_tokens).toBe((subagents + 1) * 2 * OUTPUT_TOKENS);
}

/** Whether the model is to find a title, with or without tools. */
function isForTitle(request: ModelRequest): boolean {
  return textsOf(request).includes('Generate a title for this conversation');
}

function mainExchanges(...observations: Observation[]): Exchange[] {
  return observations.flatMap(({ exchanges }) => exchanges.filter(({ body }) => !isTitle(body)));
}

function mainPaths(observation: Observation): unknown[] {
  return pathsOf({ exchanges: mainExchanges(observation) });
}

function messagesIn(request: ModelRequest | undefined): ReturnType<typeof comparableMessages> {
  return request ? comparableMessages(request) : [];
}
