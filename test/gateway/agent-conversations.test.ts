import { afterEach, describe, expect, test } from 'vitest';
import type { TurnSteps } from '../../src/spec/agent.ts';
import type { ExpansionStore } from '../../src/spec/expansion-store.ts';
import { failure } from '../../src/spec/failures.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import type { ModelCall } from '../../test-engine/play.ts';
import { type EngineReply, stepsIn } from '../../test-engine/reply.ts';
import { plainAgent } from '../support/agents.ts';
import { InProcessGateway } from '../support/gateway-in-process.ts';

/** Conversations with an agent: what is told of its steps, which of them come back, and how alike ones are told apart. */

let house: InProcessGateway;
afterEach(() => house?.stop());

/**
 * A store in memory.
 *
 * @param outlives what it says of each record, as a disk that has room does, or one that is full
 */
function storeThat(outlives: boolean): ExpansionStore {
  const memory = new MemoryStore({ maxAgeMs: 3_600_000, maxBytes: 10_000_000 });
  return {
    find: (lineages) => memory.find(lineages),
    put: async (record) => {
      await memory.put(record);
      return outlives;
    },
    turn: (id, caller) => memory.turn(id, caller),
    close: () => memory.close(),
  };
}

const stepOn = (about: string): TurnSteps => ({
  steps: [{ tool: 'Edit', about, isError: false }],
  changedFiles: [about],
});

/** Answers a question with its words, and does one step, on a file of the same name. */
const BY_QUESTION = ({ messages }: Pick<ModelCall, 'messages'>): EngineReply => {
  const question = (messages.at(-1)?.content ?? []).map(({ text }) => String(text)).join();
  return { content: [{ type: 'text', text: `${question} done` }], steps: stepOn(question) };
};

async function setUp({ isFull = false } = {}) {
  const agent = plainAgent({ name: 'docs', level: 'edit', workspace: '/work' });
  house = await InProcessGateway.start([], { agents: [{ agent, access: { origins: [] } }], store: storeThat(!isFull) });
  house.use([(request) => BY_QUESTION(request as unknown as ModelCall)]);
}

type Turn = { role: 'user' | 'assistant'; content: unknown };

/** Questions, between which the answers stand that they got. */
function said(...questions: string[]): Turn[] {
  return questions.flatMap((question, at): Turn[] => [
    { role: 'user', content: question },
    ...(at < questions.length - 1 ? [answerTo(question)] : []),
  ]);
}
const answerTo = (question: string): Turn => ({
  role: 'assistant',
  content: [{ type: 'text', text: `${question} done` }],
});

async function ask(messages: Turn[], headers: Record<string, string> = {}, more: object = {}) {
  const response = await fetch(`${house.url}/agents/docs/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 10, messages, ...more }),
  });
  const text = await response.text();
  return {
    status: response.status,
    text,
    header: (name: string) => response.headers.get(name),
    session: response.headers.get('isthmus-session') ?? '',
    path: response.headers.get('isthmus-path'),
    converted: response.headers.get('isthmus-converted'),
  };
}

/** What the model was given of earlier steps in the latest call: the file of each, by the index of its answer. */
const replayed = () =>
  Object.fromEntries(
    [...(house.calls.at(-1)?.agent?.expansions ?? [])].map(([index, bytes]) => [
      index,
      stepsIn(bytes)
        .steps.map(({ about }) => about)
        .join(),
    ]),
  );

/** As a restart does: the next turn is a replay. */
const endProcesses = () => {
  for (const process of house.engine.processes) process.end();
};

describe('what an agent did is told', () => {
  test('by headers of an answer in one piece, and of a disk that is full, too', async () => {
    const told = ['isthmus-agent-steps', 'isthmus-agent-changed-files', 'isthmus-agent-steps-lost'];
    await setUp();
    const kept = await ask(said('läufer.md'));
    expect(told.map(kept.header)).toEqual(['1', 'l%C3%A4ufer.md', null]);
    await house.stop();
    await setUp({ isFull: true });
    const lost = await ask(said('a.md'));
    expect([lost.status, ...told.map(lost.header)]).toEqual([200, '1', 'a.md', '1']);
  });

  test('by the last ping of a stream, without such headers', async () => {
    for (const isFull of [false, true]) {
      await house?.stop();
      await setUp({ isFull });
      const { text, header } = await ask(said('a.md'), {}, { stream: true });
      const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data));
      const steps = [{ tool: 'Edit', about: 'a.md', is_error: false }];
      expect(events.slice(-2)).toEqual([
        { type: 'ping', isthmus_agent: { steps, changed_files: ['a.md'], kept: !isFull } },
        { type: 'message_stop' },
      ]);
      expect(header('isthmus-agent-steps')).toBeNull();
    }
  });
});

describe('the steps of the answers that stand come back when a conversation', () => {
  const three = said('one', 'two', 'three');

  async function talk() {
    await setUp();
    const { session } = await ask(three.slice(0, 1));
    const headers = { 'isthmus-session': session };
    expect((await ask(three.slice(0, 3), headers)).path).toBe('continue');
    expect((await ask(three, headers)).path).toBe('continue');
    return headers;
  }

  test('is undone: the last question is another', async () => {
    const headers = await talk();
    const undone = await ask(said('one', 'two', 'other'), headers);
    expect([undone.path, undone.converted, replayed()]).toEqual(['replay', 'max_tokens', { 1: 'one', 3: 'two' }]);
    const further = await ask(said('one', 'other'), headers);
    expect([further.path, further.converted, replayed()]).toEqual(['replay', 'max_tokens', { 1: 'one' }]);
  });

  test('is edited: behind the words that changed no step is known', async () => {
    const headers = await talk();
    const edited = await ask([{ role: 'user', content: 'ONE' }, ...three.slice(1)], headers);
    const lost = 'max_tokens, messages.1, messages.3';
    expect([edited.path, edited.converted, replayed()]).toEqual(['replay', lost, {}]);
    const answer = await ask(
      [...three.slice(0, 3), { role: 'assistant', content: 'edited' }, ...said('go on')],
      headers,
    );
    expect([answer.path, answer.converted, replayed()]).toEqual(['replay', 'max_tokens, messages.3', { 1: 'one' }]);
  });

  test('is forked: both branches have what they share, and each its own', async () => {
    const headers = await talk();
    await ask(said('one', 'two', 'left'), headers);
    await ask(said('one', 'two', 'right'), headers);
    endProcesses();
    for (const branch of ['left', 'right', 'three']) {
      const { path, converted } = await ask(said('one', 'two', branch, 'and now?'), headers);
      expect([path, converted, replayed()]).toEqual(['replay', 'max_tokens', { 1: 'one', 3: 'two', 5: branch }]);
    }
  });
});

describe('conversations that look alike', () => {
  /** Two with the same words, whose steps are on other files. */
  async function twins(...headers: Array<Record<string, string>>) {
    await setUp();
    const sessions: string[] = [];
    for (const [at, own] of headers.entries()) {
      house.use([() => ({ content: [{ type: 'text', text: 'hi done' }], steps: stepOn(`file ${at}`) })]);
      sessions.push((await ask(said('hi'), own)).session);
      // Which one is newer is told by the millisecond.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    endProcesses();
    house.use([(request) => BY_QUESTION(request as unknown as ModelCall)]);
    return sessions;
  }
  const next = said('hi', 'more');

  test.each(['isthmus-session', 'x-claude-session-id'])('are told apart by our id in %s', async (name) => {
    const sessions = await twins({}, {});
    for (const [at, session] of sessions.entries()) {
      const answer = await ask(next, { [name]: session });
      expect([answer.session, answer.header('x-claude-session-id')]).toEqual([session, session]);
      expect([replayed(), answer.header('isthmus-session-guessed')]).toEqual([{ 1: `file ${at}` }, null]);
    }
  });

  test.each(['x-session-id', 'x-opencode-session'])('are told apart by the client’s own id in %s', async (name) => {
    const sessions = await twins({ [name]: 'zero' }, { [name]: 'one' });
    for (const [at, own] of ['zero', 'one'].entries()) {
      const answer = await ask(next, { [name]: own });
      expect([answer.session, replayed()]).toEqual([sessions[at], { 1: `file ${at}` }]);
      expect(answer.header('isthmus-session-guessed')).toBeNull();
    }
  });

  test('are guessed where nothing tells, and the answer says so', async () => {
    const sessions = await twins({}, {});
    const answer = await ask(next);
    expect([answer.session, replayed()]).toEqual([sessions[1], { 1: 'file 1' }]);
    expect(answer.header('isthmus-session-guessed')).toBe('1');
  });
});

test('agents that a request brings for a conversation: others than before mean a replay', async () => {
  await setUp();
  const task = (list: string) => ({
    tools: [
      { name: 'task', description: `Available agent types:\n${list}`, input_schema: { type: 'object' as const } },
    ],
  });
  const { session } = await ask(said('one'), {}, task('- looker: looks'));
  const headers = { 'isthmus-session': session };
  expect(house.calls.at(-1)?.agent?.subagents).toMatchObject({ looker: { description: 'looks' } });
  expect((await ask(said('one', 'two'), headers, task('- looker: looks'))).path).toBe('continue');
  const changed = await ask(said('one', 'two', 'three'), headers, task('- looker: looks twice'));
  expect([changed.path, changed.header('isthmus-replay-reason')]).toEqual(['replay', 'the tools have changed']);
  expect(replayed()).toEqual({ 1: 'one', 3: 'two' });
});

test.each([
  ['agent_out_of_time', failure('agent_out_of_time', { seconds: 8 }), 504],
  ['workspace_moved', failure('workspace_moved', { agent: 'docs' }), 500],
])('%s is told, and that a repeat is in vain', async (code, why, status) => {
  await setUp();
  house.use([() => ({ fail: { after_events: 0, failure: why } })]);
  const answer = await ask(said('hi'));
  expect([answer.status, answer.header('isthmus-error'), answer.header('x-should-retry')]).toEqual([
    status,
    code,
    'false',
  ]);
});
