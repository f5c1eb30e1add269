import { beforeAll, describe, expect, it } from 'vitest';
import type { ScriptedBlock } from '../../src/scripted-model/script.ts';
import { checkEveryRequest, onStage } from './checks.ts';
import { comparableMessages, outline, toolResults } from './comparison.ts';
import { PiProject } from './pi.ts';
import type { ClientRun, Files } from './project.ts';
import { text, turnRule, use } from './rules.ts';
import { type Observation as AnyObservation, pathOf } from './stage.ts';

type Observation = AnyObservation<ClientRun>;

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
    expect(observation.exchanges.map(pathOf)).toEqual(['replay', 'continue']);
  });
  checkEvery(() => observation);
});

function addProject(files: Files): PiProject {
  return stage().add(new PiProject(stage().url, files));
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

function thinking(thinking: string): ScriptedBlock {
  return { type: 'thinking', thinking };
}
