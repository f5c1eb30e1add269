import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeRequest } from '../../src/dialects/anthropic-messages/decode-request.ts';
import { FailureError } from '../../src/spec/failures.ts';
import { checkProperty, depthOf } from '../support/depth.ts';

test('whatever comes in, it is decoded or refused, never an exception', { tags: ['soak'] }, async () => {
  const depth = depthOf('decodedBodies');
  const value = fc.anything({ maxDepth: 4, withNullPrototype: true });
  const almost = fc.record(
    {
      model: fc.oneof(fc.constant('m'), value),
      max_tokens: fc.oneof(fc.constant(1), value),
      system: value,
      tools: fc.oneof(fc.array(value), value),
      messages: fc.array(
        fc.record({
          role: fc.oneof(fc.constantFrom('user', 'assistant'), value),
          content: fc.oneof(
            fc.string(),
            fc.array(
              fc.record({
                type: fc.constantFrom('text', 'tool_use', 'tool_result', 'image', 'thinking', 'x'),
                text: value,
                id: fc.constantFrom('a', 'b'),
                tool_use_id: fc.constantFrom('a', 'b'),
                name: value,
                input: value,
                content: value,
                source: value,
                thinking: value,
                signature: value,
              }),
            ),
            value,
          ),
        }),
      ),
    },
    { requiredKeys: ['messages'] },
  );
  await checkProperty(
    depth,
    fc.property(fc.oneof(value, almost), (body) => depth.isOver() || expectDecoded(body)),
  );
});

function expectDecoded(body: unknown): void {
  try {
    decodeRequest(body);
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    expect(error.failure).toMatchObject({ code: 'bad_request', status: 400, type: 'invalid_request_error' });
  }
}
