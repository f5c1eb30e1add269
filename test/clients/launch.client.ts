import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onStage, toPlay } from './checks.ts';
import { compare } from './comparison.ts';
import { readHostileFiles, textsOfHostileFiles } from './hostile-files.ts';
import { launchedProject, launchThere } from './launch-there.ts';
import { codex, Elsewhere, LAUNCHED, type LaunchedClient } from './launched.ts';
import type { ClientRun, Project } from './project.ts';
import { text, turnRule, use } from './rules.ts';
import { type Observation, pathsOf } from './stage.ts';

const PROMPT = 'What is six times seven?';
const ANSWER = 'It is forty-two.';

const stage = onStage();
let elsewhere: Elsewhere;

beforeAll(async () => {
  elsewhere = await Elsewhere.start();
});

afterAll(() => elsewhere?.close());

const projectFor = (client: LaunchedClient) => launchedProject(stage(), client, elsewhere);
const launch = (client: LaunchedClient, project: Project, args: string[]) =>
  launchThere({ stage: stage(), client, project, elsewhere }, args);

describe.each(toPlay(LAUNCHED, ({ isEveryday = true }) => isEveryday))('isthmus launch $name', (client) => {
  let project: Project;
  let observation: Observation<ClientRun>;

  beforeAll(async () => {
    project = projectFor(client);
    stage().script(() => ({ content: [text(ANSWER)] }));
    observation = await stage().observe(() => launch(client, project, client.turn(PROMPT)));
  });

  it('the client answers, and ends well', () => {
    const { code, stdout, stderr } = observation.run;
    expect(`${stdout}${stderr}`).toContain(ANSWER);
    expect(code).toBe(0);
  });
  it('each of its requests is one model call', () => {
    expect(JSON.stringify(observation.seen)).toContain(PROMPT);
    expect(observation.seen).toHaveLength(observation.exchanges.length);
  });
  it('nothing went where the user’s settings lead, and no key of theirs came', () => {
    expect(elsewhere.asked).toEqual([]);
    expect(JSON.stringify(observation.exchanges.map(({ headers }) => headers))).not.toContain('theirs');
  });
  it('the user’s files are what they were', () => {
    const files = client.hostile(elsewhere.url);
    expect(readHostileFiles(project, files)).toEqual(textsOfHostileFiles(project, files));
  });
  it('nothing is left behind', () => {
    expect(observation.run.stderr).not.toContain('left behind');
    expect(readdirSync(project.home).filter((name) => name.startsWith('isthmus-'))).toEqual([]);
  });
  it('its exit code is passed on', async () => {
    expect((await launch(client, project, client.refused)).code).toBe(1);
  });
});

describe('a conversation of Codex', () => {
  const RESULT = 'six times seven';
  // Its sandbox needs a program that it does not put into a temporary home.
  const withoutSandbox = ['--sandbox', 'danger-full-access'];
  const LATER = 'And seven times eight?';
  let first: Observation<ClientRun>;
  let second: Observation<ClientRun>;

  beforeAll(async () => {
    const project = projectFor(codex);
    stage().script(
      turnRule(LATER, [text('It is fifty-six.')]),
      turnRule(PROMPT, [use('toolu_codex_echo', 'exec_command', { cmd: `echo ${RESULT}` })], [text(ANSWER)]),
    );
    first = await stage().observe(() => launch(codex, project, ['exec', ...withoutSandbox, PROMPT]));
    second = await stage().observe(() => launch(codex, project, ['exec', 'resume', '--last', LATER]));
  });

  it('its tool runs, and its result reaches the model', () => {
    expect(first.run.code).toBe(0);
    expect(JSON.stringify(first.seen[1]?.body.messages.at(-1))).toContain(`Output:\\n${RESULT}`);
  });
  it('a loop of tools, and what is resumed in another launch, go on in the live process', () => {
    expect(second.run.stdout).toContain('It is fifty-six.');
    expect([pathsOf(first), pathsOf(second)]).toEqual([['start', 'continue'], ['continue']]);
  });
  it('the model has its tools, those of a namespace too', () => {
    expect(first.pairs).toHaveLength(2);
    expect(first.pairs.flatMap((pair) => compare('tools', pair))).toEqual([]);
  });
  it('nothing that it sends is ignored: `--strict` takes it', () => {
    const told = [...first.exchanges, ...second.exchanges].map(({ answerHeaders }) => answerHeaders['isthmus-ignored']);
    expect(told).toEqual([undefined, undefined, undefined]);
  });
});
