import { describe, expect, test } from 'vitest';
import type { ContentBlock, Message, MessagesRequest } from '../spec/messages.ts';
import { chooseRoute, type LiveConversation, type LoadableProcess, loadInto, toolsKeyOf } from './route.ts';

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

test('a first message is a start', () => {
  for (const first of [user(text('hi')), user(image), assistant(text('I say'))]) {
    expect(chooseRoute(request([first]), undefined)).toEqual({ path: 'start' });
  }
});

test('what a live process carries goes on in it', () => {
  expect(chooseRoute(MORE, IDLE)).toEqual({ path: 'continue' });
  expect(chooseRoute(RESULTS, HELD)).toEqual({ path: 'continue' });
  const reordered = { input_schema: { type: 'object' }, name: 'read' };
  expect(chooseRoute(after(user(text('more')), { tools: [reordered] }), IDLE)).toEqual({ path: 'continue' });
});

test('an agent’s process goes on with the same agents of a request, and is replaced for others', () => {
  const named = (description: string) => ({
    tools: [],
    agent: { name: 'docs', subagents: { looker: { description, prompt: 'You look.' } } },
  });
  const more = (description: string) => after(user(text('more')), named(description));
  const live = { ...IDLE, toolsKey: toolsKeyOf(more('looks')) };
  expect(chooseRoute(more('looks'), live)).toEqual({ path: 'continue' });
  const replay = { path: 'replay', reason: 'the tools have changed' };
  expect(chooseRoute(more('looks twice'), live)).toEqual(replay);
  expect(chooseRoute(after(user(text('more')), { tools: [], agent: { name: 'docs' } }), live)).toEqual(replay);
  // The client’s own tools are not the agent's.
  expect(chooseRoute({ ...more('looks'), tools: [READ] }, live)).toEqual({ path: 'continue' });
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

describe('a load into a process that waits', () => {
  const messagesToLoad = ({ messages }: MessagesRequest, shared: number) => messages.length - 1 - shared;
  const WAITING: LoadableProcess = { state: 'idle', reuseKey: 'k', staleness: undefined, messagesToLoad };

  test.each<[string, Partial<LoadableProcess>, MessagesRequest, number, number | undefined]>([
    ['of a first message', {}, request([user(text('hi'))]), 0, 0],
    ['of a history', {}, MORE, 0, 2],
    ['of what it does not hold', {}, MORE, 2, 0],
    ['while it holds calls', { state: 'held' }, MORE, 0, 2],
    ['as far as it says', { messagesToLoad: () => 1 }, MORE, 2, 1],
    ['not while it streams', { state: 'streaming' }, MORE, 0, undefined],
    ['not when it has ended', { state: 'ended' }, MORE, 0, undefined],
    ['not with another key', { reuseKey: 'other' }, MORE, 0, undefined],
    ['not when it takes none', { reuseKey: undefined }, MORE, 0, undefined],
    ['not when it is stale', { staleness: 'the date is about to change' }, MORE, 0, undefined],
    ['not of what it would alter', {}, after(user(text('more'), image)), 0, undefined],
  ])('%s', (_what, process, asked, shared, expected) => {
    expect(loadInto({ ...WAITING, ...process }, { request: asked, key: 'k', shared })).toBe(expected);
  });
});
