import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeResponses } from '../../src/dialects/openai-responses/decode-responses.ts';
import { encryptedThinking } from '../../src/dialects/openai-responses/reasoning-items.ts';
import { FailureError } from '../../src/spec/failures.ts';
import type { JsonObject } from '../../src/spec/messages.ts';
import { checkProperty, depthOf } from '../support/depth.ts';
import { wireRequest } from '../support/wire-request.ts';

const MODEL = 'claude-sonnet-4-6';
const schema = {
  type: 'object',
  properties: { a: { type: 'string', minLength: 1 }, b: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/c' }] } },
  $defs: { c: { type: 'array', items: { enum: [1, 2] } } },
  required: ['a', 'b'],
};
const THOUGHT = { type: 'thinking', thinking: 't', signature: 's' };

/** A request with everything that one can hold. */
const WHOLE = {
  model: MODEL,
  instructions: 'S',
  store: true,
  stream: true,
  include: ['reasoning.encrypted_content'],
  reasoning: { effort: 'low', summary: 'auto' },
  text: { format: { type: 'json_schema', name: 'n', schema }, verbosity: 'low' },
  temperature: 0.5,
  top_p: 0.5,
  max_output_tokens: 100,
  parallel_tool_calls: false,
  tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'read' }] },
  metadata: { a: 'b' },
  tools: [
    { type: 'function', name: 'read', description: 'd', parameters: schema, strict: true },
    { type: 'custom', name: 'patch', format: { type: 'grammar', syntax: 'lark', definition: 'x' } },
    { type: 'namespace', name: 'n', description: 'd', tools: [{ type: 'function', name: 'read' }] },
    { name: 'plain', input_schema: schema },
    { type: 'web_search' },
  ],
  input: [
    { type: 'additional_tools', role: 'developer', tools: [{ type: 'custom', name: 'exec' }] },
    { role: 'developer', content: 'D' },
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'a' },
        { type: 'input_image', image_url: 'data:image/png;base64,QUJD', detail: 'high' },
        { type: 'input_file', filename: 'f', file_data: 'data:text/plain;base64,QUJD' },
      ],
    },
    { type: 'reasoning', summary: [], encrypted_content: encryptedThinking(MODEL, [THOUGHT]) },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'b' }] },
    { type: 'function_call', call_id: 'call_1', namespace: 'n', name: 'read', arguments: '{"a":1}' },
    { type: 'custom_tool_call', call_id: 'call_2', name: 'patch', input: 'x' },
    { type: 'tool_search_call', call_id: 'call_3', arguments: { query: 'q' } },
    { type: 'function_call_output', call_id: 'call_1', output: [{ type: 'input_text', text: 'r' }] },
    { type: 'custom_tool_call_output', call_id: 'call_2', output: 'r' },
    { type: 'tool_search_output', call_id: 'call_3', tools: [{ name: 'x' }] },
    { role: 'user', content: 'c' },
  ],
};

const PLACES = placesIn(WHOLE);
const DAMAGE = fc.constantFrom<unknown>(
  undefined,
  null,
  '',
  'x',
  0,
  -1,
  1.5,
  true,
  [],
  {},
  [null],
  [[]],
  { type: 'x' },
  [{}],
);

test('a damaged request is taken, or refused by the path of a field', async () => {
  const depth = depthOf('decodedBodies');
  expect(decode(WHOLE)).toBe('taken');
  await checkProperty(
    depth,
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...PLACES), DAMAGE), { minLength: 1, maxLength: 2 }),
      async (damages) => {
        if (depth.isOver()) return;
        const body = structuredClone(WHOLE) as JsonObject;
        for (const [place, value] of damages) put(body, place, value);
        expect(['taken', 'refused']).toContain(decode(body));
      },
    ),
  );
});

function decode(given: JsonObject): string {
  const body = JSON.parse(JSON.stringify(given)) as JsonObject;
  try {
    decodeResponses(wireRequest(body));
    return 'taken';
  } catch (error) {
    return error instanceof FailureError && error.failure.status < 500 ? 'refused' : String((error as Error).stack);
  }
}

/** The ways to all values within a value. */
function placesIn(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [[key], ...placesIn(inner).map((way) => [key, ...way])]);
}

function put(body: JsonObject, place: readonly string[], value: unknown): void {
  let holder: unknown = body;
  for (const key of place.slice(0, -1)) holder = (holder as JsonObject | null | undefined)?.[key];
  // Another damage may have taken it away.
  if (typeof holder === 'object' && holder !== null) (holder as JsonObject)[String(place.at(-1))] = value;
}
