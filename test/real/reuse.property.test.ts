import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelRequest, Reply } from '../../scripted-model/script.ts';
import { type ScriptedModel, startScriptedModel } from '../../scripted-model/testing.ts';
import type { Block, WireMessage } from '../support/as-the-model-sees.ts';
import { checkProperty, depthOf } from '../support/depth.ts';
import { startGateway, type TestGateway, until } from '../support/gateway.ts';
import { childrenOf, killIfAlive } from '../support/process-table.ts';
import { wholeBody } from '../support/whole-body.ts';

/**
 * Callers of one gateway that begin conversations, go on, undo, edit, fork, ask again, bring a history and leave, at one time, while
 * processes are killed and calls fail. Each request that the model gets has no word of another conversation, and is compared whole
 * with what a new process sends for it, unless its client or its process was gone first. The twin of test/gateway/reuse.property.test.ts.
 */

const STEPS = { begin: 4, 'go on': 9, undo: 4, edit: 2, fork: 2, again: 1, import: 2, borrow: 1 };

const seldom = <Value>(arbitrary: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 7, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const step = fc.record({
  what: fc.oneof(
    ...Object.entries(STEPS).map(([what, weight]) => ({ weight, arbitrary: fc.constant(what as keyof typeof STEPS) })),
  ),
  /** Chooses the conversation and the message. */
  which: fc.nat(99),
  where: fc.nat(99),
  answer: fc.constantFrom('text', 'text', 'call', 'think'),
  caller: fc.constantFrom('ann', 'bob'),
  system: fc.constantFrom('You help.', 'You help.', 'You help.', 'You translate.'),
  tools: fc.constantFrom<string[]>([], [], ['read'], ['read', 'write']),
  /** What becomes of the call. */
  fault: seldom(fc.constantFrom('refused', 'cut')),
  /** After so many milliseconds the client leaves. */
  leavesAfterMs: seldom(fc.nat(200)),
});
const batch = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 2, size: 'max' }),
  /** After so many milliseconds a process is killed. */
  killsAfterMs: seldom(fc.nat(200)),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;
type Batch = typeof batch extends fc.Arbitrary<infer Value> ? Value : never;

interface Conversation {
  caller: string;
  system: string;
  tools: string[];
  /** They end with an answer. */
  messages: WireMessage[];
}

interface Asked {
  caller: string;
  /** Another limit for each, by which the model's requests are told apart. */
  body: ModelRequest;
  path: string;
  /** Why there may be no call of it, or more than one. */
  failed?: 'by the call' | 'otherwise';
}

const MODEL = 'claude-sonnet-5';
const isQuestion = ({ role, content }: WireMessage) => role === 'user' && typeof content === 'string';
const tagsIn = (value: unknown): string[] => JSON.stringify(value).match(/\b(?:ann|bob)-\d+/g) ?? [];

/** Answers as the newest message wants it. */
function reply({ messages, tools = [] }: ModelRequest): Reply {
  const newest = JSON.stringify(messages.at(-1));
  const tag = tagsIn(newest).at(0);
  const said = { type: 'text', text: `said to ${tag}` } as const;
  if (newest.includes(' refused')) return { error: { status: 500, type: 'api_error', message: 'a fault' } };
  if (newest.includes(' cut')) return { content: [said], gap_ms: 5, cut: { after_events: 3, how: 'end' } };
  if (newest.includes(' think')) {
    return { content: [{ type: 'thinking', thinking: 'hm', signature: 'signed' }, said], gap_ms: 5 };
  }
  if (newest.includes(' call') && tools.length > 0) {
    return { content: [said, { type: 'tool_use', id: `toolu_${tag}`, name: 'read', input: { tag } }], gap_ms: 5 };
  }
  return { content: [said], gap_ms: 5 };
}

class World {
  readonly paths = new Set<string>();
  readonly #used: TestGateway;
  readonly #fresh: TestGateway;
  readonly #models: { used: ScriptedModel; fresh: ScriptedModel };
  #conversations: Conversation[] = [];
  #tags = 0;
  #limit = 1_000;

  private constructor(used: TestGateway, fresh: TestGateway, models: { used: ScriptedModel; fresh: ScriptedModel }) {
    this.#used = used;
    this.#fresh = fresh;
    this.#models = models;
  }

  static async open(env: Record<string, string>): Promise<World> {
    const [used, fresh] = await Promise.all([reply, reply].map((one) => startScriptedModel({ script: [one] })));
    if (!used || !fresh) throw new Error('two models were asked for');
    const flags = ['--max-processes', '4'];
    return new World(
      await startGateway(used.url, [...flags, '--spares', '1'], { env }),
      await startGateway(fresh.url, [...flags, '--spares', '0', '--reuse', 'off'], { env }),
      { used, fresh },
    );
  }

  /**
   * @param isOver whether to leave the batches out that are left
   * @throws when a request was not that of a new process
   */
  async play(batches: Batch[], isOver: () => boolean): Promise<void> {
    this.#conversations = [];
    for (const { steps, killsAfterMs } of batches) {
      if (isOver()) return;
      const mayFail = killsAfterMs !== undefined;
      const killing = mayFail ? sleep(killsAfterMs).then(() => this.#kill(killsAfterMs)) : undefined;
      const asked = await Promise.all(steps.map((one) => this.#take(one, mayFail)));
      await killing;
      for (const each of asked) if (each) await this.#compare(each);
    }
  }

  async loads(): Promise<number> {
    return (await this.#used.health()).reuse.loads;
  }

  async close(): Promise<void> {
    await until('nothing is under way', () => this.#models.used.requests.every(({ outcome }) => outcome !== 'open'));
    expect(await this.#used.stop()).toBe(0);
    expect(await this.#fresh.stop()).toBe(0);
    await this.#models.used.close();
    await this.#models.fresh.close();
  }

  #kill(which: number): void {
    const pids = childrenOf(this.#used.child.pid);
    const pid = pids[which % Math.max(1, pids.length)];
    if (pid !== undefined) killIfAlive(pid);
  }

  async #compare({ caller, body, path, failed }: Asked): Promise<void> {
    const callsOf = ({ requests }: ScriptedModel) =>
      requests.filter((request) => request.body.max_tokens === body.max_tokens).map((request) => request.body);
    const calls = callsOf(this.#models.used);
    if (failed === undefined) expect(calls, path).toHaveLength(1);
    for (const call of calls) expect(tagsIn(body), path).toEqual(expect.arrayContaining(tagsIn(call)));
    const [sent] = calls;
    if (!sent || failed === 'otherwise') return;
    expect(new Set(tagsIn(sent))).toEqual(new Set(tagsIn(body)));
    const sending = this.#send(this.#fresh, caller, body);
    await (failed ? expect(sending).rejects.toThrow() : sending);
    const [expected] = callsOf(this.#models.fresh);
    expect(wholeBody(sent), path).toEqual(wholeBody(expected as ModelRequest));
  }

  async #take(one: Step, mayFail: boolean): Promise<Asked | undefined> {
    const { what, which, where, caller, system, tools } = one;
    const chosen = this.#conversations.at(-1 - (which % Math.min(3, Math.max(1, this.#conversations.length))));
    if (what === 'begin' || what === 'import' || !chosen) {
      const begun: Conversation = { caller, system, tools, messages: [] };
      if (what === 'import') begun.messages = this.#history(caller, 1 + (where % 3));
      this.#conversations.push(begun);
      return this.#ask(begun, [...begun.messages, this.#question(caller, one)], one, mayFail);
    }
    const { messages } = chosen;
    const questions = messages.flatMap((message, at) => (isQuestion(message) ? [at] : []));
    // One of the latest two: what is before it can be kept.
    const at = questions.at(-1 - (where % 2)) ?? questions[0] ?? 0;
    switch (what) {
      case 'go on':
        return this.#ask(chosen, [...messages, this.#next(chosen, one)], one, mayFail);
      case 'undo':
        chosen.tools = tools;
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
          index === at + 1 && !hasCalls(message)
            ? { ...message, content: `edited ${this.#tag(chosen.caller)}` }
            : message,
        );
        return this.#ask(chosen, [...edited, this.#next({ ...chosen, messages: edited }, one)], one, mayFail);
      }
      case 'again':
        // A request that was lost has no answer yet.
        return messages.length > 1 ? this.#ask(chosen, messages.slice(0, -1), one, mayFail) : undefined;
    }
  }

  /** @returns what was asked */
  async #ask(
    conversation: Conversation,
    messages: WireMessage[],
    { leavesAfterMs, fault }: Step,
    mayFail: boolean,
  ): Promise<Asked> {
    const { caller, system, tools } = conversation;
    this.#limit += 1;
    const body = {
      model: MODEL,
      max_tokens: this.#limit,
      system,
      messages,
      ...(tools.length > 0 && { tools: tools.map((name) => ({ name, input_schema: { type: 'object' } })) }),
    } as unknown as ModelRequest;
    const signal = leavesAfterMs === undefined ? undefined : AbortSignal.timeout(leavesAfterMs);
    try {
      const { content, path } = await this.#send(this.#used, caller, body, signal);
      this.paths.add(path);

      conversation.messages = [...messages, { role: 'assistant', content }];
      return { caller, body, path };
    } catch (error) {
      const isOtherwise = mayFail || leavesAfterMs !== undefined;
      if (!isOtherwise && fault === undefined) throw error;
      return { caller, body, path: 'no answer', failed: isOtherwise ? 'otherwise' : 'by the call' };
    }
  }

  async #send(gateway: TestGateway, caller: string, body: ModelRequest, signal?: AbortSignal) {
    const response = await fetch(`${gateway.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': caller },
      body: JSON.stringify(body),
      ...(signal && { signal }),
    });
    const { content, error } = (await response.json()) as { content: Block[]; error?: object };
    if (error) throw new Error(JSON.stringify(error));
    return { content, path: response.headers.get('isthmus-path') ?? '' };
  }

  /** The next user message: results where calls wait for them. */
  #next({ caller, messages }: Conversation, one: Step): WireMessage {
    const last = messages.at(-1)?.content;
    const calls = Array.isArray(last) ? last.filter(({ type }) => type === 'tool_use') : [];
    if (calls.length === 0) return this.#question(caller, one);
    const content = this.#words(caller, one);
    return { role: 'user', content: calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content })) };
  }

  #question(caller: string, one: Step): WireMessage {
    return { role: 'user', content: this.#words(caller, one) };
  }

  /** What the model reads its answer from. */
  #words(caller: string, { answer, fault }: Step): string {
    return `${this.#tag(caller)} ${fault ?? answer}`;
  }

  #history(caller: string, pairs: number): WireMessage[] {
    return Array.from({ length: pairs }, (): WireMessage[] => [
      { role: 'user', content: this.#tag(caller) },
      { role: 'assistant', content: `so ${this.#tag(caller)}` },
    ]).flat();
  }

  #tag(caller: string): string {
    this.#tags += 1;
    return `${caller}-${this.#tags}`;
  }
}

function hasCalls({ content }: WireMessage): boolean {
  return Array.isArray(content) && content.some(({ type }) => type === 'tool_use');
}

const CREDENTIALS = {
  'a key': {},
  'a token': { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'dummy' },
};

describe.each(Object.entries(CREDENTIALS))('with %s', (_name, env) => {
  let world: World;
  beforeAll(async () => {
    world = await World.open(env as Record<string, string>);
  });
  afterAll(() => world?.close());

  test('each request is that of a new process, whoever asks what and when', { tags: ['soak'] }, async () => {
    const depth = depthOf('reuseByTheSdk');
    await checkProperty(
      depth,
      fc.asyncProperty(fc.array(batch, { minLength: 6, maxLength: 12, size: 'max' }), async (batches) => {
        await world.play(batches, depth.isOver);
      }),
      { endOnFailure: true },
    );
    if (depth.isOver()) return;
    expect([...world.paths].sort()).toEqual(['continue', 'replay', 'rewind', 'start']);
    expect(await world.loads()).toBeGreaterThan(0);
  });
});
