import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AnswerFold } from '../../src/engine/turn/answer-fold.ts';
import { type Failure, failure } from '../../src/spec/failures.ts';
import type { JsonObject } from '../../src/spec/messages.ts';
import type { Answer, Play } from '../../test-engine/play.ts';
import { ChatGrammar } from '../support/chat-grammar.ts';
import { damagedTurn } from '../support/damaged-turns.ts';
import { checkProperty, depthOf } from '../support/depth.ts';
import { InProcessGateway } from '../support/gateway-in-process.ts';
import { type GeneratedTurn, generatedTurn } from '../support/generated-turns.ts';
import { ResponsesGrammar } from '../support/responses-grammar.ts';

/** Random turns of the engine, sound and damaged, through the whole gateway to clients of OpenAI's two APIs. */

type Turn = Pick<GeneratedTurn, 'events' | 'silences'>;

/** A turn that a client has asked for, and how many bytes have come. */
interface AskedTurn extends Turn {
  bytes: number;
}

/** By what the user says. */
const asked = new Map<string, AskedTurn>();

const answer: Answer = (call) => {
  const [said] = (call.messages.at(-1)?.content ?? []).map(({ text }) => String(text));
  const turn = asked.get(said ?? '');
  if (!turn) throw new Error(`nobody asks ${said}`);
  return playOf(turn);
};

function playOf(turn: AskedTurn): Play {
  return (stage) => {
    let isOver = false;
    const perform = async () => {
      for (const [at, event] of turn.events.entries()) {
        if (turn.silences.has(at)) await untilHeard(turn, () => isOver);
        if (isOver) return;
        if (event.type === 'failure') stage.fail(event.failure);
        else if (event.type === 'message_stop')
          stage.complete(event.answer, { endsProcess: true, ...unfoldable(turn) });
        else stage.push(event);
      }
    };
    void perform();
    return () => {
      isOver = true;
    };
  };
}

/** As the engine tells of a call whose input is no JSON. */
function unfoldable({ events }: Turn): { unfoldable?: Failure } {
  const fold = new AnswerFold();
  for (const event of events) if (event.type !== 'message_stop' && event.type !== 'failure') fold.add(event);
  return fold.isUnfoldable ? { unfoldable: failure('upstream_cut', { how: 'stream' }) } : {};
}

/** A silence that is long enough by what the client gets. */
async function untilHeard(turn: AskedTurn, isOver: () => boolean): Promise<void> {
  await sleep(2);
  const before = turn.bytes;
  while (turn.bytes === before && !isOver()) await sleep(1);
}

let house: InProcessGateway;
beforeAll(async () => {
  house = await InProcessGateway.start([], {
    answer,
    keepAliveMs: 1,
    processes: 50,
    spawnsAtATime: 50,
    queueLength: 200,
  });
});
afterAll(() => house.stop());

const turns = fc.array(
  fc.record({
    turn: fc.oneof(generatedTurn, damagedTurn) as fc.Arbitrary<Turn>,
    silences: fc.array(fc.nat(12), { maxLength: 2 }),
    api: fc.constantFrom('chat', 'responses'),
    hasVersion: fc.boolean(),
    asksUsage: fc.boolean(),
    stream: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)),
  }),
  { minLength: 1, maxLength: 10 },
);

test('whatever the engine says, and with keep-alives anywhere, each answer is whole or says why it is not', {
  tags: ['soak'],
}, async () => {
  const depth = depthOf('openAiTurns');
  await checkProperty(
    depth,
    fc.asyncProperty(turns, async (batch) => {
      if (depth.isOver()) return;
      await Promise.all(
        batch.map(({ turn, silences, ...how }) => check({ events: turn.events, silences: new Set(silences) }, how)),
      );
    }),
  );
  expect(silencesFilled).toBeGreaterThan(0);
});

let questions = 0;
let silencesFilled = 0;

const saysNothing = (chunks: readonly JsonObject[]) =>
  chunks.filter(({ choices }) => /"delta":\{\}.*"finish_reason":null/.test(JSON.stringify(choices))).length;
const runsOn = (events: readonly JsonObject[]) =>
  events.slice(2).filter(({ type }) => type === 'response.in_progress').length;

interface Asking {
  api: string;
  hasVersion: boolean;
  asksUsage: boolean;
  stream: boolean;
}

async function check(turn: Turn, { api, hasVersion, asksUsage, stream }: Asking): Promise<void> {
  questions += 1;
  const question = `question ${questions}`;
  // A whole body has nothing to say in a silence.
  const entry: AskedTurn = { ...turn, ...(!stream && { silences: new Set() }), bytes: 0 };
  asked.set(question, entry);
  const path = (hasVersion ? '/v1' : '') + (api === 'chat' ? '/chat/completions' : '/responses');
  const response = await fetch(house.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ stream, ...(api === 'chat' ? chatBody(question, asksUsage) : responsesBody(question)) }),
  });
  const last = turn.events.at(-1);
  const failing = last?.type === 'failure' ? last.failure : stream ? undefined : unfoldable(turn).unfoldable;
  if (response.status !== 200) {
    expect(stream ? turn.events.length : 1).toBe(1);
    expect(response.headers.get('isthmus-error')).toBe(failing?.code);
    const { error } = (await response.json()) as { error: JsonObject };
    expect(error).toEqual({ message: expect.any(String), type: expect.any(String), param: null, code: anyCode });
    return;
  }
  if (!stream) {
    expect(failing).toBeUndefined();
    expect(await response.json()).toMatchObject({ id: expect.any(String), model: 'claude-sonnet-5' });
    return;
  }
  const grammar = api === 'chat' ? new ChatGrammar({ asksUsage }) : new ResponsesGrammar();
  for await (const chunk of response.body ?? []) {
    entry.bytes += chunk.length;
    grammar.write(chunk);
  }
  const { type } = grammar.end();
  silencesFilled += grammar instanceof ChatGrammar ? saysNothing(grammar.chunks) : runsOn(grammar.events);
  expect(['error', 'response.failed'].includes(type)).toBe(failing !== undefined);
  asked.delete(question);
}

const anyCode = expect.toSatisfy((code: unknown) => code === null || typeof code === 'string');
const schema = { type: 'object', properties: {} };

function chatBody(question: string, asksUsage: boolean): JsonObject {
  return {
    model: 'claude-sonnet-5',
    ...(asksUsage && { stream_options: { include_usage: true } }),
    tools: [
      { type: 'function', function: { name: 'read', parameters: schema } },
      { type: 'custom', custom: { name: 'Bash' } },
    ],
    messages: [{ role: 'user', content: question }],
  };
}

function responsesBody(question: string): JsonObject {
  return {
    model: 'claude-sonnet-5',
    tools: [
      { type: 'function', name: 'read', parameters: schema },
      { type: 'custom', name: 'Bash' },
      { type: 'namespace', name: 'mcp__x__', description: 'd', tools: [{ type: 'function', name: 'y' }] },
    ],
    input: question,
  };
}
