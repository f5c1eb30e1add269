import { describe, expect, test as testOfAll, vi } from 'vitest';
import type { Reply } from '../../scripted-model/script.ts';
import { stableJson } from '../../src/conversation/canonical.ts';
import type { ConversationProcess, Engine } from '../../src/spec/engine.ts';
import type { Message, MessagesRequest } from '../../src/spec/messages.ts';
import { asTheModelSees } from '../support/as-the-model-sees.ts';
import { assistant, collect, finish, NO_LISTENER, PATIENT, request, tool, user } from '../support/engine.ts';
import type { TestOf } from '../support/test-parts.ts';
import { type EngineUnderTest, setUpEngine } from './engine-under-test.ts';

const TEXT: Reply = { content: [{ type: 'text', text: 'an answer' }] };
const CALL: Reply = { content: [{ type: 'tool_use', id: 'toolu_a', name: 'read', input: {} }] };
const SAID = assistant('an answer');
const READ = { tools: [tool('read')] };

const result = (id: string) => user({ type: 'tool_result', tool_use_id: id, content: 'r' });
const seen = (messages: Message[]) => asTheModelSees(messages, { withThinking: false });

/** The contract of the loads of `src/spec/engine.ts`, for an engine whose processes take other conversations, as {@link describeEngine}. */
export function describeLoads(
  name: string,
  makeEngine: () => Promise<EngineUnderTest>,
  test: TestOf = testOfAll,
): void {
  describe(`${name}: a process takes another conversation`, () => {
    let made: EngineUnderTest;
    let engine: Engine;
    setUpEngine(makeEngine, (ready) => {
      made = ready;
      engine = ready.engine;
    });

    /** A process that has answered these messages; the model answers by the replies from then on. */
    const answered = async (messages: Message[], replies: Reply[] = [], first = TEXT): Promise<ConversationProcess> => {
      made.use([{ replies: [first, ...replies, TEXT] }]);
      const { process } = await finish(engine.replay(request(messages, READ), NO_LISTENER));
      return process;
    };
    /** Holds that the load calls the model once, and that it sees the request's messages. */
    const loaded = async (process: ConversationProcess, asked: MessagesRequest, shared: number) => {
      const before = made.calls().length;
      const last = (await collect(await process.load(asked, shared, PATIENT))).at(-1);
      expect(last?.type).toBe('message_stop');
      expect(made.calls().slice(before)).toEqual([seen(asked.messages)]);
    };

    test('that begins, and goes on with it', async () => {
      const process = await answered([user('hi')]);
      const loading = process.load(request([user('ho')], READ), 0, PATIENT);
      expect(process.state).toBe('streaming');
      await collect(await loading);
      expect(process).toMatchObject({ state: 'idle', loads: 1, heldIds: [] });
      expect(made.calls().at(-1)).toEqual(seen([user('ho')]));
      const next = [user('ho'), SAID, user('more')];
      await collect(await process.continue(request(next, READ), PATIENT));
      expect(made.calls().at(-1)).toEqual(seen(next));
    });

    test('with a history, and calls no model for it', async () => {
      const process = await answered([user('hi')]);
      const history = [user('one'), assistant('two'), user('three'), assistant('four'), user('five')];
      expect(process.messagesToLoad(request(history, READ), 0)).toBe(4);
      await loaded(process, request(history, READ), 0);
      await loaded(process, request([user('six')], READ), 0);
      expect(process.loads).toBe(2);
    });

    test('with a history of calls and their results', async () => {
      const process = await answered([user('hi')]);
      const call = assistant('I look.', { type: 'tool_use', id: 'toolu_x', name: 'read', input: { path: 'a' } });
      await loaded(process, request([user('one'), call, result('toolu_x'), assistant('so'), user('two')], READ), 0);
    });

    test.each<[string, Message[], number]>([
      ['an earlier question, asked otherwise', [user('hi'), SAID, user('something else')], 2],
      ['an earlier answer, edited', [user('hi'), assistant('edited'), user('more')], 1],
      ['its first question, asked again', [user('hi')], 0],
      ['its latest question, asked again', [user('hi'), SAID, user('more')], 2],
    ])('that is its own from %s', async (_what, messages, shared) => {
      const process = await answered([user('hi')]);
      const more = [user('hi'), SAID, user('more')];
      await collect(await process.continue(request(more, READ), PATIENT));
      // By its limit it is told from a call that Claude Code makes by itself.
      const parameters = { ...request([]).parameters, max_tokens: 77 };
      await loaded(process, request(messages, { ...READ, parameters }), shared);
      const next = [...messages, SAID, user('and on')];
      await collect(await process.continue(request(next, READ), PATIENT));
      expect(made.calls().at(-1)).toEqual(seen(next));
    });

    test('of a history that was replayed, up to any of its questions', async () => {
      const history = [user('one'), assistant('two'), user('three'), assistant('four'), user('five')];
      const process = await answered(history);
      const cut = request([...history.slice(0, 2), user('else')], READ);
      expect(process.messagesToLoad(cut, 2)).toBe(0);
      await loaded(process, cut, 2);
    });

    test('when it holds calls, which it then forgets', async () => {
      const process = await answered([user('hi')], [], CALL);
      expect(process.state).toBe('held');
      await loaded(process, request([user('ho')], READ), 0);
      expect(process).toMatchObject({ state: 'idle', heldIds: [] });
    });

    test('and its tools, which it then calls', async () => {
      const write: Reply = { content: [{ type: 'tool_use', id: 'toolu_w', name: 'write', input: {} }] };
      const process = await answered([user('hi')], [write]);
      const tools = [tool('write')];
      await loaded(process, request([user('ho')], { tools }), 0);
      expect(process).toMatchObject({ state: 'held', heldIds: ['toolu_w'], toolsKey: stableJson(tools) });
      const next = request(
        [user('ho'), assistant({ type: 'tool_use', id: 'toolu_w', name: 'write', input: {} }), result('toolu_w')],
        { tools },
      );
      await collect(await process.continue(next, PATIENT));
      expect(made.calls().at(-1)).toEqual(seen(next.messages));
    });

    test('and tells its listener of each turn', async () => {
      const heard: string[] = [];
      made.use([{ replies: [TEXT] }]);
      const { process } = await finish(
        engine.replay(request([user('hi')], READ), {
          onSpawned: () => undefined,
          onParked: ({ state }) => heard.push(state),
          onEnded: ({ state }) => heard.push(state),
        }),
      );
      await loaded(process, request([user('ho')], READ), 0);
      process.end();
      expect(heard).toEqual(['idle', 'idle', 'ended']);
    });

    test('but not when its client has gone: it ends, and the model is not called', async () => {
      const process = await answered([user('hi')]);
      expect(await process.load(request([user('ho')], READ), 0, AbortSignal.abort())).toBeUndefined();
      expect(process.state).toBe('ended');
      expect(made.calls()).toHaveLength(1);
    });

    test('but not when it has ended', async () => {
      const process = await answered([user('hi')]);
      made.kill(process);
      await vi.waitFor(() => expect(process.state).toBe('ended'), { timeout: 60_000 });
      expect(await process.load(request([user('ho')], READ), 0, PATIENT)).toBeUndefined();
      expect(made.calls()).toHaveLength(1);
    });

    test('by a key of what it cannot change', async () => {
      expect(engine.reuse).toBe('on');
      const process = await answered([user('hi')]);
      const keyOf = (rest: Partial<MessagesRequest>) => engine.reuseKey(request([user('ho')], { ...READ, ...rest }));
      expect(keyOf({})).toBe(process.reuseKey);
      expect(keyOf({ tools: [tool('write')], parameters: { max_tokens: 7 } })).toBe(process.reuseKey);
      expect(keyOf({ system: 'Another.' })).not.toBe(process.reuseKey);
      expect(keyOf({ betas: ['interleaved-thinking-2025-05-14'] })).not.toBe(process.reuseKey);
    });

    test('also as a spare', async () => {
      made.use([{ replies: [TEXT] }]);
      const spare = await engine.spawnSpare();
      const history = [user('one'), assistant('two'), user('three')];
      const begun = await spare.claim(request(history, READ), NO_LISTENER, PATIENT);
      if (!begun) throw new Error('it was not claimed');
      await finish(begun);
      expect(made.calls()).toEqual([seen(history)]);
      expect(begun.process.reuseKey).toBe(engine.reuseKey(request(history, READ)));
      await loaded(begun.process, request([user('ho')], READ), 0);
    });
  });
}
