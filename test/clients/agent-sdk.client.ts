import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ModelRequest } from '../../scripted-model/script.ts';
import { checkEveryRequest, onStage, toPlay } from './checks.ts';
import { ClaudeCodeProject, type ClaudeCodeRun, outcomes } from './claude-code.ts';
import { systemTexts } from './comparison.ts';
import { ignoredFields } from './declared.ts';
import { text, turnRule, use } from './rules.ts';
import { type Observation, pathOf } from './stage.ts';

/** A program on the Agent SDK as a client: it says what it is in a line of its own, and has a system prompt only if it is given one. */

const PROGRAM = fileURLToPath(new URL('agent-sdk-program.js', import.meta.url));
const MODEL = 'claude-sonnet-4-5';

const stage = onStage();

const OF_PROMPTS: Array<[what: string, systemPrompt: string | undefined]> = [
  ['without a system prompt', undefined],
  ['with a system prompt', 'You count – 数.\n\nNothing else.'],
];
describe.each(toPlay(OF_PROMPTS, ([, prompt]) => prompt === undefined))('%s', (_what, systemPrompt) => {
  let first: Observation<ClaudeCodeRun>;
  let second: Observation<ClaudeCodeRun>;

  beforeAll(async () => {
    const project = stage().add(new ClaudeCodeProject(stage().url, { 'numbers.txt': 'one\ntwo\n' }));
    stage().script(
      (request) => (isOfAgent({ body: request }) ? undefined : { content: [text('{"title": "Numbers"}')] }),
      turnRule(
        'Count the numbers',
        [text('I read.'), use('toolu_read', 'Read', { file_path: project.path('numbers.txt') })],
        [text('There are two.')],
      ),
      turnRule('Say it again', [text('Two.')]),
    );
    const run = (prompt: string, options: object) =>
      stage().observe(() =>
        project.runScript(PROGRAM, {
          prompt,
          options: { model: MODEL, settingSources: [], allowedTools: ['Read'], systemPrompt, ...options },
        }),
      );
    first = await run('Count the numbers', {});
    second = await run('Say it again', { continue: true });
  });

  it('it gets its answers', () => {
    expect([first, second].map(({ run }) => outcomes(run))).toEqual([['There are two.'], ['Two.']]);
  });
  it('it says what it is, and the model is told once', () => {
    const sent = [first, second].flatMap(({ exchanges }) =>
      exchanges.filter(isOfAgent).map(({ body }) => systemTexts(body)),
    );
    const seen = [first, second].flatMap(({ seen }) => seen.filter(isOfAgent).map(({ body }) => systemTexts(body)));
    const own = systemPrompt === undefined ? [] : [systemPrompt];
    const ofClaude = [
      expect.stringMatching(/^x-anthropic-billing-header:/),
      expect.stringMatching(/^You are [^\n]*\.$/),
    ];
    expect(sent).toEqual(Array(3).fill([...ofClaude, ...own]));
    expect(seen).toEqual(Array(3).fill([...ofClaude, ...own]));
  });
  it('no placeholder is among the tools of the model', () => {
    for (const { body } of [...first.seen, ...second.seen].filter(isOfAgent)) {
      expect(body.tools?.map(({ name }) => name)).toContain('Read');
      expect(JSON.stringify(body.tools)).not.toContain('Placeholder');
    }
  });
  it('the gateway acts on all but what is known', () => {
    const declared = [first, second].flatMap(({ exchanges }) =>
      exchanges.flatMap(({ answerHeaders }) => ignoredFields(answerHeaders)),
    );
    const known = /^(context_management|tools\.\d+|anthropic-beta:context-management-2025-06-27)$/;
    expect(declared.filter((field) => !known.test(field))).toEqual([]);
  });
  it('paths: start, then continue, from one process to the next too', () => {
    expect([first, second].map(({ exchanges }) => exchanges.filter(isOfAgent).map(pathOf))).toEqual([
      ['start', 'continue'],
      ['continue'],
    ]);
  });
  for (const [when, observation] of [
    ['at first', () => first],
    ['later', () => second],
  ] as const) {
    describe(when, () => {
      checkEveryRequest('the Agent SDK', '/v1/messages?beta=true', ['HEAD /api/hello'], stage, observation);
    });
  }
});

/** Whether it is a request of the agent, and not the one for a title of the session, which has no tools. */
function isOfAgent({ body: { tools = [] } }: { body: ModelRequest }): boolean {
  return tools.length > 0;
}
