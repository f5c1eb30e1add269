import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Gateway } from '../../src/gateway/gateway.ts';
import type { Way } from '../../src/gateway/ways.ts';
import { failureOf } from '../../src/spec/failures.ts';
import type { ContentBlock, Message, MessagesRequest } from '../../src/spec/messages.ts';
import type { TurnEvent } from '../../src/spec/turn-events.ts';
import type { Faults } from '../../test-engine/faults.ts';
import type { ModelCall } from '../../test-engine/play.ts';
import type { EngineReply } from '../../test-engine/reply.ts';
import { ScriptedAnswers } from '../../test-engine/scripted-answers.ts';
import { TestEngine } from '../../test-engine/test-engine.ts';
import { asTheModelSees } from '../support/as-the-model-sees.ts';
import { checkProperty, depthOf } from '../support/depth.ts';
import { request, tool } from '../support/engine.ts';
import { ROOMY } from '../support/gateway-in-process.ts';

/**
 * Callers that begin conversations, go on, undo, edit, fork, ask again and bring the history of another caller, at one time,
 * while processes are killed and fail. Every call of the model is what a new process would be given, and has no word of another
 * conversation or caller.
 */

const STEPS = {
  begin: 4,
  'go on': 8,
  undo: 2,
  edit: 1,
  fork: 1,
  again: 1,
  import: 2,
  borrow: 1,
  kill: 1,
};
const FAULTS = ['load', 'continue', 'claim', 'spawnSpare'] as const satisfies ReadonlyArray<keyof Faults>;
const ANSWERS = ['text', 'text', 'call', 'think', 'cut'] as const;

const seldom = <Value>(arbitrary: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 7, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

const step = fc.record({
  what: fc.oneof(
    ...Object.entries(STEPS).map(([what, weight]) => ({ weight, arbitrary: fc.constant(what as keyof typeof STEPS) })),
  ),
  /** Chooses the conversation, the process, the message. */
  which: fc.nat(99),
  where: fc.nat(99),
  answer: fc.constantFrom(...ANSWERS),
  /** What the request has beside its messages. */
  caller: fc.constantFrom('ann', 'bob'),
  system: fc.oneof(
    { weight: 5, arbitrary: fc.constant('You help.') },
    { weight: 1, arbitrary: fc.constant('You translate.') },
  ),
  model: fc.constantFrom('claude-sonnet-5', 'claude-opus-5-5'),
  tools: fc.constantFrom<string[]>([], [], ['read'], ['read', 'write']),
  betas: fc.constantFrom<string[]>([], [], [], [], ['interleaved-thinking-2025-05-14']),
  changesTools: seldom(fc.constant(true)),
  /** After so many ticks the client leaves. */
  leaves: seldom(fc.nat(12)),
});
const batch = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 6, size: 'max' }),
  fault: seldom(fc.constantFrom(...FAULTS)),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;
type Batch = typeof batch extends fc.Arbitrary<infer Value> ? Value : never;

interface Conversation extends Pick<MessagesRequest, 'system' | 'model' | 'tools' | 'betas'> {
  caller: string;
  /** They end with an answer. */
  messages: Message[];
}

interface Asked {
  request: MessagesRequest;
  caller: string;
  times: number;
}

const text = (words: string): ContentBlock => ({ type: 'text', text: words });
const isQuestion = ({ role, content }: Message) => role === 'user' && content.every(({ type }) => type === 'text');
const tagsIn = (value: unknown): string[] => JSON.stringify(value).match(/\b(?:ann|bob)-\d+/g) ?? [];

class World {
  readonly ways: Way[] = [];
  readonly #answers = new ScriptedAnswers(
    [({ messages }) => this.#reply(messages as unknown as Message[])],
    async () => {
      for (let ticks = 0; ticks < this.#ticks; ticks += 1) await setImmediate();
    },
  );
  readonly #engine = new TestEngine({ answer: this.#answers.answer });
  readonly #gateway = new Gateway(this.#engine, { ...ROOMY, processes: 4, spares: 1, spawnsAtATime: 2 });
  readonly #conversations: Conversation[] = [];
  /** Requests by the tag of their newest message. */
  readonly #asked = new Map<string, Asked>();
  /** By the ids of processes. */
  readonly #callerOf = new Map<number, string>();
  #tags = 0;
  #ticks = 1;

  async play({ steps, fault }: Batch): Promise<void> {
    if (fault) this.#engine.faults[fault] = 'fails';
    const mayFail = fault !== null || steps.some(({ what }) => what === 'kill');
    await Promise.all(steps.map((one) => this.#take(one, mayFail)));
    if (fault) delete this.#engine.faults[fault];
  }

  async end(): Promise<void> {
    for (const call of this.#answers.calls) this.#check(call);
    this.#gateway.endAll();
    await this.#engine.allGone();
    expect([...this.#engine.processes, ...this.#engine.spares]).toEqual([]);
  }

  #check(call: ModelCall): void {
    const asked = this.#asked.get(tagsIn(call.messages.at(-1)).at(0) ?? '');
    if (!asked) throw new Error('nobody has asked this');
    const { messages, model, system, tools, parameters, betas } = asked.request;
    expect(seen(call.messages)).toEqual(seen(messages));
    expect({ ...call, messages: [] }).toMatchObject({ messages: [], model, system, tools, parameters, betas });
    expect(tagsIn(messages)).toEqual(expect.arrayContaining(tagsIn(call)));
    expect(this.#callerOf.get(call.process) ?? asked.caller).toBe(asked.caller);
    this.#callerOf.set(call.process, asked.caller);
    asked.times -= 1;
    expect(asked.times).toBeGreaterThanOrEqual(0);
  }

  async #take(one: Step, mayFail: boolean): Promise<void> {
    const { what, which, where, caller } = one;
    await ticks(which % 4);
    if (what === 'kill') {
      const { processes } = this.#engine;
      processes[which % Math.max(1, processes.length)]?.lose();
      return;
    }
    // One of the latest: its process may just be waited for, or taken.
    const chosen = this.#conversations.at(-1 - (which % Math.min(4, Math.max(1, this.#conversations.length))));
    if (what === 'begin' || what === 'import' || !chosen) {
      const begun: Conversation = { ...one, tools: one.tools.map(tool), messages: [] };
      if (what === 'import') begun.messages = this.#history(caller, 1 + (where % 3));
      this.#conversations.push(begun);
      return this.#ask(begun, [...begun.messages, this.#question(caller, one)], one, mayFail);
    }
    if (one.changesTools && what !== 'again') chosen.tools = one.tools.map(tool);
    const { messages } = chosen;
    const questions = messages.flatMap((message, at) => (isQuestion(message) ? [at] : []));
    const at = questions[where % Math.max(1, questions.length)] ?? 0;
    switch (what) {
      case 'go on':
        return this.#ask(chosen, [...messages, this.#next(chosen, one)], one, mayFail);
      case 'undo':
        return this.#ask(chosen, [...messages.slice(0, at), this.#question(chosen.caller, one)], one, mayFail);
      case 'fork': {
        const fork = { ...chosen };
        this.#conversations.push(fork);
        return this.#ask(fork, [...messages.slice(0, at), this.#question(chosen.caller, one)], one, mayFail);
      }
      case 'borrow': {
        // Another caller sends the same history.
        const borrowed = { ...chosen, caller: chosen.caller === 'ann' ? 'bob' : 'ann' };
        this.#conversations.push(borrowed);
        return this.#ask(borrowed, [...messages, this.#next(borrowed, one)], one, mayFail);
      }
      case 'edit': {
        const edited = messages.map((message, index) =>
          index === at + 1 && !message.content.some(({ type }) => type === 'tool_use')
            ? { ...message, content: [text(`edited ${this.#tag(chosen.caller)}`)] }
            : message,
        );
        return this.#ask(chosen, [...edited, this.#next({ ...chosen, messages: edited }, one)], one, mayFail);
      }
      case 'again':
        // A request that was lost has no answer yet.
        if (messages.length > 1) await this.#ask(chosen, messages.slice(0, -1), one, mayFail);
    }
  }

  async #ask(
    conversation: Conversation,
    messages: Message[],
    { leaves, where }: Step,
    mayFail: boolean,
  ): Promise<void> {
    const { caller, system, model, tools, betas } = conversation;
    const [tag = ''] = tagsIn(messages.at(-1));
    const before = this.#asked.get(tag);
    const asked: Asked = before ?? {
      request: request(messages, {
        system,
        model,
        tools,
        betas,
        parameters: { max_tokens: 1_000 + this.#tags },
      }),
      caller,
      times: 0,
    };
    asked.times += 1;
    this.#asked.set(tag, asked);
    const client = new AbortController();
    if (leaves !== null) void ticks(leaves).then(() => client.abort());
    const last = await this.#turn(asked, client.signal, where % 3);
    if (last.type === 'message_stop') {
      const content = last.answer.content.filter(({ type }) => type !== 'thinking' || this.#tags % 2 === 0);
      conversation.messages = [...messages, { role: 'assistant', content }];
    } else if (!mayFail && leaves === null) {
      throw new Error(`it failed: ${JSON.stringify(last)}`);
    }
  }

  /** @param pause how many ticks the client takes for an event */
  async #turn({ request, caller }: Asked, signal: AbortSignal, pause: number): Promise<TurnEvent> {
    try {
      const { way, events } = await this.#gateway.open({
        request,
        caller: { id: caller, name: caller, limits: { turns: Number.POSITIVE_INFINITY } },
        signal,
        id: 'req_1',
        session: {},
        marks: { arrived: 0 },
        asReturned: ({ content }) => ({ role: 'assistant', content }),
      });
      this.ways.push(way);
      let last: TurnEvent | undefined;
      for await (last of events) await ticks(pause * 2);
      return last as TurnEvent;
    } catch (error) {
      return { type: 'failure', failure: failureOf(error) };
    }
  }

  /** The next user message: results where calls wait for them. */
  #next({ caller, messages }: Conversation, one: Step): Message {
    const calls = messages.at(-1)?.content.filter(({ type }) => type === 'tool_use') ?? [];
    if (calls.length === 0) return this.#question(caller, one);
    const words = `${this.#tag(caller)} ${one.answer}`;
    return {
      role: 'user',
      content: calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: words })),
    };
  }

  #question(caller: string, { answer }: Step): Message {
    return { role: 'user', content: [text(`${this.#tag(caller)} ${answer}`)] };
  }

  #history(caller: string, pairs: number): Message[] {
    return Array.from({ length: pairs }, (): Message[] => [
      { role: 'user', content: [text(this.#tag(caller))] },
      { role: 'assistant', content: [text(`so ${this.#tag(caller)}`)] },
    ]).flat();
  }

  #tag(caller: string): string {
    this.#tags += 1;
    return `${caller}-${this.#tags}`;
  }

  /** Answers as the question wants it. */
  #reply(messages: Message[]): EngineReply {
    const newest = JSON.stringify(messages.at(-1));
    const [tag = ''] = tagsIn(newest);
    const said = text(`said to ${tag}`) as { type: 'text'; text: string };
    this.#ticks = 1 + (Number(tag.split('-')[1]) % 8);
    const canCall = (this.#asked.get(tag)?.request.tools.length ?? 0) > 0;
    if (/ cut\b/.test(newest)) return { content: [said], stop_reason: 'max_tokens' };
    if (/ call\b/.test(newest) && canCall) {
      return { content: [said, { type: 'tool_use', name: 'read', input: { tag } }], gap_ms: 1 };
    }
    const thinking = { type: 'thinking' as const, thinking: 'hm', signature: 's' };
    return { content: / think\b/.test(newest) ? [thinking, said] : [said], gap_ms: 1 };
  }
}

const seen = (messages: Message[]) => asTheModelSees(messages, { withThinking: false });

async function ticks(count: number): Promise<void> {
  for (let made = 0; made < count; made += 1) await setImmediate();
}

test('whoever asks what and when, each call of the model is that of a new process', { tags: ['soak'] }, async () => {
  const depth = depthOf('reuse');
  const ways = new Set<string>();
  await checkProperty(
    depth,
    fc.asyncProperty(fc.array(batch, { minLength: 4, maxLength: 14, size: 'max' }), async (batches) => {
      if (depth.isOver()) return;
      const world = new World();
      try {
        for (const each of batches) await world.play(each);
      } finally {
        await world.end();
      }
      for (const { path, by } of world.ways) ways.add(`${path} ${by}`);
    }),
  );
  expect([...ways].sort()).toEqual([
    'continue live',
    'replay new',
    'replay spare',
    'replay used',
    'rewind live',
    'start new',
    'start spare',
    'start used',
  ]);
});
