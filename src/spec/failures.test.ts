import { expect, test } from 'vitest';
import { failure } from './failures.ts';

const WORDS = 'connect ECONNREFUSED models.example.internal:8443';
const END = { code: 3, signal: null, stderr: WORDS };

test.each([
  failure('process_spawn_failed', END),
  failure('claude_failing', { end: END, retrySeconds: 4 }),
  failure('process_lost', END),
])(
  '$code says how the process ended and where its last words are; it keeps them for the log alone',
  ({ message, process }) => {
    expect(message).toContain('(exit code 3). ');
    expect(message).toContain("Its last words are in Isthmus's log.");
    expect(message).not.toContain(WORDS);
    expect(process).toEqual(END);
  },
);

test('where a process said nothing, no words are promised', () => {
  const { message } = failure('process_lost', { code: null, signal: 'SIGKILL', stderr: '' });
  expect(message).toBe(
    'The `claude` process ended in the middle of the turn (signal SIGKILL). Try your request again.',
  );
});

test.each([301, 304])('a %d of the API, which is no answer of its, is a 502', (status) => {
  const { message, ...found } = failure('upstream_error', { status, message: 'Moved to models.example.internal' });
  expect(found).toMatchObject({ status: 502, type: 'api_error' });
  expect(message).toContain(`answered ${status}`);
  expect(message).not.toContain('internal');
});
