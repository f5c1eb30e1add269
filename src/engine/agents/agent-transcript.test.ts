import { expect, test } from 'vitest';
import type { Expansion } from '../../spec/agent.ts';
import type { ContentBlock, Message } from '../../spec/messages.ts';
import { toAgentTranscript } from './agent-transcript.ts';
import { type Entry, hasOtherPrompt, isKept, toExpansion, withoutOpenCalls } from './expansion.ts';

const AT = { model: 'm', prompt: { system: 's', usesPreset: false }, cwd: '/w', before: [] };
const text = (words: string): ContentBlock => ({ type: 'text', text: words });
const user = (...content: ContentBlock[]): Message => ({ role: 'user', content });
const assistant = (...content: ContentBlock[]): Message => ({ role: 'assistant', content });

function entry(
  uuid: string,
  parentUuid: string | null,
  role: 'user' | 'assistant',
  content: ContentBlock[],
  id = uuid,
): Entry {
  return { type: role, uuid, parentUuid, message: { id, role, content } } as unknown as Entry;
}

const call = (id: string): ContentBlock => ({ type: 'tool_use', id, name: 'Read', input: {} });
const result = (id: string): ContentBlock => ({ type: 'tool_result', tool_use_id: id, content: 'ok' });
const thought: ContentBlock = { type: 'thinking', thinking: 'hm', signature: 's' };

/** A turn with two calls at once, whose results have parents of their own. */
const TURN: Entry[] = [
  entry('u', null, 'user', [text('look')]),
  entry('a1', 'u', 'assistant', [thought], 'm1'),
  entry('a2', 'a1', 'assistant', [call('t1')], 'm1'),
  entry('a3', 'a2', 'assistant', [call('t2')], 'm1'),
  entry('r1', 'a2', 'user', [result('t1')]),
  entry('r2', 'a3', 'user', [result('t2')]),
  entry('a4', 'r2', 'assistant', [text('done')], 'm2'),
];

/** Each entry's content with the place of its parent. */
function shape(entries: readonly Entry[]) {
  const at = new Map<unknown, number>(entries.map(({ uuid }, index) => [uuid, index]));
  return entries.map((one) => [
    (one.message as { content: ContentBlock[] }).content.map(({ type }) => type).join(),
    one.parentUuid === null ? null : at.get(one.parentUuid),
  ]);
}

async function transcript(history: Message[], [index, steps]: [number, readonly Entry[]]) {
  const expansions = new Map<number, Expansion>([[index, await toExpansion(steps)]]);
  return toAgentTranscript(history, expansions, AT).entries;
}

test('a known answer has all its steps, which keep their order to each other', async () => {
  const entries = await transcript([user(text('look')), assistant(text('done'))], [1, TURN]);
  expect(shape(entries)).toEqual([
    ['text', null],
    ['thinking', 0],
    ['tool_use', 1],
    ['tool_use', 2],
    ['tool_result', 2],
    ['tool_result', 3],
    ['text', 5],
  ]);
  expect(new Set(entries.map(({ sessionId }) => sessionId)).size).toBe(1);
  expect(entries.map(({ uuid }) => uuid)).not.toContain('u');
});

test('an unknown answer stands as the client sends it, and no thinking stays behind it', async () => {
  const history = [user(text('hi')), assistant(thought, text('hello')), user(text('look')), assistant(text('done'))];
  const entries = await transcript(history, [3, TURN]);
  expect(shape(entries)).toEqual([
    ['text', null],
    ['text', 0],
    ['text', 1],
    ['tool_use', 2],
    ['tool_use', 3],
    ['tool_result', 3],
    ['tool_result', 4],
    ['text', 6],
  ]);
});

test('what was not kept leaves no gap', async () => {
  const [first, ...rest] = TURN;
  const personal = {
    type: 'attachment',
    uuid: 'p',
    parentUuid: 'u',
    attachment: { type: 'session_context' },
  } as unknown as Entry;
  const turn = [
    first as Entry,
    personal,
    ...rest.map((one) => (one.uuid === 'a1' ? { ...one, parentUuid: 'p' } : one)),
  ];
  const kept = turn.filter(isKept) as Entry[];
  expect(kept).not.toContain(personal);
  const entries = await transcript([user(text('look')), assistant(text('done'))], [1, kept]);
  expect(shape(entries).slice(0, 2)).toEqual([
    ['text', null],
    ['thinking', 0],
  ]);
});

test('a call without a result goes, with all blocks of its answer', () => {
  expect(withoutOpenCalls(TURN)).toEqual(TURN);
  expect(withoutOpenCalls(TURN.slice(0, 5)).map(({ uuid }) => uuid)).toEqual(['u']);
});

test('what belongs to a subagent is no part of the conversation', () => {
  expect(isKept({ type: 'assistant', uuid: 'x', isSidechain: true } as never)).toBe(false);
  expect(isKept({ type: 'queue-operation' } as never)).toBe(false);
});

test.each([
  ['s', ['', 's'], false, false],
  ['s', ['', 'yesterday’s'], false, true],
  ['', ['', 's'], false, true],
  ['', [''], false, false],
  ['s', ['preset s'], true, false],
  ['s', ['preset'], true, true],
])(
  'with the system prompt %j, a snapshot with %j (with the preset: %s) brings another one back: %s',
  (system, systemPrompt, usesPreset, isOther) => {
    const snapshot = { attachment: { type: 'prompt_snapshot', systemPrompt } } as unknown as Entry;
    expect(hasOtherPrompt(snapshot, { system, usesPreset })).toBe(isOther);
  },
);

test('a snapshot of another system prompt goes, and what stands behind it stays in its place', async () => {
  const snapshot = {
    type: 'attachment',
    uuid: 's',
    parentUuid: 'r2',
    attachment: { type: 'prompt_snapshot', systemPrompt: ['x'] },
  };
  const turn = [...TURN.slice(0, 6), snapshot as unknown as Entry, { ...TURN[6], parentUuid: 's' } as Entry];
  const entries = await transcript([user(text('look')), assistant(text('done'))], [1, turn]);
  expect(shape(entries).at(-1)).toEqual(['text', 5]);
});
