import type { SDKAPIRetryMessage } from '@anthropic-ai/claude-agent-sdk';
import { describe, expect, test } from 'vitest';
import { type AssistantMessage, failureOfAssistant, failureOfRetry } from './upstream-failure.ts';

/** What Claude Code says in place of an answer of the model. */
function said(text: string, fields: object): AssistantMessage {
  return {
    type: 'assistant',
    parent_tool_use_id: null,
    is_api_error_message: true,
    message: { content: [{ type: 'text', text }], stop_reason: 'stop_sequence' },
    ...fields,
  } as unknown as AssistantMessage;
}

test.each([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['api_error', 500],
  ['timeout_error', 504],
  ['overloaded_error', 529],
  ['odd_error', 500],
])('%s within a stream, where there is no status, has its own, and keeps its words', (type, status) => {
  const told = said('API Error: the words', { api_error_type: type, api_error_status: null, request_id: 'req_1' });
  expect(failureOfAssistant(told, 0)).toMatchObject({
    code: 'upstream_error',
    status,
    type,
    message: 'the words',
    requestId: 'req_1',
  });
});

test('a credit that is used up has no status of its own', () => {
  const fields = { api_error_type: 'invalid_request_error', api_error_status: 400 };
  expect(failureOfAssistant(said('Credit balance is too low', { ...fields, error: 'billing_error' }), 0)).toMatchObject(
    {
      status: 400,
      isUnpaid: true,
    },
  );
  expect(failureOfAssistant(said('bad', { ...fields, error: 'invalid_request' }), 0)).not.toHaveProperty('isUnpaid');
});

test.each([
  [500, 1],
  [7_000, 7],
  [7_900, 7],
  [30_000, 30],
])('an announced wait of %d ms is %d s: no less than the API’s, and no second more', (retry_delay_ms, seconds) => {
  const announced = { error_status: 429, retry_delay_ms } as SDKAPIRetryMessage;
  expect(failureOfRetry(announced).retryAfterSeconds).toBe(seconds);
});

describe('a call to which the API gave no error', () => {
  test.each([
    ['invalid_request', 0, 'refused_by_claude_code', 400],
    ['authentication_failed', 0, 'not_signed_in', 401],
    ['cloud_credential_error', 0, 'not_signed_in', 401],
    ['unknown', 0, 'upstream_cut', 502],
    ['unknown', 299_000, 'upstream_stalled', 504],
  ])('%s after %d ms of silence is %s', (error, silentMs, code, status) => {
    expect(failureOfAssistant(said('words', { error }), silentMs)).toMatchObject({ code, status });
  });

  test('Claude Code’s own words are those of a request that it refuses', () => {
    const told = said('API Error: The image could not be read.', { error: 'invalid_request' });
    expect(failureOfAssistant(told, 0)).toMatchObject({
      type: 'invalid_request_error',
      message: 'The image could not be read.',
      mayRepeat: false,
    });
  });
});

test('an answer, and a refusal, are no failures', () => {
  expect(failureOfAssistant(said('hi', { is_api_error_message: undefined }), 0)).toBeUndefined();
  const refusal = said('I cannot.', { message: { content: [], stop_reason: 'refusal' } });
  expect(failureOfAssistant(refusal, 0)).toBeUndefined();
});
