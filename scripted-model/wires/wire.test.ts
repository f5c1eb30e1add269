import { expect, test } from 'vitest';
import { eventStreamMessage } from './event-stream.ts';
import { wireOf } from './wire.ts';

const VERTEX = '/v1/projects/p/locations/r/publishers/anthropic/models';

test.each<[string, object | undefined]>([
  ['/v1/messages', { asks: 'message' }],
  ['/anthropic/v1/messages', { asks: 'message' }],
  ['/v1/messages/count_tokens', { asks: 'token count' }],
  [`${VERTEX}/claude-x%4020260101:streamRawPredict`, { asks: 'message', model: 'claude-x@20260101', streams: true }],
  [`${VERTEX}/claude-x:rawPredict`, { asks: 'message', model: 'claude-x', streams: false }],
  [`${VERTEX}/count-tokens:rawPredict`, { asks: 'token count' }],
  ['/model/us.claude-x-v1%3A0/invoke', { asks: 'message', model: 'us.claude-x-v1:0', streams: false }],
  ['/model/claude-x/invoke-with-response-stream', { asks: 'message', model: 'claude-x', streams: true }],
  ['/model/arn%3Aaws%3Abedrock%3A%3A1%3Aprofile%2Fa/invoke', { model: 'arn:aws:bedrock::1:profile/a' }],
  ['/model/claude-x/count-tokens', { asks: 'token count' }],
  ['/v1/models', undefined],
])('the path %s', (path, expected) => {
  if (expected === undefined) expect(wireOf(path)).toBeUndefined();
  else expect(wireOf(path)).toMatchObject(expected);
});

// Three of the test vectors that AWS publishes for its SDKs.
test.each<[string, Record<string, string>, string, string]>([
  ['empty', {}, '', '000000100000000005c248eb7d98c8ff'],
  ['with a payload', {}, "{'foo':'bar'}", '0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936'],
  [
    'with a header',
    { 'content-type': 'application/json' },
    "{'foo':'bar'}",
    '0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b27666f6f273a27626172277d8d9c08b1',
  ],
])('a message of an event stream: %s', (_name, headers, payload, bytes) => {
  expect(Buffer.from(eventStreamMessage(headers, Buffer.from(payload))).toString('hex')).toBe(bytes);
});
