import { expect, test } from 'vitest';
import { answerMessage } from '../../../test/support/answer-message.ts';
import { wireRequest } from '../../../test/support/wire-request.ts';
import { failure } from '../../spec/failures.ts';
import type { TurnEvent } from '../../spec/turn-events.ts';
import { anthropicMessages } from './anthropic-messages.ts';

const ANSWER = answerMessage('a\nb');
const EVENTS: TurnEvent[] = [
  { type: 'message_start', message: { ...ANSWER, content: [], stop_reason: null } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'a\nb' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: ANSWER.usage },
  { type: 'message_stop', answer: ANSWER },
];

/** An encoder as a request of this kind gets it. */
function encoderFor(stream: boolean | undefined) {
  const turn = anthropicMessages.routes.find((route) => route.serves === 'turn');
  if (turn?.serves !== 'turn') throw new Error('the dialect has no turns');
  const body = { model: 'm', max_tokens: 1, stream, messages: [{ role: 'user', content: 'hi' }] };
  return turn.decode(wireRequest(body)).encoder('req_own', 0, false);
}

test('a stream gets each event as the API sends it, without what the gateway adds', () => {
  const encoder = encoderFor(true);
  const frames = EVENTS.map((event) => encoder.encode(event));
  const payloads: object[] = [...EVENTS.slice(0, -1), { type: 'message_stop' }];
  expect(frames).toEqual(
    EVENTS.map(({ type }, index) => `event: ${type}\ndata: ${JSON.stringify(payloads[index])}\n\n`),
  );
  expect(encoder.keepAlive()).toBe('event: ping\ndata: {"type":"ping"}\n\n');
});

test('a failure within a stream is an event with the envelope', () => {
  const frame = encoderFor(true).encode({ type: 'failure', failure: failure('upstream_cut', { how: 'stream' }) });
  expect(frame).toMatch(/^event: error\ndata: .*\n\n$/);
  expect(JSON.parse(frame.slice(frame.indexOf('{')))).toMatchObject({
    type: 'error',
    error: { type: 'api_error', details: { error_code: 'upstream_cut' } },
    request_id: 'req_own',
  });
});

test.each([[false], [undefined]])('with stream: %s the last event alone gives something, the whole body', (stream) => {
  const encoder = encoderFor(stream);
  const parts = EVENTS.map((event) => encoder.encode(event));
  expect(parts.slice(0, -1)).toEqual(EVENTS.slice(0, -1).map(() => ''));
  expect(JSON.parse(parts.at(-1) ?? '')).toEqual(ANSWER);
  expect(encoder.keepAlive()).toBe('');
});

test('an answer comes back as an assistant message with its blocks', () => {
  expect(anthropicMessages.asReturned(ANSWER)).toEqual({ role: 'assistant', content: ANSWER.content });
});

test('the envelope of an upstream error has the upstream’s id and no details of the gateway’s', () => {
  const words = { status: 529, type: 'overloaded_error', message: 'busy', requestId: 'req_upstream' };
  expect(anthropicMessages.encodeError(failure('upstream_error', words), 'req_own')).toEqual({
    status: 529,
    body: { type: 'error', error: { type: 'overloaded_error', message: 'busy' }, request_id: 'req_upstream' },
  });
  expect(anthropicMessages.encodeError(failure('client_gone'), 'req_own').body).toMatchObject({
    error: { details: { error_code: 'client_gone' } },
    request_id: 'req_own',
  });
});
