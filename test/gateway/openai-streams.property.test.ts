import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
        else if (event.type === 'message_stop') stage.complete(event.answer, { endsProcess: true });
        else stage.push(event);
      }
    };
    void perform();
    return () => {
      isOver = true;
    };
  };
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
  }),
  { minLength: 1, maxLength: 10 },
);

test('whatever the engine says, and with keep-alives anywhere, each stream is grammatical to its end', {
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

async function check(
  turn: Turn,
  { api, hasVersion, asksUsage }: { api: string; hasVersion: boolean; asksUsage: boolean },
) {
  questions += 1;
  const question = `question ${questions}`;
  const entry: AskedTurn = { ...turn, bytes: 0 };
  asked.set(question, entry);
  const path = (hasVersion ? '/v1' : '') + (api === 'chat' ? '/chat/completions' : '/responses');
  const response = await fetch(house.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(api === 'chat' ? chatBody(question, asksUsage) : responsesBody(question)),
  });
  const fails = turn.events.at(-1)?.type === 'failure';
  if (response.status !== 200) {
    expect(turn.events).toHaveLength(1);
    const { error } = (await response.json()) as { error: JsonObject };
    expect(error).toEqual({ message: expect.any(String), type: expect.any(String), param: null, code: anyCode });
    return;
  }
  const grammar = api === 'chat' ? new ChatGrammar({ asksUsage }) : new ResponsesGrammar();
  for await (const chunk of response.body ?? []) {
    entry.bytes += chunk.length;
    grammar.write(chunk);
  }
  const { type } = grammar.end();
  silencesFilled += grammar instanceof ChatGrammar ? saysNothing(grammar.chunks) : runsOn(grammar.events);
  expect(['error', 'response.failed'].includes(type)).toBe(fails);
  asked.delete(question);
}

const anyCode = expect.toSatisfy((code: unknown) => code === null || typeof code === 'string');
const schema = { type: 'object', properties: {} };

function chatBody(question: string, asksUsage: boolean): JsonObject {
  return {
    model: 'claude-sonnet-5',
    stream: true,
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
    stream: true,
    tools: [
      { type: 'function', name: 'read', parameters: schema },
      { type: 'custom', name: 'Bash' },
      { type: 'namespace', name: 'mcp__x__', description: 'd', tools: [{ type: 'function', name: 'y' }] },
    ],
    input: question,
  };
}
