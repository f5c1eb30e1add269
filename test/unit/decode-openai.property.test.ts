import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeChat } from '../../src/dialects/openai-chat/decode-chat.ts';
import { decodeResponses } from '../../src/dialects/openai-responses/decode-responses.ts';
import { FailureError } from '../../src/spec/failures.ts';
import type { ContentBlock, JsonObject, MessagesRequest } from '../../src/spec/messages.ts';
import { checkProperty, depthOf } from '../support/depth.ts';
import { wireRequest } from '../support/wire-request.ts';

/** Names and values that OpenAI's APIs have, at places where they have no business. */
const KEYS = [
  ...['type', 'role', 'content', 'text', 'id', 'call_id', 'tool_call_id', 'name', 'namespace', 'arguments', 'input'],
  ...['output', 'tool_calls', 'function', 'custom', 'parameters', 'strict', 'tools', 'format', 'schema', 'definitions'],
  ...['$defs', '$ref', 'items', 'properties', 'anyOf', 'additionalProperties', 'image_url', 'url', 'file', 'file_data'],
  ...['refusal', 'summary', 'encrypted_content', 'reasoning_details', 'effort', 'mode', 'allowed_tools', '__proto__'],
];
const VALUES = [
  ...['user', 'assistant', 'system', 'tool', 'function', 'custom', 'namespace', 'allowed_tools', 'json_schema', 'auto'],
  ...['message', 'function_call', 'function_call_output', 'custom_tool_call', 'reasoning', 'item_reference', 'c1', 'a'],
  ...['text', 'input_text', 'output_text', 'refusal', 'image_url', 'input_image', 'file', 'input_file', 'object', '{}'],
  ...['', ' ', 'data:image/png;base64,QUJD', 'data:text/plain;base64,QQ==', 'https://example.test/a', 'null', '[]'],
];
const value = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<unknown>(...VALUES) },
  fc.constantFrom<unknown>(null, true, 0, -1, 1.5, {}, [], [null], [[]]),
  fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<unknown>(...VALUES, null, 1),
      fc.dictionary(fc.constantFrom(...KEYS), tie('any'), { maxKeys: 4 }),
      fc.array(tie('any'), { maxLength: 3 }),
    ),
  })).any,
);

/** A body with some of its values replaced, taken out, or put in twice. */
function damaged(bodies: readonly JsonObject[]): fc.Arbitrary<JsonObject> {
  const change = fc.record({
    place: fc.nat(1_000),
    how: fc.constantFrom('replace', 'remove', 'repeat', 'add'),
    key: fc.constantFrom(...KEYS),
    value,
  });
  return fc.tuple(fc.constantFrom(...bodies), fc.array(change, { maxLength: 4 })).map(([body, changes]) => {
    const copy = structuredClone(body);
    for (const { place, how, key, value: given } of changes) {
      const places = placesIn(copy);
      const [holder, at] = places[place % places.length] as [Record<string, unknown>, string];
      if (how === 'replace') holder[at] = structuredClone(given);
      else if (Array.isArray(holder))
        holder.splice(Number(at), how === 'remove' ? 1 : 0, structuredClone(holder[at as never]));
      else if (how === 'remove') delete holder[at];
      else holder[key] = structuredClone(how === 'add' ? given : holder[at]);
    }
    return copy;
  });
}

/** Each value of a body, by what holds it. */
function placesIn(holder: object): Array<[holder: object, key: string]> {
  return Object.entries(holder).flatMap(([key, inner]) => [
    [holder, key] as [object, string],
    ...(typeof inner === 'object' && inner !== null ? placesIn(inner) : []),
  ]);
}

const SCHEMA = { type: 'object', properties: { path: { type: 'string', minLength: 1 } }, additionalProperties: false };
const IMAGE = 'data:image/png;base64,QUJD';
const call = (id: string, name: string, args: string) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});

const CHAT: JsonObject = {
  model: 'claude-sonnet-4-5',
  max_tokens: 4_000,
  stream: true,
  stream_options: { include_usage: true },
  temperature: 0.5,
  stop: ['END', '\n'],
  reasoning_effort: 'low',
  tool_choice: 'auto',
  parallel_tool_calls: false,
  response_format: { type: 'json_schema', json_schema: { name: 't', schema: SCHEMA } },
  tools: [
    { type: 'function', function: { name: 'read', description: 'r', parameters: SCHEMA, strict: true } },
    {
      type: 'custom',
      custom: { name: 'patch', format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'x' } } },
    },
    { name: 'bare', input_schema: SCHEMA },
    { type: 'web_search' },
  ],
  messages: [
    { role: 'system', content: 's' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'a' },
        { type: 'image_url', image_url: { url: IMAGE } },
      ],
    },
    {
      role: 'assistant',
      content: null,
      tool_calls: [call('call_toolu_1', 'read', '{"path":"a"}'), call('c:2', 'read', '')],
    },
    { role: 'tool', tool_call_id: 'c:2', content: 'x' },
    { role: 'user', content: 'hurry' },
    { role: 'tool', tool_call_id: 'call_toolu_1', content: [{ type: 'text', text: 'y' }] },
    { role: 'developer', content: 'd' },
    {
      role: 'assistant',
      content: 'b',
      refusal: 'no',
      reasoning_details: [
        { type: 'reasoning.text', text: 't', signature: 's', format: 'anthropic-claude-v1', index: 0 },
      ],
    },
    { role: 'user', content: [{ type: 'file', file: { filename: 'f', file_data: 'data:text/plain;base64,QQ==' } }] },
  ],
};

const RESPONSES: JsonObject = {
  model: 'claude-sonnet-5',
  instructions: 'i',
  reasoning: { effort: 'low', summary: 'auto' },
  text: { format: { type: 'json_schema', name: 't', schema: SCHEMA }, verbosity: 'low' },
  include: ['reasoning.encrypted_content'],
  tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'read' }] },
  tools: [
    { type: 'function', name: 'read', parameters: SCHEMA, strict: true },
    { type: 'custom', name: 'patch', format: { type: 'grammar', syntax: 'lark', definition: 'x' } },
    { type: 'namespace', name: 'ns', description: 'n', tools: [{ type: 'function', name: 'go', parameters: SCHEMA }] },
    { type: 'web_search' },
  ],
  input: [
    { type: 'additional_tools', role: 'developer', tools: [{ type: 'function', name: 'more', parameters: SCHEMA }] },
    { role: 'developer', content: 'd' },
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'a' },
        { type: 'input_image', image_url: IMAGE },
      ],
    },
    {
      type: 'reasoning',
      id: 'rs_1',
      summary: [{ type: 'summary_text', text: 't' }],
      encrypted_content: 'isthmus1.e30',
    },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'b', annotations: [] }] },
    { type: 'function_call', call_id: 'call_toolu_1', name: 'go', namespace: 'ns', arguments: '{"path":"a"}' },
    { type: 'custom_tool_call', call_id: 'c:2', name: 'patch', input: 'p' },
    { type: 'custom_tool_call_output', call_id: 'c:2', output: 'x' },
    { type: 'function_call_output', call_id: 'call_toolu_1', output: [{ type: 'input_image', image_url: IMAGE }] },
    { type: 'tool_search_call', call_id: 'ts', arguments: { query: 'q' } },
    { type: 'tool_search_output', call_id: 'ts', tools: [] },
    { type: 'web_search_call', id: 'ws' },
    { type: 'item_reference', id: 'gone' },
    { role: 'user', content: 'go on' },
  ],
};

describe.each([
  ['decodeChat', decodeChat, [CHAT]],
  [
    'decodeResponses',
    decodeResponses,
    [
      RESPONSES,
      { ...RESPONSES, input: (RESPONSES.input as unknown[]).slice(0, -2).concat({ role: 'user', content: 'x' }) },
    ],
  ],
])('%s', (_, decode, bodies) => {
  test('whatever comes in, it is refused by its path, or what the model’s API would take', {
    tags: ['soak'],
  }, async () => {
    const depth = depthOf('decodedBodies');
    await checkProperty(
      depth,
      fc.property(damaged(bodies as JsonObject[]), (body) => {
        if (depth.isOver()) return;
        try {
          expectSound(decode(wireRequest(body)).request);
        } catch (error) {
          if (!(error instanceof FailureError)) throw error;
          expect(error.failure.status).toBeLessThan(500);
          expect(error.failure.message).toMatch(/./);
        }
      }),
    );
  });
});

/** What a request holds whatever its client has sent. */
function expectSound({ messages, tools, toolPaths, parameters, ignored, converted }: MessagesRequest): void {
  expect(messages.length).toBeGreaterThan(0);
  expect(new Set(tools.map(({ name }) => name)).size).toBe(tools.length);
  expect(toolPaths).toHaveLength(tools.length);
  expect(parameters.max_tokens).toBeGreaterThan(0);
  for (const path of [...ignored, ...converted]) expect(path).toMatch(/^[^\s]/);
  let calls: string[] = [];
  for (const [at, { role, content }] of messages.entries()) {
    expect(role).not.toBe(messages[at - 1]?.role);
    expect(content.length).toBeGreaterThan(0);
    for (const block of content) expectBlock(block);
    const idsOf = (type: string, field: string) =>
      content.flatMap((block) => (block.type === type ? [String(block[field])] : []));
    // Results lead, in the order of the calls.
    const results = idsOf('tool_result', 'tool_use_id');
    expect(results).toEqual(role === 'user' ? calls : []);
    expect(content.slice(0, results.length).every(({ type }) => type === 'tool_result')).toBe(true);
    calls = idsOf('tool_use', 'id');
  }
  expect(calls).toEqual([]);
}

function expectBlock(block: ContentBlock): void {
  switch (block.type) {
    case 'text':
      expect(block.text).toMatch(/\S/);
      break;
    case 'tool_use':
      expect(block.id).toMatch(/^[a-zA-Z0-9_-]+$/);
      expect(block.name).toEqual(expect.any(String));
      expect(JSON.parse(JSON.stringify(block.input))).toEqual(expect.objectContaining({}));
      break;
    case 'tool_result':
      for (const inner of block.content as ContentBlock[])
        expectBlock({ ...inner, ...(inner.type === 'text' && { text: 'x' }) });
      break;
    case 'image':
    case 'document':
      expect(block.source).toEqual(expect.objectContaining({ type: expect.stringMatching(/^(base64|url|text)$/) }));
      break;
    default:
      expect(block.type).toMatch(/^(redacted_)?thinking$/);
  }
}
