import fc from 'fast-check';

export type Fields = Record<string, unknown>;
export type Message = { role: string; content: unknown };

const words = fc.oneof(
  fc.constantFrom('hi', 'é漢👩‍👩‍👧', '{"model": 5}', '__proto__', '\u2028 x', 'x'.repeat(3_000)),
  fc.string({ minLength: 1, maxLength: 20 }).map((value) => `${value}.`),
);
const input = fc.dictionary(fc.constantFrom('path', 'role', 'type', 'a'), words, { maxKeys: 3 });
const userContent = fc.oneof(
  words,
  fc.array(words, { minLength: 1, maxLength: 3 }).map((texts) => texts.map((text) => ({ type: 'text', text }))),
);
const exchange = fc.record({ asked: userContent, said: words, call: fc.option(input) });

/** Without its defect, each of these would start a turn. */
export const validBody: fc.Arbitrary<Fields & { messages: Message[] }> = fc
  .record({
    history: fc.array(exchange, { maxLength: 3 }),
    newest: userContent,
    optional: fc.record(
      {
        system: words,
        tools: fc.constant([{ name: 'read', description: 'é', input_schema: { type: 'object' } }]),
        stream: fc.boolean(),
        temperature: fc.constantFrom(0, 0.5, 1),
        metadata: fc.constant({ user_id: 'u' }),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ history, newest, optional }) => ({
    model: 'claude-sonnet-5',
    max_tokens: 10,
    ...optional,
    messages: [
      ...history.flatMap(({ asked, said, call }, index) => [
        { role: 'user', content: asked },
        ...(call ? toolLoop(`toolu_${index}`, call) : []),
        { role: 'assistant', content: said },
      ]),
      { role: 'user', content: newest },
    ],
  }));

function toolLoop(id: string, call: object): Message[] {
  return [
    { role: 'assistant', content: [{ type: 'tool_use', id, name: 'read', input: call }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'r' }] },
  ];
}

/** Far beyond any recursion that would follow it, but small. */
export const depth = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 2, max: 500 }) },
  fc.constantFrom(5_000, 20_000),
);
export const deep = fc.oneof(
  depth.map((count) => `${'['.repeat(count)}${']'.repeat(count)}`),
  depth.map((count) => `${'{"a":'.repeat(count)}1${'}'.repeat(count)}`),
);

/** The body as text with a field replaced, or repeated: the last of a name counts. */
export function withField(body: Fields, field: string, raw: string, repeat: boolean): string {
  const { [field]: old, ...rest } = body;
  const before = repeat && old !== undefined ? { ...rest, [field]: old } : rest;
  return `${JSON.stringify(before).slice(0, -1)},${JSON.stringify(field)}:${raw}}`;
}
