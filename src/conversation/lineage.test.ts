import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Message, MessagesRequest } from '../spec/messages.ts';
import { extendLineage, extendLineageByAnswer, requestLineages, rootLineage, sharedMessages } from './lineage.ts';

const root = rootLineage({ callerId: 'k', model: 'm', system: 's' });
const message = (content: object[], role: 'user' | 'assistant' = 'user') => ({ role, content }) as Message;
const lineageOf = (content: object[]) => extendLineage(root, message(content));

test.each([
  [
    'a moved cache breakpoint',
    [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }],
    [{ type: 'text', text: 'a' }],
  ],
  ['the order of keys', [{ text: 'a', type: 'text' }], [{ type: 'text', text: 'a' }]],
  [
    'the order of keys inside a tool input',
    [{ type: 'tool_use', id: '1', name: 'n', input: { a: 1, b: { d: 1, c: 2 } } }],
    [{ type: 'tool_use', id: '1', name: 'n', input: { b: { c: 2, d: 1 }, a: 1 } }],
  ],
  [
    'a result as string or as one text block',
    [{ type: 'tool_result', tool_use_id: '1', content: 'x' }],
    [{ type: 'tool_result', tool_use_id: '1', content: [{ type: 'text', text: 'x' }], is_error: false }],
  ],
  [
    'thinking',
    [
      { type: 'thinking', thinking: 't', signature: 's' },
      { type: 'text', text: 'a' },
    ],
    [{ type: 'text', text: 'a' }],
  ],
])('%s does not count', (_name, one, other) => {
  expect(lineageOf(one)).toBe(lineageOf(other));
});

test('where an assistant’s text is cut into blocks does not count, what stands between them does', () => {
  const text = (text: string) => ({ type: 'text', text });
  const call = { type: 'tool_use', id: '1', name: 'n', input: {} };
  const of = (...content: object[]) => extendLineage(root, message(content, 'assistant'));
  const thinking = { type: 'thinking', thinking: 't', signature: 's' };
  expect(of(text('a'), thinking, text('b'), text('c'), call)).toBe(of(text('abc'), call));
  expect(of(text('a'), call, text('b'))).not.toBe(of(text('ab'), call));
  expect(of(text('a'), { ...text('b'), citations: [] })).not.toBe(of(text('ab')));
});

test.each([
  ['text', [{ type: 'text', text: 'a' }], [{ type: 'text', text: 'a ' }]],
  [
    'the cut between blocks',
    [{ type: 'text', text: 'ab' }],
    [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ],
  ],
  [
    'the order of values in a list',
    [{ type: 'tool_use', id: '1', name: 'n', input: { a: [1, 2] } }],
    [{ type: 'tool_use', id: '1', name: 'n', input: { a: [2, 1] } }],
  ],
  [
    'an error mark',
    [{ type: 'tool_result', tool_use_id: '1', content: 'x', is_error: true }],
    [{ type: 'tool_result', tool_use_id: '1', content: 'x' }],
  ],
  [
    'a tool’s name',
    [{ type: 'tool_use', id: '1', name: 'a', input: {} }],
    [{ type: 'tool_use', id: '1', name: 'b', input: {} }],
  ],
])('%s counts', (_name, one, other) => {
  expect(lineageOf(one)).not.toBe(lineageOf(other));
});

const LONG = 'long '.repeat(30_000);
const image = (data: unknown) => ({ type: 'image', source: { type: 'base64', data } });

test('a long content counts to its last character, and a short one beside it', () => {
  const long = [
    [image(LONG)],
    [image(`${LONG}!`)],
    [image(LONG.replace(/ $/, '!'))],
    [image(LONG), { type: 'text', text: 'a' }],
    [image(LONG), image(LONG)],
    [image([LONG, `\u0001${LONG.length}`])],
    [image([`\u0001${LONG.length}`, LONG])],
    [image(`\u0001${LONG.length}`)],
    [{ type: 'text', text: LONG }],
    [{ type: 'text', text: `${LONG}${LONG}` }],
  ];
  expect(new Set(long.map(lineageOf)).size).toBe(long.length);
  expect(lineageOf([image(`${LONG}`)])).toBe(lineageOf([image(LONG)]));
});

test('no character is lost where a long text is hashed in slices', () => {
  const around = (face: string) => `${'x'.repeat(64 * 1024 - 1)}${face}${'x'.repeat(70_000)}`;
  const [one, other] = ['😀', '😁'].map((face) => lineageOf([{ type: 'text', text: around(face) }]));
  expect(one).not.toBe(other);
});

test('the key, the model, the system prompt and the role count', () => {
  const lineages = [
    root,
    rootLineage({ callerId: 'K', model: 'm', system: 's' }),
    rootLineage({ callerId: 'k', model: 'M', system: 's' }),
    rootLineage({ callerId: 'k', model: 'm', system: 'S' }),
    rootLineage({ callerId: 'km', model: '', system: 's' }),
  ].map((lineage) => extendLineage(lineage, message([{ type: 'text', text: 'a' }])));
  lineages.push(extendLineage(root, message([{ type: 'text', text: 'a' }], 'assistant')));
  expect(new Set(lineages).size).toBe(lineages.length);
});

test('an answer has the lineage of the message that its client sends back', () => {
  const call = { type: 'tool_use', id: '1', name: 'n', input: {} };
  const text = { type: 'text', text: 'a' };
  const answer = message(
    [
      { ...call, caller: { type: 'direct' } },
      { ...text, citations: null },
    ],
    'assistant',
  );
  expect(extendLineageByAnswer(root, answer, {})).toBe(extendLineage(root, message([text, call], 'assistant')));
  const server = { type: 'server_tool_use', id: 's', name: 'n', input: {} };
  const served = { type: 'web_search_tool_result', tool_use_id: 's', content: [] };
  expect(extendLineageByAnswer(root, message([{ ...server, caller: null }, served], 'assistant'), {})).toBe(
    extendLineage(root, message([server, served], 'assistant')),
  );
});

test('an agent’s answer is one text, however its client joins the texts of it', () => {
  const agent = { agent: { name: 'docs' } };
  const question = message([{ type: 'text', text: 'How many?' }]);
  const texts = ['I look. ', 'There are three.'].map((text) => ({ type: 'text', text }));
  const asking = (messages: Message[], named = agent) =>
    requestLineages({ model: 'm', system: 's', messages, ...named } as MessagesRequest, 'k');
  const answered = extendLineageByAnswer(asking([question]).at(-1) as string, message(texts, 'assistant'), agent);
  const lineageOf = (...said: string[]) => {
    const content = said.map((text) => ({ type: 'text', text }));
    return asking([question, message(content, 'assistant'), question])[2];
  };
  expect(lineageOf('I look. ', 'There are three.')).toBe(answered);
  expect(lineageOf('I look. There are three.')).toBe(answered);
  expect(lineageOf('I look.\n\nThere are three.')).toBe(answered);
  expect(lineageOf('I look. There are two.')).not.toBe(answered);
  expect(asking([message([{ type: 'text', text: 'How  many?' }])]).at(-1)).not.toBe(asking([question]).at(-1));
});

test('a request’s history is the whole of the request before it', () => {
  const texts = fc.array(fc.string(), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(texts, fc.string(), (before, newest) => {
      const messages = before.map((text, index) => message([{ type: 'text', text }], index % 2 ? 'assistant' : 'user'));
      const request = (list: Message[]) => ({ model: 'm', system: 's', messages: list }) as MessagesRequest;
      const next = [...messages, message([{ type: 'text', text: newest }])];
      expect(requestLineages(request(next), 'k').at(-2)).toBe(requestLineages(request(messages), 'k').at(-1));
      expect(requestLineages(request(next), 'k')).toHaveLength(next.length + 1);
    }),
  );
});

test('two conversations share what their first messages have in common', () => {
  const words = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 9 });
  const lineagesOf = (texts: string[]) =>
    requestLineages(
      { model: 'm', system: 's', messages: texts.map((text) => message([{ type: 'text', text }])) } as MessagesRequest,
      'k',
    );
  fc.assert(
    fc.property(words, words, (one, other) => {
      const differs = one.findIndex((text, index) => text !== other[index]);
      const expected = Math.min(differs < 0 ? one.length : differs, other.length);
      expect(sharedMessages(lineagesOf(one), lineagesOf(other))).toBe(expected);
    }),
  );
  const foreign = rootLineage({ callerId: 'another', model: 'm', system: 's' });
  expect(sharedMessages([root, lineageOf([])], [foreign])).toBe(-1);
});
