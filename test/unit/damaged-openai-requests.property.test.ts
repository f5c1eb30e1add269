import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WireRequest } from '../../src/dialects/dialect.ts';
import { decodeChat } from '../../src/dialects/openai-chat/decode-chat.ts';
import { decodeResponses } from '../../src/dialects/openai-responses/decode-responses.ts';
import { FailureError } from '../../src/spec/failures.ts';
import { damagedJson } from '../support/damaged-json.ts';
import { checkProperty, depthOf } from '../support/depth.ts';
import { CHAT_BODIES, RESPONSES_BODIES } from '../support/openai-bodies.ts';
import { wireRequest } from '../support/wire-request.ts';

test.each([
  ['chat completions', decodeChat, CHAT_BODIES],
  // What the others refer to is not there.
  ['responses', decodeResponses, RESPONSES_BODIES.slice(0, 3)],
])('a damaged request for %s is taken, or refused', async (_, decode, bodies) => {
  const depth = depthOf('decodedBodies');
  for (const body of bodies) expect(outcome(decode, JSON.stringify(body))).toBe('taken');
  await checkProperty(
    depth,
    fc.asyncProperty(damagedJson(bodies), async (text) => {
      if (depth.isOver()) return;
      expect(['taken', 'refused']).toContain(outcome(decode, text));
    }),
  );
});

function outcome(decode: (wire: WireRequest) => unknown, text: string): string {
  try {
    decode(wireRequest(JSON.parse(text)));
    return 'taken';
  } catch (error) {
    return error instanceof FailureError && error.failure.status < 500 ? 'refused' : String((error as Error).stack);
  }
}
