import { readFileSync } from 'node:fs';
import type { Query, SDKMessage, SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Recording } from '../../../test/sdk-recordings/recording.ts';
import { plainAgent } from '../../../test/support/agents.ts';
import { NO_LISTENER, request, user } from '../../../test/support/engine.ts';
import { EventQueue } from '../../async/event-queue.ts';
import type { TurnEvent } from '../../spec/turn-events.ts';
import { agentAnswers } from '../agents/agent-turn.ts';
import type { RunDirectory } from '../files/run-directory.ts';
import { KnownMessages } from '../reuse/known-messages.ts';
import { Child } from './child.ts';
import { ClaudeProcess, forTurns, type ProcessRules } from './claude-process.ts';
import { partsFor } from './request-parts.ts';

const STALL_MS = 60_000;

/** What the SDK sends in a turn of an agent: an answer that calls a tool, its result, an answer of words. */
const file = new URL('../../../test/sdk-recordings/agent-tool-loop.json', import.meta.url);
const RECORDED = (JSON.parse(readFileSync(file, 'utf8')) as Recording).messages.filter(({ type }) => type !== 'turn');

/** How many of the messages come until an event of an answer, by its kind, for the so-many-th time. */
function upTo(kind: string, times = 1): number {
  const at = RECORDED.flatMap((message, index) =>
    (message as { event?: { type: string } }).event?.type === kind ? [index + 1] : [],
  );
  return at[times - 1] as number;
}

/** An agent's process whose SDK is this test, in its first turn. */
function agentProcess() {
  const messages = new EventQueue<SDKMessage>();
  const iterator = messages[Symbol.asyncIterator]();
  const query = { next: () => iterator.next(), close: () => messages.close() } as unknown as Query;
  const agent = plainAgent();
  const first = user('hi');
  const known = new KnownMessages();
  known.addTurn(first, 0, 'uuid');
  const process = new ClaudeProcess({
    ...partsFor(request([first], { agent: { name: agent.name } })),
    directory: {} as RunDirectory,
    stallMs: STALL_MS,
    failsAtFirstRetry: true,
    headersFor: () => '',
    onLimits: () => undefined,
    onModel: () => undefined,
    log: () => undefined,
    query,
    input: new EventQueue<SDKUserMessage>(),
    known,
    reuseKey: undefined,
    child: new Child(),
    listener: NO_LISTENER,
    staleness: () => undefined,
    strategy: agentAnswers(agent, new Set()),
  });
  const heard: TurnEvent[] = [];
  void (async () => {
    for await (const event of process.begin()) heard.push(event);
  })();
  let sent = 0;
  return {
    last: () => heard.at(-1),
    /** Sends messages until there are so many, then is silent. */
    async send(count: number, silentMs: number) {
      for (const message of RECORDED.slice(sent, count)) messages.push(message as unknown as SDKMessage);
      sent = count;
      await vi.advanceTimersByTimeAsync(silentMs);
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const STALLED = { type: 'failure', failure: { code: 'upstream_stalled' } };

test('silence while an agent’s tools run ends no turn, however long', async () => {
  const { send, last } = agentProcess();
  await send(upTo('message_stop'), 20 * STALL_MS);
  expect(last()).toMatchObject({ type: 'content_block_stop' });
  await send(RECORDED.length, 0);
  expect(last()).toMatchObject({ type: 'message_stop', answer: { stop_reason: 'end_turn' } });
});

test.each([
  ['before the first answer', 1],
  ['within the first answer', upTo('message_start')],
  ['within a later answer', upTo('message_start', 2)],
])('silence of the model ends the turn: %s', async (_when, count) => {
  const { send, last } = agentProcess();
  await send(count, STALL_MS - 1);
  expect(last()?.type).not.toBe('failure');
  await send(count, 1);
  expect(last()).toMatchObject(STALLED);
});

test.each([
  [true, { CLAUDE_CODE_RETRY_WATCHDOG: '1' }],
  [false, {}],
])(
  'where a failed call becomes the answer at once is %s, the watchdog tells long waits: %j',
  (failsAtFirstRetry, variables) => {
    expect(forTurns({ failsAtFirstRetry } as ProcessRules)).toEqual(variables);
  },
);
