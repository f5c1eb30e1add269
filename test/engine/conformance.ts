import { describe, expect, test as testOfAll, vi } from 'vitest';
import type { Reply } from '../../scripted-model/script.ts';
import { stableJson } from '../../src/conversation/canonical.ts';
import type { CountedPlaces } from '../../src/spec/counted-part.ts';
import type { BegunTurn, ConversationProcess, Engine, ProcessListener } from '../../src/spec/engine.ts';
import { failure } from '../../src/spec/failures.ts';
import type { Message } from '../../src/spec/messages.ts';
import type { TurnEvent } from '../../src/spec/turn-events.ts';
import { asTheModelSees } from '../support/as-the-model-sees.ts';
import { assistant, collect, finish, NO_LISTENER, PATIENT, request, tool, user } from '../support/engine.ts';
import { foldMessage } from '../support/fold-message.ts';
import type { StreamEvent } from '../support/sse-frames.ts';
import type { TestOf } from '../support/test-parts.ts';
import { type EngineUnderTest, setUpEngine } from './engine-under-test.ts';

const TEXT: Reply = { content: [{ type: 'text', text: 'some words that take several deltas' }] };
const CALLS: Reply = {
  content: [
    { type: 'text', text: 'I look.' },
    { type: 'tool_use', id: 'toolu_a', name: 'read', input: { path: 'a' } },
    { type: 'tool_use', id: 'toolu_b', name: 'read', input: { path: 'b' } },
  ],
};
/** No event comes before the turn is ended. */
const SILENT: Reply = { ...TEXT, delay_ms: 100_000 };
/** Some events come, and no more before the turn is ended. */
const HALTING: Reply = { ...TEXT, cut: { after_events: 4, how: 'silence' } };
const READ = { tools: [tool('read')] };

const result = (id: string, text: string) => ({ type: 'tool_result', tool_use_id: id, content: text });
const seen = (messages: Message[]) => asTheModelSees(messages, { withThinking: false });
const isTerminal = ({ type }: TurnEvent) => type === 'message_stop' || type === 'failure';

/** Writes down what a listener hears, in its order. */
function listening() {
  const heard: string[] = [];
  const listener: ProcessListener = {
    onSpawned: () => {
      if (!heard.includes('spawned')) heard.push('spawned');
    },
    onEnded: ({ state }) => heard.push(`ended: ${state}`),
    onParked: ({ state }) => heard.push(`parked: ${state}`),
  };
  return { heard, listener };
}

/** Reads a turn until its first event has come; what it returns reads the rest. */
async function begunAnswer(events: AsyncIterable<TurnEvent>): Promise<() => Promise<TurnEvent[]>> {
  const iterator = events[Symbol.asyncIterator]();
  const { value } = await iterator.next();
  return async () => [value as TurnEvent, ...(await collect({ [Symbol.asyncIterator]: () => iterator }))];
}

/**
 * The contract of `src/spec/engine.ts`, sentence by sentence. What a model answers is told by the scripted model's rules,
 * so that each case is the same for every engine.
 *
 * @param test declares the cases, if not all of them are for every day
 */
export function describeEngine(
  name: string,
  makeEngine: () => Promise<EngineUnderTest>,
  test: TestOf = testOfAll,
): void {
  describe(name, () => {
    let made: EngineUnderTest;
    let engine: Engine;
    setUpEngine(makeEngine, (ready) => {
      made = ready;
      engine = ready.engine;
    });

    const answering = (...replies: Reply[]) => made.use([{ replies }]);
    const begin = (messages: Message[], rest = {}, listener: ProcessListener = NO_LISTENER) =>
      engine.replay(request(messages, rest), listener);
    /** A process that has given its first answer. */
    const answered = async (reply: Reply, listener?: ProcessListener): Promise<ConversationProcess> => {
      answering(reply, TEXT);
      return (await finish(begin([user('hi')], READ, listener))).process;
    };
    const more = request([user('hi'), assistant('…'), user('more')], READ);
    const results = request(
      [user('hi'), assistant('…'), user(result('toolu_a', 'text of a'), result('toolu_b', 'text of b'))],
      READ,
    );

    describe('a turn', () => {
      test('is the raw events of the model, then `message_stop` with the answer that they fold to', async () => {
        answering({ ...CALLS, delta_length: 3 });
        const events = await collect(begin([user('hi')], READ).events);
        const { type, answer } = events.at(-1) as Extract<TurnEvent, { type: 'message_stop' }>;
        expect(type).toBe('message_stop');
        expect(answer.content).toEqual(CALLS.content);
        expect(answer).toMatchObject({ stop_reason: 'tool_use', stop_sequence: null, model: 'claude-sonnet-5' });
        expect(foldMessage(events.slice(0, -1) as StreamEvent[])).toEqual(answer);
        expect(events.filter(isTerminal)).toHaveLength(1);
      });

      test('brings the whole history to the model', async () => {
        const messages = [user('one'), assistant('two'), user('three')];
        await collect(begin(messages).events);
        expect(made.calls()).toEqual([seen(messages)]);
      });

      test('that the model refuses ends with the failure as data, and the process ends', async () => {
        answering({ error: { status: 400, type: 'invalid_request_error', message: 'messages.0: bad' } });
        const { process, events } = begin([user('hi')]);
        expect(await collect(events)).toEqual([
          {
            type: 'failure',
            failure: expect.objectContaining({
              code: 'upstream_error',
              status: 400,
              type: 'invalid_request_error',
              message: 'messages.0: bad',
              requestId: expect.stringMatching(/^req_msg_scripted_/),
            }),
          },
        ]);
        expect(process.state).toBe('ended');
      });

      test.each<[string, Reply, object]>([
        [
          'an error event',
          { ...TEXT, stream_error: { after_events: 3, type: 'overloaded_error', message: 'Overloaded' } },
          { code: 'upstream_error', type: 'overloaded_error' },
        ],
        ['its end', { ...TEXT, cut: { after_events: 4, how: 'end' } }, { code: 'upstream_cut' }],
      ])('that breaks by %s has its events, then one failure, and the process ends', async (_how, reply, found) => {
        answering(reply);
        const { process, events } = begin([user('hi')]);
        const all = await collect(events);
        expect(all.map(({ type }) => type)).toEqual([
          'message_start',
          'content_block_start',
          ...Array((reply.cut ?? reply.stream_error)?.after_events ?? 0)
            .fill('content_block_delta')
            .slice(2),
          'failure',
        ]);
        expect(all.at(-1)).toMatchObject({ failure: found });
        expect(process.state).toBe('ended');
      });

      test('whose call has an input that is no JSON is complete, and says that its answer is not', async () => {
        answering({ content: [{ type: 'tool_use', name: 'read', input: {}, raw_input: '{"path": "/etc' }] });
        const { process, last } = await finish(begin([user('hi')], READ));
        expect(last).toMatchObject({ type: 'message_stop', unfoldable: { code: 'upstream_cut' } });
        expect(process.state).toBe('ended');
      });

      test('that a limit has cut is complete; the process ends, and the model is not called again', async () => {
        answering({ ...TEXT, stop_reason: 'max_tokens' });
        const { process, last } = await finish(begin([user('hi')]));
        expect(last).toMatchObject({ type: 'message_stop', answer: { stop_reason: 'max_tokens' } });
        expect(process.state).toBe('ended');
        expect(made.calls()).toHaveLength(1);
      });
    });

    describe('a process', () => {
      test('is `streaming` until its first answer, then `idle`', async () => {
        const { process, events } = begin([user('hi')]);
        expect(process).toMatchObject({ state: 'streaming', turns: 1, heldIds: [] });
        const begunAt = process.changedAt;
        await collect(events);
        expect(process).toMatchObject({ state: 'idle', turns: 1, heldIds: [] });
        expect(process.changedAt).toBeGreaterThan(begunAt);
      });

      test('takes a user message when it is idle', async () => {
        const process = await answered(TEXT);
        const taken = process.continue(more, PATIENT);
        expect(process).toMatchObject({ state: 'streaming', turns: 2 });
        const last = (await collect(await taken)).at(-1);
        expect(last).toMatchObject({ type: 'message_stop', answer: { content: TEXT.content } });
        expect(process).toMatchObject({ state: 'idle', turns: 2 });
        expect(made.calls().at(-1)).toEqual([
          ...seen([user('hi')]),
          { role: 'assistant', content: TEXT.content },
          ...seen([user('more')]),
        ]);
      });

      test('takes the results when it holds calls, in their order', async () => {
        const process = await answered(CALLS);
        expect(process).toMatchObject({ state: 'held', heldIds: ['toolu_a', 'toolu_b'] });
        const last = (await collect(await process.continue(results, PATIENT))).at(-1);
        expect(last).toMatchObject({ type: 'message_stop', answer: { content: TEXT.content } });
        expect(process).toMatchObject({ state: 'idle', turns: 2, heldIds: [] });
        expect(made.calls().at(-1)).toEqual([
          ...seen([user('hi')]),
          { role: 'assistant', content: CALLS.content },
          ...seen(results.messages.slice(-1)),
        ]);
      });

      test('shows the model text behind a call before the calls, and no blank text', async () => {
        const content = [...(CALLS.content ?? []).slice(1), { type: 'text' as const, text: 'I look.' }];
        const process = await answered({ content: [{ type: 'text', text: '\n\n' }, ...content] });
        await collect(await process.continue(results, PATIENT));
        expect(made.calls().at(-1)?.[1]).toEqual({ role: 'assistant', content: CALLS.content });
      });

      test('that holds calls again after results holds the new ones', async () => {
        answering(CALLS, { content: [{ type: 'tool_use', id: 'toolu_c', name: 'read', input: {} }] });
        const { process } = await finish(begin([user('hi')], READ));
        await collect(await process.continue(results, PATIENT));
        expect(process).toMatchObject({ state: 'held', heldIds: ['toolu_c'] });
      });

      test('that has ended takes nothing, and nothing reaches the model', async () => {
        const process = await answered(TEXT);
        process.end();
        expect(await process.continue(more, PATIENT)).toBeUndefined();
        expect(made.calls()).toHaveLength(1);
      });

      test.each(['idle', 'held'])(
        'that is %s ends when the client has gone before it takes the turn',
        async (state) => {
          const { heard, listener } = listening();
          const process = await answered(state === 'idle' ? TEXT : CALLS, listener);
          expect(process.state).toBe(state);
          expect(await process.continue(state === 'idle' ? more : results, AbortSignal.abort())).toBeUndefined();
          expect(heard).toEqual(['spawned', `parked: ${state}`, 'ended: ended']);
          expect(made.calls()).toHaveLength(1);
        },
      );

      test('fails its next turn as data, too', async () => {
        answering(TEXT, { error: { status: 529, type: 'overloaded_error', message: 'busy' } });
        const { process } = await finish(begin([user('hi')], READ));
        const events = await collect(await process.continue(more, PATIENT));
        expect(events).toMatchObject([{ type: 'failure', failure: { code: 'upstream_error', status: 529 } }]);
        expect(process.state).toBe('ended');
      });

      test('has its tools and betas as JSON with sorted keys', () => {
        const { name, description, input_schema } = tool('read');
        const betas = ['interleaved-thinking-2025-05-14'];
        const [first, reordered, other] = [
          { tools: [tool('read')] },
          { tools: [{ input_schema, description, name } as ReturnType<typeof tool>] },
          { tools: [tool('read'), tool('write')], betas },
        ].map((rest) => begin([user('hi')], rest).process) as [
          ConversationProcess,
          ConversationProcess,
          ConversationProcess,
        ];
        expect(reordered.toolsKey).toBe(first.toolsKey);
        expect(reordered.betasKey).toBe(first.betasKey);
        expect(other.toolsKey).toBe(stableJson([tool('read'), tool('write')]));
        expect(other.betasKey).toBe(stableJson(betas));
        expect([first.toolsKey, first.betasKey]).toEqual([stableJson(READ.tools), '[]']);
        expect(new Set([first.id, reordered.id, other.id]).size).toBe(3);
        for (const process of [first, reordered, other]) process.end();
      });
    });

    describe('the end of a process', () => {
      test.each<[string, Reply]>([
        ['before its first event', SILENT],
        ['within its answer', HALTING],
      ])('%s is the failure of its turn, `client_gone` unless told', async (_when, reply) => {
        for (const why of [undefined, failure('shutting_down')]) {
          answering(reply);
          const { process, events } = begin([user('hi')]);
          const rest = reply === HALTING ? await begunAnswer(events) : () => collect(events);
          if (reply === SILENT) await vi.waitFor(() => expect(made.calls()).toHaveLength(1), { timeout: 60_000 });
          process.end(why);
          const all = await rest();
          expect(all.at(-1)).toEqual({ type: 'failure', failure: why ?? failure('client_gone') });
          expect(all.filter(isTerminal)).toHaveLength(1);
          expect(process.state).toBe('ended');
          expect(made.calls()).toHaveLength(1);
        }
      });

      test('at once after it was begun is its failure as well, and the model is not called', async () => {
        const { process, events } = begin([user('hi')]);
        process.end();
        expect(await collect(events)).toEqual([{ type: 'failure', failure: failure('client_gone') }]);
        await engine.allGone();
        expect(made.calls()).toEqual([]);
      });

      test.each<[string, Reply]>([
        ['idle', TEXT],
        ['held', CALLS],
      ])('while it is %s calls no model, and is told once', async (state, reply) => {
        const { heard, listener } = listening();
        const process = await answered(reply, listener);
        process.end();
        process.end();
        await engine.allGone();
        expect(heard).toEqual(['spawned', `parked: ${state}`, 'ended: ended']);
        expect(process.heldIds).toEqual([]);
        expect(made.calls()).toHaveLength(1);
      });

      test('by a kill is the failure of its turn, with the signal', async () => {
        answering(HALTING);
        const { heard, listener } = listening();
        const { process, events } = begin([user('hi')], {}, listener);
        const rest = await begunAnswer(events);
        made.kill(process);
        expect((await rest()).at(-1)).toMatchObject({
          type: 'failure',
          failure: { code: 'process_lost', process: { code: null, signal: 'SIGKILL' } },
        });
        expect(process.state).toBe('ended');
        expect(heard).toEqual(['spawned', 'ended: ended']);
      });

      test('by a kill while it waits is told, and it takes nothing any more', async () => {
        const { heard, listener } = listening();
        const process = await answered(CALLS, listener);
        made.kill(process);
        await vi.waitFor(() => expect(heard).toEqual(['spawned', 'parked: held', 'ended: ended']), { timeout: 60_000 });
        expect(await process.continue(results, PATIENT)).toBeUndefined();
        expect(made.calls()).toHaveLength(1);
      });
    });

    describe('a listener', () => {
      test('hears of the spawn before the first event, of each completed turn, and of the end', async () => {
        answering(CALLS, TEXT);
        const { heard, listener } = listening();
        const { process, events } = begin([user('hi')], READ, listener);
        expect(heard).toEqual([]);
        const rest = await begunAnswer(events);
        expect(heard[0]).toBe('spawned');
        await rest();
        await collect(await process.continue(results, PATIENT));
        process.end();
        expect(heard).toEqual(['spawned', 'parked: held', 'parked: idle', 'ended: ended']);
      });

      test('hears of no park after a failure, and of the end', async () => {
        answering({ error: { status: 400, type: 'invalid_request_error', message: 'bad' } });
        const { heard, listener } = listening();
        await finish(begin([user('hi')], {}, listener));
        expect(heard).toEqual(['spawned', 'ended: ended']);
      });
    });

    describe('a spare', () => {
      test('becomes the process of a conversation, and its end is harmless then', async () => {
        answering(CALLS, TEXT);
        const spare = await engine.spawnSpare();
        const exited = vi.fn();
        void spare.exited.then(exited);
        const { heard, listener } = listening();
        const begun = await spare.claim(request([user('hi')], READ), listener, PATIENT);
        const { process, last } = await finish(begun as BegunTurn);
        expect(last).toMatchObject({ type: 'message_stop', answer: { content: CALLS.content } });
        spare.end();
        expect(process).toMatchObject({ state: 'held', turns: 1 });
        expect((await collect(await process.continue(results, PATIENT))).at(-1)).toMatchObject({
          type: 'message_stop',
        });
        expect(made.calls().map(({ length }) => length)).toEqual([1, 3]);
        process.end();
        expect(heard).toEqual(['spawned', 'parked: held', 'parked: idle', 'ended: ended']);
        expect(exited).not.toHaveBeenCalled();
      });

      test('that is discarded exits, and cannot be claimed', async () => {
        const spare = await engine.spawnSpare();
        spare.end();
        await spare.exited;
        expect(await spare.claim(request([user('hi')]), NO_LISTENER, PATIENT)).toBeUndefined();
        expect(made.calls()).toEqual([]);
      });

      test('whose client has gone is not claimed, and is gone', async () => {
        const spare = await engine.spawnSpare();
        expect(await spare.claim(request([user('hi')]), NO_LISTENER, AbortSignal.abort())).toBeUndefined();
        await engine.allGone();
        expect(made.calls()).toEqual([]);
      });
    });

    describe('an engine', () => {
      test('says which credential pays, and its models', async () => {
        const { account, models } = await engine.introduction();
        expect(account).toMatchObject({ apiKeySource: 'ANTHROPIC_API_KEY' });
        expect(models.length).toBeGreaterThan(1);
        for (const { id, aliases } of models) expect([typeof id, Array.isArray(aliases)]).toEqual(['string', true]);
        expect(made.calls()).toEqual([]);
      });

      test('has no sign-in where a key pays', () => {
        expect(engine.signIn).toBeUndefined();
      });

      test('counts tokens without a call of the model', async () => {
        const onSpawned = vi.fn();
        const count = (parts: CountedPlaces) =>
          engine.countTokens({ model: 'claude-sonnet-5' }, parts, onSpawned, PATIENT);
        const words = 'word '.repeat(500);
        const short = await count({
          conversation: { kind: 'text', text: 'hi' },
          prompt: { kind: 'text', text: words },
        });
        expect(onSpawned).toHaveBeenCalledOnce();
        const { conversation = 0, prompt = 0 } = short;
        expect(conversation).toBeGreaterThan(0);
        expect(prompt).toBeGreaterThan(conversation + 400);
        const long = await count({
          conversation: { kind: 'messages', messages: [user(words), assistant('so'), user('more')] },
          prompt: { kind: 'system', text: words },
          tools: { kind: 'tools', tools: [tool('read'), tool('write')] },
        });
        expect(long.conversation).toBeGreaterThan(conversation + 400);
        expect(long.prompt).toBeGreaterThan(400);
        expect(long.tools).toBeGreaterThan(0);
        expect(made.calls()).toEqual([]);
      });

      test('gives a count up for a client that has gone', async () => {
        const parts: CountedPlaces = { conversation: { kind: 'text', text: 'hi' } };
        expect(await engine.countTokens({ model: 'm' }, parts, () => undefined, AbortSignal.abort())).toEqual({});
        await engine.allGone();
      });

      test('ends every process, also those that nobody has yet, and says when they are gone', async () => {
        answering(HALTING, TEXT);
        const { process, events } = begin([user('hi')]);
        const rest = await begunAnswer(events);
        const idle = await finish(begin([user('hi')]));
        const spare = await engine.spawnSpare();
        const starting = engine.spawnSpare();
        engine.endAll();
        await expect(starting).rejects.toThrow();
        await Promise.all([spare.exited, engine.allGone()]);
        expect((await rest()).at(-1)).toMatchObject({ type: 'failure', failure: { code: 'process_lost' } });
        expect([process.state, idle.process.state]).toEqual(['ended', 'ended']);
        expect(made.calls()).toHaveLength(2);
      });
    });
  });
}
