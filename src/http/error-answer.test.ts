import { describe, expect, test } from 'vitest';
import { anthropicMessages } from '../dialects/anthropic-messages/anthropic-messages.ts';
import { openAiChat } from '../dialects/openai-chat/openai-chat.ts';
import { openAiResponses } from '../dialects/openai-responses/openai-responses.ts';
import { failure } from '../spec/failures.ts';
import { errorParts, errorsAt } from './error-answer.ts';

const told = (path: string, failing = failure('not_found', 'none')) => {
  const { body, headers, status } = errorParts(
    failing,
    'req_1',
    errorsAt(path, [anthropicMessages, openAiChat, openAiResponses]),
  );
  return { status, headers, body: JSON.parse(body) };
};

const OF_MESSAGES = { type: 'not_found_error', message: 'none', details: { error_code: 'not_found' } };
const OF_OPENAI = { type: 'invalid_request_error', message: 'none', param: null, code: 'unknown_url' };

describe('the envelope of an error', () => {
  test.each(['/v1/messages', '/messages/x', '/v1/messages/count_tokens', '/agents/a/v1/messages'])(
    'below %s is that of the Messages API',
    (path) => {
      expect(told(path).body).toEqual({ type: 'error', error: OF_MESSAGES, request_id: 'req_1' });
    },
  );

  test.each(['/v1/chat/completions', '/chat/completions/x', '/v1/responses/resp_1', '/agents/a/v1/responses/compact'])(
    'below %s is that of OpenAI',
    (path) => {
      expect(told(path).body).toEqual({ error: OF_OPENAI });
    },
  );

  test.each(['/v1/models', '/v1/models/x', '/agents/a/v1/models', '/v1/embeddings', '/v1/files/f', '/', '/nothing'])(
    'of %s, which clients of each ask for, has the fields of each',
    (path) => {
      expect(told(path).body).toEqual({
        type: 'error',
        error: { ...OF_OPENAI, ...OF_MESSAGES },
        request_id: 'req_1',
      });
    },
  );

  test('the first dialect’s say stands where they differ', () => {
    const busy = failure('overloaded', { why: 'the queue is full' });
    expect(told('/v1/models', busy)).toMatchObject({
      status: 529,
      body: { error: { type: 'overloaded_error', code: 'overloaded' } },
    });
    expect(told('/v1/responses', busy)).toMatchObject({ status: 503 });
  });
});
