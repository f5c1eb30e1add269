import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ModelRequest,
  newestToolResults,
  newestUserText,
  type Reply,
  type RuleFunction,
} from '../../scripted-model/script.ts';
import { until } from '../support/gateway.ts';
import {
  checkAnswers,
  checkEveryRequest,
  checkWhatTheModelSaw,
  describeOfAll,
  onStage,
  REPLAY,
  toPlay,
} from './checks.ts';
import { blocksOf, outline, textsOf, toolResults } from './comparison.ts';
import { OpenCodeProject } from './opencode.ts';
import { lastText, OpenCodeServer, type OpenCodeSession, type StoredMessage } from './opencode-server.ts';
import type { Exchange } from './recording-proxy.ts';
import { text, turnRule, use } from './rules.ts';
import { type Observation as AnyObservation, pathsOf } from './stage.ts';

type Observation = AnyObservation<StoredMessage>;

const NUMBERS = 'one\ntwo\nGröße 数 🌊\n';
const BEGINNING = 'This answer begins with words – Größe 数 – and has more to say.';

const stage = onStage();
let project: OpenCodeProject;
let server: OpenCodeServer;

beforeAll(async () => {
  project = stage().add(new OpenCodeProject(stage().url, { 'numbers.txt': NUMBERS }));
  server = await OpenCodeServer.start(project);
});

afterAll(() => server?.stop());

interface PassingFault {
  name: string;
  /** What the model’s API does once. */
  reply: Reply;
  /** What the answer that OpenCode gets of it ends with. */
  end: string;
  /** Of the call of the model. */
  outcome?: string;
  /** Whether OpenCode keeps something of it, which is in the history of the next turn. */
  isKept?: boolean;
}

const PASSING: PassingFault[] = [
  {
    name: 'a 429 with retry-after',
    reply: refusal(429, 'rate_limit_error', 'Slow down.', { 'retry-after': '1' }),
    end: '429',
  },
  { name: 'a 529', reply: refusal(529, 'overloaded_error', 'Overloaded'), end: '529' },
  { name: 'a 500', reply: refusal(500, 'api_error', 'Internal server error'), end: '500' },
  {
    name: 'an error event in the middle of a stream',
    reply: { ...saying(BEGINNING), stream_error: { after_events: 4, type: 'overloaded_error', message: 'Overloaded' } },
    end: 'overloaded_error',
  },
  {
    name: 'a stream that ends too soon',
    reply: { ...saying(BEGINNING), cut: { after_events: 4, how: 'end' } },
    end: 'api_error',
    outcome: 'cut',
  },
  {
    name: 'a stream that ends in the middle of a call',
    reply: {
      content: [use('toolu_cut', 'bash', { command: 'touch never', description: 'Does what it must not' })],
      cut: { after_events: 3, how: 'end' },
    },
    end: 'api_error',
    outcome: 'cut',
    isKept: true,
  },
  {
    name: 'a connection that is reset in the middle of a stream',
    reply: { ...saying(BEGINNING), gap_ms: 100, cut: { after_events: 4, how: 'reset' } },
    end: 'api_error',
    outcome: 'cut',
  },
];

/** A status that says when, an event, and a cut of which something is kept. */
const EVERYDAY_FAULTS = [
  'a 429 with retry-after',
  'an error event in the middle of a stream',
  'a stream that ends in the middle of a call',
];

for (const { name, reply, end, outcome = 'answered', isKept = false } of toPlay(PASSING, ({ name }) =>
  EVERYDAY_FAULTS.includes(name),
)) {
  describe(`${name}, behind a tool`, () => {
    let observation: Observation;
    let later: Observation;

    beforeAll(async () => {
      const [isNew, count] = [
        once(),
        use('toolu_count', 'bash', { command: 'grep -c "" numbers.txt', description: 'Counts' }),
      ];
      stage().script(
        (request) => (newestToolResults(request).length > 0 && isNew() ? reply : undefined),
        turnRule(`Count the numbers after ${name}`, [text('I count.'), count], [text('There are three.')]),
        turnRule('Say the first', [text('It is one.')]),
      );
      const session = await server.createSession(name);
      observation = await observe(() => session.prompt(`Count the numbers after ${name}`));
      later = await observe(() => session.prompt('Say the first'));
    });

    it('opencode tries again and has the final text', () => {
      expect(observation.run.info.error).toBeUndefined();
      expect(lastText(observation.run)).toBe('There are three.');
    });
    it('opencode got the failure as the API would tell it', () => {
      expect(observation.exchanges.map(endOf)).toEqual(['message_stop', end, 'message_stop']);
      expect(observation.exchanges.map(({ departure }) => departure)).toEqual([undefined, undefined, undefined]);
    });
    if (end === '429') {
      it('opencode was told to wait, at least as long as the API said', () => {
        expect(Number(observation.exchanges[1]?.answerHeaders['retry-after'])).toBeGreaterThanOrEqual(1);
      });
    }
    it('as many model calls as requests', () => {
      expect(observation.seen.map((request) => request.outcome)).toEqual(['answered', outcome, 'answered']);
    });
    it('nothing was done of what had not been said to its end', () => {
      expect(existsSync(project.path('never'))).toBe(false);
    });
    it('the model saw the same request twice', () => {
      const [, failed, repeated] = observation.seen.map(({ body }) => outline(body));
      expect(repeated).toEqual(failed);
    });
    it(`paths: replay where it is tried again, then ${isKept ? 'replay with what OpenCode kept' : 'continue'}`, () => {
      expect(pathsOf(observation)).toEqual(['start', 'continue', REPLAY]);
      expect(pathsOf(later)).toEqual([isKept ? REPLAY : 'continue']);
    });
    checkWhatTheModelSaw('OpenCode', () => observation);
    checkAnswers('OpenCode', stage, () => ended(observation));
    describe('and the turn after it', () => checkEvery(() => later, 'It is one.'));
  });
}

describe('a 400', () => {
  let failed: Observation;
  let later: Observation;

  beforeAll(async () => {
    const isNew = once();
    stage().script(
      (request) =>
        isAsked(request, 'Say the first') && isNew() ? refusal(400, 'invalid_request_error', 'Not so.') : undefined,
      turnRule('Say the second', [text('It is two.')]),
    );
    const session = await server.createSession('A 400');
    failed = await observe(() => session.prompt('Say the first'));
    later = await observe(() => session.prompt('Say the second'));
  });

  it('opencode does not try again', () => {
    expect(failed.exchanges.map(endOf)).toEqual(['400']);
    expect(failed.seen).toHaveLength(1);
  });
  it('opencode says it', () => {
    expect(failed.run.info.error).toMatchObject({ name: 'APIError', data: { statusCode: 400 } });
  });
  it('the model saw both prompts one turn later', () => {
    expect(later.seen.map(({ body }) => outline(body))).toEqual([['user: text text']]);
  });
  checkWhatTheModelSaw('OpenCode', () => failed);
  describe('and the turn after it', () => checkEvery(() => later, 'It is two.'));
});

describe('a prompt that is too long', () => {
  let first: Observation;
  let observation: Observation;
  let later: Observation;

  beforeAll(async () => {
    const isNew = once();
    const tooLong = refusal(400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum');
    script((request) => (isAsked(request, 'Say the second') && isNew() ? tooLong : undefined));
    const session = await server.createSession('Too long');
    first = await observe(() => session.prompt('Say the first'));
    observation = await observe(() => session.prompt('Say the second'));
    later = await observe(() => session.prompt('Say the third'));
  });

  it('opencode asks for a summary and tries again', () => {
    expect(observation.exchanges.map(endOf)).toEqual(['400', 'message_stop', 'message_stop']);
    expect(observation.exchanges.map(({ body }) => (body.tools ?? []).length > 0)).toEqual([true, false, true]);
    expect(lastText(observation.run)).toBe('It is two.');
  });
  it('as many model calls as requests', () => {
    expect(observation.seen.map(({ outcome }) => outcome)).toEqual(['answered', 'answered', 'answered']);
  });
  it('the model saw the summary in place of the history', () => {
    const [, , again] = observation.seen.map(({ body }) => textsOf(body));
    expect(again).toContain('There are three numbers – 数.');
    expect(again).not.toContain('Say the first');
  });
  it('paths: continue, start for the summary, replay after it, then continue', () => {
    expect([first, observation, later].map(pathsOf)).toEqual([['start'], ['continue', 'start', REPLAY], ['continue']]);
  });
  checkWhatTheModelSaw('OpenCode', () => observation);
  checkAnswers('OpenCode', stage, () => ended(observation));
  describe('and the turn after it', () => checkEvery(() => later, 'It is Größe 数.'));
});

describeOfAll('a window that is nearly full', () => {
  let observation: Observation;
  let later: Observation;

  beforeAll(async () => {
    const full = { ...saying('It is one.'), usage: { input_tokens: 990_000, output_tokens: 7 } };
    script(
      (request) => (isAsked(request, 'Say the first') ? full : undefined),
      turnRule('Continue if you have next steps', [text('There is nothing more.')]),
    );
    const session = await server.createSession('Nearly full');
    observation = await observe(() => session.prompt('Say the first'));
    later = await observe(() => session.prompt('Say the second'));
  });

  it('opencode asks for a summary by itself, and goes on with it', () => {
    expect(observation.exchanges.map(({ body }) => (body.tools ?? []).length > 0)).toEqual([true, false, true]);
  });
  it('the model saw the summary in place of the history', () => {
    for (const texts of [...observation.seen.slice(2), ...later.seen].map(({ body }) => textsOf(body))) {
      expect(texts).toContain('There are three numbers – 数.');
      expect(texts).not.toContain('Say the first');
    }
  });
  it('paths: start for the summary too, replay after it, then continue', () => {
    expect([observation, later].map(pathsOf)).toEqual([['start', 'start', REPLAY], ['continue']]);
  });
  describe('itself', () => checkEvery(() => observation, 'There is nothing more.'));
  describe('and the turn after it', () => checkEvery(() => later, 'It is two.'));
});

describe('a user who stops an answer', () => {
  let observation: Observation;
  let later: Observation;

  beforeAll(async () => {
    stage().script(
      (request) =>
        isAsked(request, 'Say much') ? { ...saying(BEGINNING), cut: { after_events: 4, how: 'silence' } } : undefined,
      turnRule('Say the first', [text('It is one.')]),
    );
    const session = await server.createSession('Stopped');
    observation = await stopped(session, 'Say much', (heard) => heard.includes('This answer begins'));
    later = await observe(() => session.prompt('Say the first'));
  });

  it('opencode has dropped the connection, and the call of the model has been ended', () => {
    expect(observation.exchanges.map(({ outcome }) => outcome)).toEqual(['broken']);
    expect(observation.seen.map(({ outcome }) => outcome)).toEqual(['aborted']);
    expect(observation.run.info.error).toMatchObject({ name: 'MessageAbortedError' });
  });
  it('the model saw the stopped answer as far as it had come', () => {
    const [request] = later.seen.map(({ body }) => body);
    expect(request && outline(request)).toEqual(['user: text', 'assistant: text', 'user: text']);
    const [beginning] = blocksOf(request?.messages[1]?.content);
    expect(BEGINNING.startsWith(String(beginning?.text)), String(beginning?.text)).toBe(true);
  });
  it('paths: replay', () => {
    expect(pathsOf(later)).toEqual([REPLAY]);
  });
  checkWhatTheModelSaw('OpenCode', () => observation);
  describe('and the turn after it', () => checkEvery(() => later, 'It is one.'));
});

describeOfAll('a user who stops a tool', () => {
  let observation: Observation;
  let later: Observation;

  beforeAll(async () => {
    stage().script(
      turnRule('Wait long', [
        text('I wait.'),
        use('toolu_wait', 'bash', { command: 'touch waiting; sleep 600', description: 'Waits' }),
      ]),
      turnRule('Say the first', [text('It is one.')]),
    );
    const session = await server.createSession('Stopped tool');
    observation = await stopped(session, 'Wait long', () => existsSync(project.path('waiting')));
    later = await observe(() => session.prompt('Say the first'));
  });

  it('opencode sent nothing after it', () => {
    expect(observation.exchanges.map(endOf)).toEqual(['message_stop']);
    expect(observation.seen.map(({ outcome }) => outcome)).toEqual(['answered']);
  });
  it('the model saw what had become of the tool, with the new prompt beside it', () => {
    const [request] = later.seen.map(({ body }) => body);
    expect(request && outline(request)).toEqual(['user: text', 'assistant: text tool_use', 'user: tool_result text']);
    expect(JSON.stringify(toolResults(request))).toContain('User aborted the command');
  });
  it('paths: rewind', () => {
    expect(pathsOf(later)).toEqual(['rewind']);
  });
  describe('itself', () => checkEveryRequest('OpenCode', '/v1/messages', [], stage, () => observation));
  describe('and the turn after it', () => checkEvery(() => later, 'It is one.'));
});

/** What the model answers to the prompts of the scenarios, behind those rules. */
function script(...rules: RuleFunction[]): void {
  stage().script(
    (request) => ((request.tools ?? []).length === 0 ? saying('There are three numbers – 数.') : undefined),
    ...rules,
    turnRule('Say the first', [text('It is one.')]),
    turnRule('Say the second', [text('It is two.')]),
    turnRule('Say the third', [text('It is Größe 数.')]),
  );
}

function saying(words: string): Reply {
  return { content: [text(words)] };
}

function refusal(status: number, type: string, message: string, headers: Record<string, string> = {}): Reply {
  return { error: { status, type, message, headers } };
}

/** Whether it is called for the first time. */
function once(): () => boolean {
  let calls = 0;
  return () => ++calls === 1;
}

function isAsked(request: ModelRequest, prompt: string): boolean {
  return newestUserText(request).includes(prompt);
}

function observe(run: () => Promise<StoredMessage>): Promise<Observation> {
  return stage().observe(run);
}

/** Sends a prompt, and stops the agent when it is there, by what OpenCode has told its interfaces. */
async function stopped(
  session: OpenCodeSession,
  prompt: string,
  isThere: (heard: string) => boolean,
): Promise<Observation> {
  const listener = await server.listen();
  const observation = await observe(async () => {
    const answer = session.prompt(prompt);
    await until('it is time to stop', () => isThere(listener.heard()), 60_000);
    await session.abort();
    return answer;
  });
  listener.stop();
  await until('the model’s answers have ended', () => observation.seen.every(({ outcome }) => outcome !== 'open'));
  return observation;
}

/** The checks that hold where nothing goes wrong; `answer` is what OpenCode has to have as the agent's last words. */
function checkEvery(observation: () => Observation, answer: string): void {
  it('opencode has the final text', () => {
    expect(observation().run.info.error).toBeUndefined();
    expect(lastText(observation().run)).toBe(answer);
  });
  checkEveryRequest('OpenCode', '/v1/messages', [], stage, observation);
}

/** What an answer ended with: its last event, the type of its error, or its status. */
function endOf({ status, events }: Exchange): string {
  if (status !== 200) return String(status);
  const last = events.at(-1);
  return last?.type === 'error' ? (last.error as { type: string }).type : String(last?.type);
}

/** Those exchanges whose answers came to their end. */
function ended(observation: Observation): Observation {
  const indices = [...observation.exchanges.keys()].filter(
    (index) => endOf(observation.exchanges[index] as Exchange) === 'message_stop',
  );
  const those = <Item>(items: Item[]) => indices.map((index) => items[index] as Item);
  return { ...observation, exchanges: those(observation.exchanges), expected: those(observation.expected) };
}
