import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ISTHMUS } from '../support/gateway.ts';
import { onStage, toPlay } from './checks.ts';
import { readHostileFiles, textsOfHostileFiles, writeHostileFiles } from './hostile-files.ts';
import { Elsewhere, LAUNCHED } from './launched.ts';
import { type ClientRun, Project } from './project.ts';
import { text } from './rules.ts';
import type { Observation } from './stage.ts';

const PROMPT = 'What is six times seven?';
const ANSWER = 'It is forty-two.';

/** Runs the words behind it to the end; then tells on stderr which processes that were started with it are still there. */
const TELL_WHAT_IS_LEFT = [
  'STARTED_BY_LAUNCH=1 "$@"',
  'code=$?',
  'grep -lz "^STARTED_BY_LAUNCH=" /proc/[0-9]*/environ 2>/dev/null | sed "s/^/left behind: /" >&2',
  'exit $code',
].join('\n');

const stage = onStage();
let elsewhere: Elsewhere;

beforeAll(async () => {
  elsewhere = await Elsewhere.start();
});

afterAll(() => elsewhere?.close());

describe.each(toPlay(LAUNCHED, ({ isEveryday = true }) => isEveryday))('isthmus launch $name', (client) => {
  let project: Project;
  let observation: Observation<ClientRun>;

  /** Runs `isthmus launch` as a user does whose own settings lead the client elsewhere. */
  const launch = (args: string[]) =>
    project.runProgram(
      'sh',
      [
        ...['-c', TELL_WHAT_IS_LEFT, 'sh', process.execPath, ISTHMUS, 'launch'],
        ...[client.name, '--port', new URL(stage().url).port, '--', ...args],
      ],
      { ...client.variables(elsewhere.url), PATH: `${join(project.home, 'bin')}:${process.env.PATH}` },
    );

  beforeAll(async () => {
    project = stage().add(new Project(client.name, { 'readme.md': 'Numbers.\n' }));
    mkdirSync(join(project.home, 'bin'));
    client.install(join(project.home, 'bin'));
    writeHostileFiles(project, client.hostile(elsewhere.url));
    stage().script(() => ({ content: [text(ANSWER)] }));
    observation = await stage().observe(() => launch(client.turn(PROMPT)));
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
    expect((await launch(client.refused)).code).toBe(1);
  });
});
