import { expect, test } from 'vitest';
import type { ModelRequest } from '../../scripted-model/script.ts';
import type { RecordedRequest } from '../../scripted-model/server.ts';
import { KILLED_TOO_LATE, OwnCalls } from '../support/own-calls.ts';

type Content = ModelRequest['messages'][number]['content'];

const HI: Content = [{ type: 'text', text: 'hi', cache_control: { type: 'ephemeral' } }];
const REMINDER = { type: 'text', text: '<system-reminder>\nOutput token limit hit.' };

/** A call of the model; `messages` are how many it has, the last one with this content. */
function request(session: string, content: Content, messages = 1, events = 6): RecordedRequest {
  const before = Array.from({ length: messages - 1 }, () => ({ role: 'user', content: 'before' }));
  return {
    method: 'POST',
    path: '/v1/messages',
    text: '',
    arrivedAt: 0,
    outcome: 'answered',
    headers: { 'x-claude-code-session-id': session },
    body: { model: 'm', messages: [...before, { role: 'user', content }] },
    events,
  };
}

function heard(...requests: RecordedRequest[]): { ownCalls: OwnCalls; own: boolean[] } {
  const ownCalls = new OwnCalls();
  for (const each of requests) ownCalls.hear(each);
  return { ownCalls, own: requests.map((each) => ownCalls.has(each)) };
}

test.each<[string, Content, messages: number]>([
  ['repeats the newest message', 'hi', 1],
  ['repeats it with a reminder', [{ type: 'text', text: 'hi\n' }, REMINDER], 1],
  ['has a reminder alone', [REMINDER], 3],
  ['has the error of a tool', [{ type: 'tool_result', content: '<tool_use_error>No such tool' }], 3],
  [
    'has the result of a call that was not waited for',
    [{ type: 'tool_result', content: [{ type: 'text', text: 'The tool call was interrupted before a result' }] }],
    3,
  ],
])('a call of the same process that %s is Claude Code’s own', (_what, content, messages) => {
  const { ownCalls, own } = heard(request('a', HI), request('a', content, messages));
  expect(own).toEqual([false, true]);
  expect(ownCalls.processes).toBe(1);
  expect(ownCalls.refuse).toThrow(KILLED_TOO_LATE);
  expect(ownCalls.refuse).not.toThrow();
});

test.each<[string, RecordedRequest, RecordedRequest]>([
  ['of another process', request('a', HI), request('b', HI)],
  ['with the client’s next words', request('a', HI), request('a', 'more', 3)],
  ['with the client’s same words again', request('a', HI), request('a', HI, 3)],
  ['with the client’s results', request('a', HI), request('a', [{ type: 'tool_result', content: 'r' }], 3)],
  [
    'with the client’s words beside a reminder',
    request('a', HI),
    request('a', [REMINDER, { type: 'text', text: 'b' }], 3),
  ],
  ['behind an answer that has not begun', request('a', HI, 1, 0), request('a', HI)],
])('a call %s is a client’s', (_what, before, after) => {
  const { ownCalls, own } = heard(before, after);
  expect(own).toEqual([false, false]);
  expect(ownCalls.refuse).not.toThrow();
});
