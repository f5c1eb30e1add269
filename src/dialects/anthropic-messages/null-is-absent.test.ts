import { expect, test } from 'vitest';
import { decodeRequest } from './decode-request.ts';
import { withoutNulls } from './null-is-absent.ts';

const text = { type: 'text', text: 'a' };
const call = { type: 'tool_use', id: 'i', name: 'n', input: { a: null } };
const plain = {
  model: 'm',
  max_tokens: 1,
  system: [text],
  messages: [
    { role: 'user', content: [{ type: 'document', source: { type: 'content', content: [text] } }] },
    { role: 'assistant', content: [text, call] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'i', content: [text] }] },
  ],
  tools: [{ name: 'n', input_schema: { type: 'object', default: null, enum: [null] } }],
  tool_choice: { type: 'auto' },
  thinking: { type: 'disabled' },
  output_config: { format: { type: 'json_schema', schema: { const: null } } },
};

test('null is absent in what a typed client dumps', () => {
  const dumped = { ...text, citations: null, cache_control: null, parsed_output: null };
  const found = decodeRequest(
    {
      ...plain,
      system: [dumped],
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'document',
              source: { type: 'content', content: [dumped], url: null },
              title: null,
              citations: { enabled: null },
            },
          ],
          clear_at: null,
        },
        {
          role: 'assistant',
          content: [
            { ...text, citations: [] },
            { ...call, caller: null },
          ],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'i', content: [dumped], is_error: null }] },
      ],
      tools: [{ ...plain.tools[0], type: null, description: null, defer_loading: null, strict: null }],
      tool_choice: { type: 'auto', disable_parallel_tool_use: null },
      thinking: { type: 'disabled', budget_tokens: null, display: null },
      output_config: { effort: null, format: { ...plain.output_config.format, name: null } },
      metadata: { user_id: null, team: null },
      temperature: null,
      stop_sequences: null,
      stream: null,
      betas: null,
      service_tier: null,
      container: null,
      invented: null,
    },
    { strict: true },
  );
  const [document] = plain.messages[0]?.content ?? [];
  const messages = [{ role: 'user', content: [{ ...document, citations: {} }] }, ...plain.messages.slice(1)];
  expect(found).toEqual(decodeRequest({ ...plain, messages }));
});

test('a tool result without content may have null', () => {
  const result = (content: object) => [
    ...plain.messages.slice(0, 2),
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'i', ...content }] },
  ];
  const found = decodeRequest({ ...plain, messages: result({ content: null }) });
  expect(found).toEqual(decodeRequest({ ...plain, messages: result({}) }));
});

test('null stays where it is a value, and what has no other is not copied', () => {
  expect(withoutNulls(plain)).toBe(plain);
  const other = {
    messages: [
      {
        content: [
          { type: 'compaction', content: null },
          { type: 'web_search_tool_result', page_age: null },
        ],
      },
    ],
  };
  expect(withoutNulls(other)).toBe(other);
  for (const body of [null, 1, [null], { messages: [null], tools: 'x' }]) expect(withoutNulls(body)).toEqual(body);
  expect(withoutNulls(JSON.parse('{"__proto__": {"a": 1}, "b": null}'))).toEqual(JSON.parse('{"__proto__": {"a": 1}}'));
});
