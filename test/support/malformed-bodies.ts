import fc from 'fast-check';
import { brokenJson, wrongEncoding } from './broken-bytes.ts';
import { deep, depth, type Message, validBody, withField } from './valid-bodies.ts';

/**
 * Bodies of `POST /v1/messages` that are certainly malformed: a valid one with one defect, chosen by what the Messages
 * API documents and not by what the product checks.
 */
export interface MalformedBody {
  defect: string;
  bytes: Buffer;
  headers: string[];
}

const NO_STRING = ['null', '5', 'true', '{}', '[]', '["x"]', '{"model":"x"}'];
const NO_NUMBER = ['"1"', 'true', '{}', '[]', '[1]', '1e400', '-1e400'];
const NO_OBJECT = ['"x"', '5', 'true', '[]', '[{}]'];
const NO_BLOCKS = ['5', 'true', '{}', '[null]', '[5]', '["x"]', '[[]]', '[{}]', '[{"text":"x"}]', '[{"type":"text"}]'];

/** What a field of the body cannot be, as JSON text; JavaScript has no value for some of them. */
const WRONG_FIELDS: Record<string, string[]> = {
  model: [...NO_STRING, '""', '"anthropic/"', '" "', '"a\\u0000b"'],
  max_tokens: [...NO_NUMBER, 'null', '-1', '1.5', '1e300', '-9007199254740993'],
  messages: [
    'null',
    '"hi"',
    '5',
    'true',
    '{}',
    '[]',
    '[null]',
    '[5]',
    '["hi"]',
    '[[]]',
    '[{}]',
    '{"0":{"role":"user"}}',
  ],
  system: [...NO_BLOCKS, '[{"type":"image"}]', '[{"type":"text","text":5}]'],
  tools: ['"x"', '5', 'true', '{}', '[null]', '[5]', '["read"]', '[{}]', '[{"type":5}]', '[{"name":"read"}]'],
  stream: ['"yes"', '1', '0', '{}', '[]', '"true"'],
  thinking: ['"on"', '5', 'true', '[]', '{}', '{"type":5}', '{"type":"enabled"}'],
  temperature: NO_NUMBER,
  output_config: NO_OBJECT,
  top_p: NO_NUMBER,
  top_k: NO_NUMBER,
  stop_sequences: ['"x"', '5', 'true', '{}', '[1]', '[null]', '[["x"]]'],
  tool_choice: ['"any"', '5', 'true', '[]', '{}', '{"type":5}'],
};

const SCHEMA = { type: 'object' };
const WRONG_TOOLS = [
  { input_schema: SCHEMA },
  ...[5, null, '', 'two words', 'x'.repeat(129), 'é', {}].map((name) => ({ name, input_schema: SCHEMA })),
  ...[undefined, null, 'object', 5, [], {}, { type: 'array' }, { type: ['object'] }].map((input_schema) => ({
    name: 'a',
    input_schema,
  })),
];

const WRONG_ROLES = [
  undefined,
  null,
  5,
  '',
  'tool',
  'User',
  'ASSISTANT',
  'developer',
  'constructor',
  '__proto__',
  {},
  ['user'],
];
const WRONG_CONTENTS = [
  undefined,
  null,
  5,
  true,
  '',
  [],
  {},
  { type: 'text', text: 'x' },
  [null],
  [5],
  ['x'],
  [[]],
  [[{}]],
];
const WRONG_TYPES = [undefined, null, 5, '', {}, ['text'], 'container_upload', 'compaction'];

/** Blocks that no message may hold. */
const WRONG_BLOCKS: unknown[] = [
  ...WRONG_TYPES.map((type) => ({ type, text: 'x' })),
  ...[undefined, null, 5, '', ' \n\t', {}, ['x'], 'half a \ud83d', '\udc69 pair'].map((text) => ({
    type: 'text',
    text,
  })),
  ...['image', 'document'].flatMap((type) => [undefined, null, 'x', 5, []].map((source) => ({ type, source }))),
  ...[undefined, null, 5, '', {}].map((id) => ({ type: 'tool_use', id, name: 'read', input: {} })),
  ...[undefined, null, 5, '', {}].map((name) => ({ type: 'tool_use', id: 'toolu_x', name, input: {} })),
  ...[undefined, null, 5, 'x', []].map((value) => ({ type: 'tool_use', id: 'toolu_x', name: 'read', input: value })),
  ...[undefined, null, 5, '', {}, 'toolu_of_nobody'].map((id) => ({ type: 'tool_result', tool_use_id: id })),
  ...[undefined, null, 5, {}].map((signature) => ({ type: 'thinking', thinking: 't', signature })),
  ...[undefined, null, 5, {}].map((thinking) => ({ type: 'thinking', thinking, signature: 's' })),
  ...[undefined, null, 5, {}].map((data) => ({ type: 'redacted_thinking', data })),
  JSON.parse('{"__proto__": {"type": "text", "text": "x"}}'),
];

/** Models write blank lines, so an assistant's is taken back. */
const isBlankText = (block: unknown): boolean => /^\s*$/.test((block as { text?: string }).text ?? 'none');

const result = (id: string, rest: object = {}) => ({ type: 'tool_result', tool_use_id: id, content: 'r', ...rest });
const use = (id: string) => ({ type: 'tool_use', id, name: 'read', input: {} });
const said = (role: string, ...content: unknown[]): Message => ({ role, content });
const text = (value: string) => ({ type: 'text', text: value });

/** Messages whose blocks do not fit each other, to stand at the end. */
const WRONG_ENDS: Message[][] = [
  [said('assistant', use('toolu_x'))],
  [said('assistant', use('toolu_x')), said('user', text('no result'))],
  [said('assistant', use('toolu_x'), use('toolu_y')), said('user', result('toolu_x'))],
  [said('assistant', use('toolu_x'), use('toolu_x')), said('user', result('toolu_x'))],
  [said('assistant', use('toolu_x')), said('user', result('toolu_x'), result('toolu_x'))],
  [said('assistant', use('toolu_x')), said('user', text('first'), result('toolu_x'))],
  [
    said('assistant', use('toolu_x')),
    said('user', text('in between')),
    said('assistant', text('y')),
    said('user', result('toolu_x')),
  ],
  [said('assistant', result('toolu_x')), said('user', text('y'))],
  [said('user', use('toolu_x'))],
  [said('assistant', { type: 'thinking', thinking: 't', signature: 's' })],
  ...[5, true, {}, [null], [{}], [{ type: 'compaction' }], [{ type: 'text' }]].map((content) => [
    said('assistant', use('toolu_x')),
    said('user', result('toolu_x', { content })),
  ]),
  ...['yes', 1, {}].map((is_error) => [
    said('assistant', use('toolu_x')),
    said('user', result('toolu_x', { is_error })),
  ]),
  [JSON.parse('{"__proto__": {"role": "user"}, "content": "x"}')],
  [JSON.parse('{"role": "user", "__proto__": {"content": "x"}}')],
];

const wrongField = fc
  .tuple(
    validBody,
    fc.constantFrom(...Object.keys(WRONG_FIELDS)),
    fc.nat(100),
    fc.boolean(),
    fc.option(deep, { freq: 20 }),
  )
  .map(([body, field, pick, repeat, nested]) => {
    const wrong = WRONG_FIELDS[field] ?? [];
    // These hold objects, which may have any depth.
    const raw =
      nested !== null && !['tool_choice', 'thinking', 'tools', 'output_config'].includes(field)
        ? nested
        : wrong[pick % wrong.length];
    return { defect: `${field} is ${raw?.slice(0, 40)}`, text: withField(body, field, raw ?? '', repeat) };
  });

const missingField = fc
  .tuple(validBody, fc.constantFrom('model', 'max_tokens', 'messages'))
  .map(([body, field]) => ({ defect: `no ${field}`, text: JSON.stringify({ ...body, [field]: undefined }) }));

/** A wrong value anywhere in the list of messages, told as JSON. */
const wrongMessage = fc
  .tuple(
    validBody,
    fc.nat(10),
    fc.oneof(
      fc.constantFrom<unknown>(null, 5, 'hi', [], {}, [{ role: 'user', content: 'x' }]),
      fc.constantFrom(...WRONG_ROLES).map((role) => ({ role, content: 'x' })),
      fc.constantFrom(...WRONG_CONTENTS).map((content) => ({ role: 'user', content })),
      fc
        .tuple(fc.constantFrom('user', 'assistant'), fc.constantFrom(...WRONG_BLOCKS), fc.boolean())
        .filter(([role, block]) => role === 'user' || !isBlankText(block))
        .map(([role, block, beside]) => said(role, ...(beside ? [text('x')] : []), block)),
    ),
  )
  .map(([body, place, wrong]) => ({
    defect: `a message ${JSON.stringify(wrong)}`,
    text: JSON.stringify({
      ...body,
      messages: body.messages.toSpliced(place % (body.messages.length + 1), 0, wrong as Message),
    }),
  }));

const wrongEnd = fc.tuple(validBody, fc.constantFrom(...WRONG_ENDS)).map(([body, end]) => ({
  defect: `messages that end ${JSON.stringify(end)}`,
  text: JSON.stringify({ ...body, messages: [...body.messages, ...end] }),
}));

const wrongTool = fc
  .tuple(
    validBody,
    fc.constantFrom<object[]>(
      ...WRONG_TOOLS.map((tool) => [tool]),
      [1, 2].map(() => ({ name: 'a', input_schema: SCHEMA })),
    ),
  )
  .map(([body, tools]) => ({ defect: `tools ${JSON.stringify(tools)}`, text: JSON.stringify({ ...body, tools }) }));

const noObject = fc.oneof(
  fc.constantFrom('null', 'true', '5', '""', '"x"', '[]', '{}').map((text) => ({ defect: 'no body at all', text })),
  deep.map((text) => ({ defect: 'nothing but depth', text })),
  validBody.map((body) => ({ defect: 'a list of bodies', text: JSON.stringify([body]) })),
  validBody.map((body) => ({ defect: 'a body inside a field', text: JSON.stringify({ body }) })),
  validBody.map((body) => ({ defect: 'a body twice encoded', text: JSON.stringify(JSON.stringify(body)) })),
  validBody.map((body) => ({ defect: 'a body as __proto__', text: `{"__proto__":${JSON.stringify(body)}}` })),
);

/** Half a surrogate pair at the bottom of something that may be deep. */
const deepHalfPair = fc.tuple(validBody, depth).map(([body, count]) => {
  const properties = `${'{"a":'.repeat(count)}"\\ud83d"${'}'.repeat(count)}`;
  const tool = `{"name":"a","input_schema":{"type":"object","properties":${properties}}}`;
  return { defect: 'half a surrogate pair far down', text: withField(body, 'tools', `[${tool}]`, false) };
});

const utf8 = ({ defect, text }: { defect: string; text: string }): MalformedBody => ({
  defect,
  bytes: Buffer.from(text),
  headers: [],
});

const asText = validBody.map((body) => JSON.stringify(body));

export const malformedBody: fc.Arbitrary<MalformedBody> = fc.oneof(
  { weight: 8, arbitrary: wrongField.map(utf8) },
  { weight: 1, arbitrary: missingField.map(utf8) },
  { weight: 8, arbitrary: wrongMessage.map(utf8) },
  { weight: 4, arbitrary: wrongEnd.map(utf8) },
  { weight: 2, arbitrary: wrongTool.map(utf8) },
  { weight: 2, arbitrary: noObject.map(utf8) },
  { weight: 1, arbitrary: deepHalfPair.map(utf8) },
  { weight: 6, arbitrary: brokenJson(asText).map(utf8) },
  { weight: 3, arbitrary: wrongEncoding(asText) },
);

/** For requests whose defect is elsewhere. */
export const anyBody: fc.Arbitrary<Buffer> = fc.oneof(
  asText.map((text) => Buffer.from(text)),
  malformedBody.map(({ bytes }) => bytes),
  fc.constant(Buffer.alloc(0)),
);
