import { expect, test } from 'vitest';
import type { ContentBlock, Message, MessagesRequest } from '../spec/messages.ts';
import { chooseRoute, type LiveConversation } from './route.ts';

const text = (words: string): ContentBlock => ({ type: 'text', text: words });
const result = (id: string): ContentBlock => ({ type: 'tool_result', tool_use_id: id, content: 'r' });
const image: ContentBlock = { type: 'image', source: {} };
const user = (...content: ContentBlock[]): Message => ({ role: 'user', content });
const assistant = (...content: ContentBlock[]): Message => ({ role: 'assistant', content });

const READ = { name: 'read', input_schema: { type: 'object' } };

function request(messages: Message[], rest: Partial<MessagesRequest> = {}): MessagesRequest {
  return {
    model: 'm',
    system: '',
    messages,
    tools: [READ],
    parameters: {},
    betas: ['a'],
    stream: true,
    ignored: [],
    converted: [],
    unknown: [],
    ...rest,
  };
}

const IDLE: LiveConversation = {
  state: 'idle',
  toolsKey: '[{"input_schema":{"type":"object"},"name":"read"}]',
  betasKey: '["a"]',
  heldIds: [],
  staleness: undefined,
};
const HELD: LiveConversation = { ...IDLE, state: 'held', heldIds: ['toolu_a', 'toolu_b'] };
const after = (newest: Message, rest?: Partial<MessagesRequest>) =>
  request([user(text('hi')), assistant(text('…')), newest], rest);
const MORE = after(user(text('more')));
const RESULTS = after(user(result('toolu_a'), result('toolu_b')));

test('a first message is a start, by a spare where one carries it', () => {
  expect(chooseRoute(request([user(text('hi'))]), undefined)).toEqual({ path: 'start', takesSpare: true });
  expect(chooseRoute(request([user(image)]), undefined)).toEqual({ path: 'start', takesSpare: false });
  expect(chooseRoute(request([assistant(text('I say'))]), undefined)).toEqual({ path: 'start', takesSpare: false });
});

test('what a live process carries goes on in it', () => {
  expect(chooseRoute(MORE, IDLE)).toEqual({ path: 'continue' });
  expect(chooseRoute(RESULTS, HELD)).toEqual({ path: 'continue' });
  const reordered = { input_schema: { type: 'object' }, name: 'read' };
  expect(chooseRoute(after(user(text('more')), { tools: [reordered] }), IDLE)).toEqual({ path: 'continue' });
});

test.each<[string, MessagesRequest, LiveConversation | undefined]>([
  ['no live process holds this history', MORE, undefined],
  ['the newest message is not from the user', after(assistant(text('I say'))), IDLE],
  ['the date is about to change', MORE, { ...IDLE, staleness: 'the date is about to change' }],
  ['the tools have changed', after(user(text('more')), { tools: [] }), IDLE],
  ['the tools have changed', after(user(result('toolu_a'), result('toolu_b')), { tools: [] }), HELD],
  ['the betas have changed', after(user(text('more')), { betas: [] }), IDLE],
  ['user turn with something else than text', after(user(text('more'), image)), IDLE],
  ['content beside the tool results', after(user(result('toolu_a'), result('toolu_b'), text('and'))), HELD],
  ['tool results in another order than the calls', after(user(result('toolu_b'), result('toolu_a'))), HELD],
  ['tool results in another order than the calls', after(user(result('toolu_a'))), HELD],
])('a replay, since %s', (reason, asked, live) => {
  expect(chooseRoute(asked, live)).toEqual({ path: 'replay', reason });
});
