import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Reply, Script } from '../../../scripted-model/script.ts';
import type { Mode } from '../../../src/engine/environment/environment.ts';
import { readUpstreamWords } from '../../../src/engine/turn/upstream-words.ts';
import type { Message, MessagesRequest } from '../../../src/spec/messages.ts';
import { assistant, request, tool, user } from '../../support/engine.ts';
import { until } from '../../support/gateway.ts';
import { testEach } from '../../support/quick.ts';
import { comparable, type Heard, type LiveProcess, LiveProcesses } from './live-process.ts';

/** How a live process takes another conversation: two of the inputs that it stands on are not documented. */

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const IMAGE = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } };
const READ = [tool('read'), tool('write')];
const OTHER_MODEL = 'claude-opus-5-5';

/** The next conversation in most tests. */
const NEXT = request([user('a new beginning')]);
const newest = ({ messages }: MessagesRequest) => messages.at(-1) as Message;
const history = (given: MessagesRequest): MessagesRequest => ({ ...given, messages: given.messages.slice(0, -1) });

const call = (id: string, name: string): Reply => ({ content: [{ type: 'tool_use', id, name, input: { path: id } }] });
const use = (id: string, name = 'read') => ({ type: 'tool_use', id, name, input: { path: id } });
const result = (id: string, content: unknown, rest: object = {}) => ({
  type: 'tool_result',
  tool_use_id: id,
  content,
  ...rest,
});
const isEvent = (message: Heard, type: string) =>
  message.type === 'stream_event' && (message.event as { type: string }).type === type;

describe.each<Mode>(['bare', 'full'])('in %s mode', (mode) => {
  let processes: LiveProcesses;
  /** The process of all tests that leave it as it was; empty when one begins. */
  let live: LiveProcess;
  let fresh: string;
  const ended: LiveProcess[] = [];

  const calls = () => processes.model.requests.length;
  const answering = (...script: Script) => processes.model.use(script);
  const freshly = async (given: MessagesRequest) => comparable(await processes.fresh(given));
  /** What the model is sent for the newest message of a request. */
  const next = async (given = NEXT, process = live) => comparable(await process.ask(newest(given)));
  const empty = async () => expect(await live.rewindTo()).toMatchObject({ rewound: true });

  async function answered(): Promise<LiveProcess> {
    const process = processes.replay(request([user('one'), assistant('uno'), user('two')]));
    await process.untilDone(process.users.at(-1) as string);
    return process;
  }

  beforeAll(async () => {
    processes = await LiveProcesses.open(mode, [NEXT.model, OTHER_MODEL]);
    fresh = await freshly(NEXT);
    live = await answered();
  });
  beforeEach(async () => {
    answering();
    if (live.users.length > 0) await empty();
    await live.become(NEXT);
    live.heard.length = 0;
  });
  afterEach(async ({ task }) => {
    for (const process of ended.splice(0)) process.end();
    if (task.result?.state !== 'fail') return;
    // Else one red test is all of them.
    live.end();
    live = await answered();
  });
  afterAll(() => processes.close());

  testEach([['the first message of its transcript']], () => mode === 'bare')(
    'a rewind to %s empties a process, and its next calls are those of a new one',
    async () => {
      const process = await answered();
      ended.push(process);
      const before = calls();
      for (const _ of ['once', 'twice']) {
        expect(await process.rewindTo()).toMatchObject({ rewound: true });
        expect(await next(NEXT, process)).toBe(fresh);
      }
      expect(calls() - before).toBe(2);
    },
  );

  test('a rewind is refused unless it names the last message that was sent, and a message that there is', async () => {
    for (const words of ['one', 'two', 'three']) await live.ask(user(words));
    const [first, second, last] = live.users as [string, string, string];
    expect(await live.rewind(first)).toMatchObject({ rewound: false, reason: 'stale_target' });
    expect(await live.rewind(first, second)).toMatchObject({ rewound: false, reason: 'unseen_later_turn' });
    expect(await live.rewind(randomUUID(), last)).toMatchObject({ rewound: false, reason: 'target_not_found' });
    await empty();
    expect(await next()).toBe(fresh);
  });

  test('a rewind to a later message leaves what is before it', async () => {
    const given = request([user('one'), assistant('You said: one'), user('something else')]);
    await live.ask(user('one'));
    await live.ask(user('two'));
    expect(await live.rewindTo(1)).toMatchObject({ rewound: true });
    expect(await next(given)).toBe(await freshly(given));
  });

  test('a history is loaded in order and without a call, and the next call is that of a new process', async () => {
    const given = request(
      [
        user('/compact', { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'doc' } }),
        assistant({ type: 'thinking', thinking: 'old', signature: 'signed' }, 'words', use('a'), use('b', 'gone')),
        user(
          result('a', [{ type: 'text', text: 'file' }, IMAGE]),
          result('b', [{ type: 'text', text: 'no' }], { is_error: true }),
        ),
        assistant('one'),
        assistant('two'),
        user('  newest  '),
      ],
      { tools: READ },
    );
    await live.become(given);
    const before = calls();
    const uuids = await live.load(history(given));
    expect(calls()).toBe(before);
    const states = uuids.map((uuid) => live.fate(uuid).filter((state) => state !== 'result'));
    const taken = ['queued', 'started', 'completed'];
    expect(states).toEqual([taken, ['completed'], taken, ['completed'], ['completed']]);
    expect(await next(given)).toBe(await freshly(given));
    // The other is that of the new process.
    expect(calls() - before).toBe(2);
  });

  test('a message that is loaded has a result of its own, before it is done', async () => {
    const [uuid = ''] = await live.load(request([user('loaded')]));
    expect(live.fate(uuid)).toEqual(['queued', 'started', 'result', 'completed']);
    const results = live.heard.filter(({ type }) => type === 'result');
    expect(results).toMatchObject([{ subtype: 'success', num_turns: expect.any(Number) }]);
    expect(results[0]).not.toHaveProperty('terminal_reason');
  });

  test('a turn is done after its result', async () => {
    const uuid = live.say(newest(NEXT));
    await live.untilDone(uuid);
    expect(live.fate(uuid)).toEqual(['queued', 'started', 'result', 'completed']);
  });

  test('results of calls that were loaded are a turn', async () => {
    const given = request(
      [user('look'), assistant(use('a'), use('b', 'write')), user(result('a', 'file'), result('b', 'ok'), 'and now?')],
      { tools: READ },
    );
    await live.become(given);
    await live.load(history(given));
    expect(await next(given)).toBe(await freshly(given));
  });

  test('a rewind into a history that was loaded leaves what is before it', async () => {
    const given = request([user('one'), assistant('uno'), user('other')]);
    await live.become(given);
    await live.load(request([user('one'), assistant('uno'), user('two'), assistant('dos')]));
    await live.ask(user('three'));
    expect(await live.rewindTo(1)).toMatchObject({ rewound: true });
    expect(await next(given)).toBe(await freshly(given));
    await empty();
    expect(await next()).toBe(fresh);
  });

  test('a rewind tells which assistant line is the last one then, one that was loaded or the last one of an answer', async () => {
    answering({
      when: { text: 'three' },
      replies: [
        {
          content: [
            { type: 'thinking', thinking: 'hm', signature: 'signed' },
            { type: 'text', text: 'tres' },
          ],
        },
      ],
    });
    const [, loaded] = await live.load(request([user('one'), assistant('uno'), user('two'), assistant('dos')]));
    await live.ask(user('three'));
    const spoken = live.heard.findLast(({ type }) => type === 'assistant');
    await live.ask(user('four'));
    expect(await live.rewindTo(3)).toMatchObject({ rewound: true, precedingAssistantUuid: spoken?.uuid });
    expect(await live.rewindTo(1)).toMatchObject({ rewound: true, precedingAssistantUuid: loaded });
    expect(await live.rewindTo()).toMatchObject({ rewound: true, precedingAssistantUuid: null });
  });

  test('a history that was loaded, and done with, is taken away before a turn has come', async () => {
    await live.load(request([user('one'), assistant('uno')]));
    await empty();
    expect(await next()).toBe(fresh);
  });

  test('other tools come with a server of another name, and its calls reach it', async () => {
    for (const [at, name] of ['grep', 'read', 'grep'].entries()) {
      const given = request([user('use it')], { tools: [tool(name)] });
      const id = `toolu_${mode}_${at}`;
      answering({ when: { text: 'use it' }, replies: [call(id, name)] });
      if (at > 0) await empty();
      live.heard.length = 0;
      await live.become(given);
      const uuid = live.say(newest(given));
      await live.until('the call is made', (message) => isEvent(message, 'message_stop'));
      expect(live.heard.find(({ subtype }) => subtype === 'init')).toMatchObject({ tools: [name] });
      await live.complete(id, `by ${name}`);
      await live.untilDone(uuid);
      expect(JSON.stringify(processes.model.requests.at(-1)?.body.messages)).toContain(`by ${name}`);
    }
    await empty();
    await live.become(NEXT);
    live.heard.length = 0;
    expect(await next()).toBe(fresh);
    expect(live.heard.find(({ subtype }) => subtype === 'init')).toMatchObject({ tools: [] });
  });

  test('a rewind, other tools and other parameters come in one go', async () => {
    for (const [at, name] of ['grep', 'read', 'grep'].entries()) {
      const given = request([user(`look ${at}`)], {
        tools: [tool(name)],
        parameters: { ...NEXT.parameters, max_tokens: 1_000 + at },
      });
      await live.ask(user('words that go'));
      const [rewound] = await Promise.all([live.rewindTo(), live.become(given)]);
      expect(rewound).toMatchObject({ rewound: true });
      expect(await next(given)).toBe(await freshly(given));
    }
  });

  test('a server of the same name changes nothing', async () => {
    const init = async () => {
      live.heard.length = 0;
      await live.ask(user('which tools?'));
      return live.heard.find(({ subtype }) => subtype === 'init');
    };
    await live.giveTools(request([], { tools: [tool('read')] }), 'same');
    expect(await init()).toMatchObject({ tools: ['read'] });
    await live.giveTools(request([], { tools: [tool('grep')] }), 'same');
    expect(await init()).toMatchObject({ tools: ['read'] });
  });

  test('parameters are changed, betas are not', async () => {
    const given = request([user('warmly')], {
      parameters: { max_tokens: 7, temperature: 0.5, stop_sequences: ['x'] },
      betas: ['context-1m-2025-08-07'],
    });
    await live.become(given);
    expect(await next(given)).toBe(await freshly(given));
    const [used, cold] = processes.model.requests.slice(-2).map(({ headers }) => headers['anthropic-beta']);
    expect(cold).toContain('context-1m');
    expect(used).not.toContain('context-1m');
    await empty();
    await live.become(NEXT);
    expect(await next()).toBe(fresh);
  });

  test(`another model ${mode === 'bare' ? 'leaves no trace' : 'is announced, where the first one was not'}`, async () => {
    const given = { ...NEXT, model: OTHER_MODEL };
    await live.query.setModel(given.model);
    const body = await next(given);
    if (mode === 'bare') expect(body).toBe(await freshly(given));
    else expect(body).toContain('You are powered by the model');
    await empty();
    await live.query.setModel(NEXT.model);
    expect(await next()).toBe(fresh);
  });

  test('a process keeps its session id', async () => {
    await next();
    await empty();
    await next();
    const [one, other] = processes.model.requests.slice(-2).map(({ headers }) => headers['x-claude-code-session-id']);
    expect(one).toMatch(/-/);
    expect(other).toBe(one);
  });

  describe('given up', () => {
    const flags = { interrupt_if_running: true };

    test('while a turn runs, a rewind is refused unless it may interrupt; then it ends the call upstream', async () => {
      answering({
        when: { text: 'slowly' },
        replies: [{ content: [{ type: 'text', text: 'x'.repeat(4_000) }], gap_ms: 100 }],
      });
      const at = calls();
      const uuid = live.say(user('slowly'));
      await live.until('the answer streams', (message) => isEvent(message, 'content_block_delta'));
      expect(await live.rewind(uuid)).toMatchObject({ rewound: false, reason: 'turn_running' });
      expect(await live.rewindTo(0, flags)).toMatchObject({ rewound: true });
      expect(live.fate(uuid)).toEqual(['queued', 'started', 'result', 'cancelled']);
      await until('the call has ended', () => processes.model.requests[at]?.outcome === 'aborted');
      expect(await next()).toBe(fresh);
      expect(calls() - at).toBe(2);
    });

    test('before the model answers', async () => {
      answering({ when: { text: 'silently' }, replies: [{ delay_ms: 60_000 }] });
      const at = calls();
      live.say(user('silently'));
      await until('the model is called', () => calls() > at);
      expect(await live.rewindTo(0, flags)).toMatchObject({ rewound: true });
      await until('the call has ended', () => processes.model.requests[at]?.outcome === 'aborted');
      expect(await next()).toBe(fresh);
      expect(calls() - at).toBe(2);
    });

    test('with held calls, one of which has its result, without another call of the model', async () => {
      const given = request([user('use both')], { tools: READ });
      const [read, write] = [`toolu_${mode}_read`, `toolu_${mode}_write`];
      await live.become(given);
      answering({
        when: { text: 'use both' },
        replies: [{ content: [...(call(read, 'read').content ?? []), ...(call(write, 'write').content ?? [])] }],
      });
      const at = calls();
      const uuid = live.say(newest(given));
      await live.until('the calls are made', (message) => isEvent(message, 'message_stop'));
      await live.complete(read, 'file');
      expect(await live.rewindTo(0, flags)).toMatchObject({ rewound: true });
      expect(live.fate(uuid)).toEqual(['queued', 'started', 'result', 'cancelled']);
      await live.become(NEXT);
      expect(await next()).toBe(fresh);
      expect(calls() - at).toBe(2);
    });

    test('while a refused call waits to be repeated; its failure is told in the API’s own words, as ever', async () => {
      const before = live.entries.length;
      const error = { status: 429, type: 'rate_limit_error', message: 'not so many', headers: { 'retry-after': '30' } };
      answering({ when: { text: 'too much' }, replies: [{ error }] });
      const at = calls();
      live.say(user('too much'));
      await live.until('the wait is announced', ({ subtype }) => subtype === 'api_retry');
      const words = () => readUpstreamWords(live.entries.slice(before)).words;
      await until('the words have come', () => words() !== undefined);
      expect(words()).toMatchObject({ status: 429, type: 'rate_limit_error', message: 'not so many' });
      expect(await live.rewindTo(0, flags)).toMatchObject({ rewound: true });
      expect(await next()).toBe(fresh);
      expect(calls() - at).toBe(2);
    });
  });

  test('after results of held calls the last message that was sent is still the user’s', async () => {
    const given = request([user('use it')], { tools: READ });
    answering({ when: { text: 'use it' }, replies: [call(`toolu_${mode}_0`, 'read')] });
    const process = processes.replay(given);
    ended.push(process);
    await process.until('the call is made', (message) => isEvent(message, 'message_stop'));
    await process.complete(`toolu_${mode}_0`, 'file');
    await process.untilDone(process.users.at(-1) as string);
    expect(await process.rewindTo()).toMatchObject({ rewound: true });
    await process.become(NEXT);
    expect(await next(NEXT, process)).toBe(fresh);
  });

  test('an image in a user message gets a label, so such a message is not for a live process', async () => {
    const body = await live.ask(user('look', IMAGE));
    expect(JSON.stringify(body.messages)).toContain('[Image: source: ');
    await empty();
    expect(await next()).toBe(fresh);
  });

  test.runIf(mode === 'bare')('a claimed spare is emptied like any process', async () => {
    const process = await processes.claimed(NEXT);
    ended.push(process);
    await process.become(request([], { tools: READ }));
    await process.ask(user('first'));
    expect(await process.rewindTo()).toMatchObject({ rewound: true });
    await process.become(NEXT);
    expect(await next(NEXT, process)).toBe(fresh);
  });

  test('a process that waits behind an answered message of ours calls nothing, and is emptied for its first turn', async () => {
    const before = calls();
    const process = await processes.waiting(NEXT);
    ended.push(process);
    expect(await process.rewindTo()).toMatchObject({ rewound: true });
    await process.become(NEXT);
    expect(calls()).toBe(before);
    expect(await next(NEXT, process)).toBe(fresh);
    expect(calls() - before).toBe(1);
  });
});
