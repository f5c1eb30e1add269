import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/gateway.ts';
import { checkEveryRequest, onStage, REPLAY } from './checks.ts';
import { outline, textsOf, toolResults } from './comparison.ts';
import { OpenCodeProject } from './opencode.ts';
import { lastText, OpenCodeServer, type OpenCodeSession, type StoredMessage } from './opencode-server.ts';
import type { Exchange } from './recording-proxy.ts';
import { text, turnRule, use } from './rules.ts';
import { type Observation as AnyObservation, pathOf } from './stage.ts';

type Observation = AnyObservation<StoredMessage>;

const NUMBERS = 'one\ntwo\nGröße 数 🌊\n';

const stage = onStage();
let project: OpenCodeProject;
let server: OpenCodeServer;
/** The conversation that goes on through the scenarios. */
let session: OpenCodeSession;

beforeAll(async () => {
  const folder = process.env.ISTHMUS_CLIENTS_OH_MY_OPENCODE;
  if (!folder) throw new Error('Run these checks with `npm run test:clients`, which installs oh-my-opencode first.');
  const plugin = [pathToFileURL(join(folder, 'node_modules', 'oh-my-opencode', 'dist', 'index.js')).href];
  project = stage().add(new OpenCodeProject(stage().url, { 'numbers.txt': NUMBERS }, { plugin }));
  server = await OpenCodeServer.start(project);
  session = await server.createSession('Numbers');
});

afterAll(() => server?.stop());

describe('a tool loop', () => {
  let observation: Observation;

  beforeAll(async () => {
    stage().script(
      turnRule(
        'Count the numbers',
        [text('First I read the file.'), use('toolu_read', 'read', { filePath: project.path('numbers.txt') })],
        [
          use('toolu_grep', 'grep', { pattern: 'Größe', path: project.directory }),
          use('toolu_count', 'bash', { command: 'grep -c "" numbers.txt; exit 3', description: 'Counts the lines' }),
        ],
        [text('There are three.')],
      ),
    );
    observation = await stage().observe(() => session.prompt('Count the numbers'));
  });

  it('the plugin’s agent asked, with the plugin’s tools', () => {
    for (const { body } of observation.seen) {
      expect(JSON.stringify(body.system)).toContain('Sisyphus');
      expect(body.tools?.map(({ name }) => name)).toContain('background_output');
    }
  });
  it('the model saw what each tool returned', () => {
    const results = toolResults(observation.seen.at(-1)?.body);
    expect(results.map(({ tool_use_id }) => tool_use_id)).toEqual(['toolu_read', 'toolu_grep', 'toolu_count']);
    expect(JSON.stringify(results[0]?.content)).toContain('2: two\\n3: Größe 数 🌊');
  });
  it('paths: start, then continue, then replay where the plugin has put a reminder into an earlier message', () => {
    expect(observation.seen.map(({ body }) => outline(body)[0])).toEqual([
      'user: text',
      'user: text',
      'user: text text',
    ]);
    expect(observation.exchanges.map(pathOf)).toEqual(['start', 'continue', REPLAY]);
  });
  checkEvery(() => observation, 'There are three.');
});

describe('one of its agents', () => {
  let observation: Observation;

  beforeAll(async () => {
    stage().script(...delegation('Delegate the counting', false, [text('It has counted.')]));
    observation = await stage().observe(() => session.prompt('Delegate the counting'));
  });

  it('the main agent got its answer', () => {
    const [result] = toolResults(mainExchanges(observation).at(-1)?.body).slice(-1);
    expect(JSON.stringify(result)).toContain('The agent counts three.');
  });
  it('it has a conversation of its own', () => {
    for (const { body } of agentExchanges(observation)) expect(textsOf(body)).not.toContain('Delegate the counting');
    expect(agentExchanges(observation)).toHaveLength(2);
  });
  it('paths: back to before that reminder, then continue; start and continue for the other one', () => {
    expect(mainExchanges(observation).map(pathOf)).toEqual(['rewind', 'continue']);
    expect(agentExchanges(observation).map(pathOf)).toEqual(['start', 'continue']);
  });
  checkEvery(() => observation, 'It has counted.');
});

describe('one of its agents in the background', () => {
  let observation: Observation;

  beforeAll(async () => {
    stage().script(
      ...delegation('Delegate it once more', true, [text('It is at work.')]),
      turnRule('BACKGROUND TASK', [text('It has counted in the background.')]),
    );
    observation = await stage().observe(async () => {
      await session.prompt('Delegate it once more');
      let newest = (await session.messages()).at(-1);
      await until('the main agent has been told', async () => {
        newest = (await session.messages()).at(-1);
        return newest?.info.finish === 'stop' && lastText(newest) !== 'It is at work.';
      });
      return newest as StoredMessage;
    });
  });

  it('the main agent was told when it had counted', () => {
    const [newest] = mainExchanges(observation).slice(-1);
    expect(JSON.stringify(newest?.body.messages.at(-1))).toContain('[ALL BACKGROUND TASKS COMPLETE]');
  });
  it('paths: continue for the main agent, start and continue for the other one', () => {
    expect(mainExchanges(observation).map(pathOf)).toEqual(['continue', 'continue', 'continue']);
    expect(agentExchanges(observation).map(pathOf)).toEqual(['start', 'continue']);
  });
  checkEvery(() => observation, 'It has counted in the background.');
});

/** A main agent that delegates, and an agent of the plugin that reads a file. */
function delegation(prompt: string, run_in_background: boolean, end: Parameters<typeof turnRule>[1]) {
  const number = run_in_background ? 2 : 1;
  const input = {
    description: 'Counts',
    prompt: `Open list ${number} and count.`,
    subagent_type: 'explore',
    load_skills: [],
  };
  return [
    turnRule(prompt, [use(`toolu_task_${number}`, 'task', { ...input, run_in_background })], end),
    turnRule(
      `Open list ${number} and count.`,
      [use(`toolu_agent_read_${number}`, 'read', { filePath: project.path('numbers.txt') })],
      [text('The agent counts three.')],
    ),
  ];
}

/** The checks that hold in every scenario; `answer` is what OpenCode has to have as the agent's last words. */
function checkEvery(observation: () => Observation, answer: string): void {
  it('opencode has the final text', () => {
    expect(observation().run.info.error).toBeUndefined();
    expect(lastText(observation().run)).toBe(answer);
  });
  checkEveryRequest('oh-my-opencode', '/v1/messages', [], stage, observation);
}

function mainExchanges({ exchanges }: Observation): Exchange[] {
  return exchanges.filter(({ body }) => textsOf(body).includes('Count the numbers'));
}

function agentExchanges({ exchanges }: Observation): Exchange[] {
  return exchanges.filter(({ body }) => !textsOf(body).includes('Count the numbers'));
}
