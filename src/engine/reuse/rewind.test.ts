import type { Query } from '@anthropic-ai/claude-agent-sdk';
import { afterEach, expect, test, vi } from 'vitest';
import { rewind } from './rewind.ts';

/** A process that answers each control request like this. */
function answering(answer: (request: object) => Promise<unknown>) {
  const request = vi.fn(answer);
  return { query: { request } as unknown as Query, request };
}

const rewound = (targetMessageUuid: string, precedingAssistantUuid: string | null) => async () => ({
  response: { rewound: true, targetMessageUuid, precedingAssistantUuid },
});

afterEach(() => void vi.useRealTimers());

test('a process that has emptied itself', async () => {
  const { query, request } = answering(rewound('first', null));
  await expect(rewind(query, { target: 'first', lastSeen: 'last', behind: null })).resolves.toBeUndefined();
  expect(request).toHaveBeenCalledExactlyOnceWith({
    subtype: 'rewind_conversation',
    target_message_uuid: 'first',
    last_seen_user_message_uuid: 'last',
  });
});

test('the only message is not named twice; a turn under way is given up only where that is asked for', async () => {
  const { query, request } = answering(rewound('only', null));
  await rewind(query, { target: 'only', lastSeen: 'only', behind: null, interrupts: true });
  expect(request).toHaveBeenCalledExactlyOnceWith({
    subtype: 'rewind_conversation',
    target_message_uuid: 'only',
    interrupt_if_running: true,
  });
});

test('a process that has gone back to a later message', async () => {
  const { query } = answering(rewound('second', 'an answer'));
  await expect(rewind(query, { target: 'second', lastSeen: 'last', behind: 'an answer' })).resolves.toBeUndefined();
});

test.each<[string, () => Promise<unknown>]>([
  [
    'it refuses',
    async () => ({
      response: {
        rewound: false,
        targetMessageUuid: 'second',
        precedingAssistantUuid: 'an answer',
        reason: 'turn_running',
      },
    }),
  ],
  ['it does not know the request', async () => ({ response: {} })],
  ['it says nothing that is known', async () => undefined],
  ['it went back to another message', rewound('third', 'an answer')],
  ['nothing is left in front of a later message', rewound('second', null)],
  ['another answer is left in front of it', rewound('second', 'another answer')],
  [
    'it has ended',
    async () => {
      throw new Error('the process has ended');
    },
  ],
])('not done: %s', async (_what, answer) => {
  const { query } = answering(answer);
  await expect(rewind(query, { target: 'second', lastSeen: 'last', behind: 'an answer' })).rejects.toThrow();
});

test('what stands in front is not compared where it is not known, but must be there', async () => {
  const known = { target: 'second', lastSeen: 'last', behind: undefined };
  await expect(rewind(answering(rewound('second', 'an answer')).query, known)).resolves.toBeUndefined();
  await expect(rewind(answering(rewound('second', null)).query, known)).rejects.toThrow('another message');
});

test('a refusal says why', async () => {
  const { query } = answering(async () => ({ response: { rewound: false, reason: 'turn_running' } }));
  await expect(rewind(query, { target: 'first', lastSeen: 'last', behind: null })).rejects.toThrow('turn_running');
});

test('not done: something is left in front of the first message', async () => {
  const { query } = answering(rewound('first', 'an answer'));
  await expect(rewind(query, { target: 'first', lastSeen: 'last', behind: null })).rejects.toThrow('another message');
});

test('not done: no answer comes', async () => {
  vi.useFakeTimers();
  const { query } = answering(() => new Promise(() => undefined));
  const refused = vi.fn();
  void rewind(query, { target: 'second', lastSeen: 'last', behind: 'an answer' }).catch(refused);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(refused).toHaveBeenCalledOnce();
});
