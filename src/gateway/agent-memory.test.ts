import { expect, test } from 'vitest';
import { extendLineageByAnswer, requestLineages } from '../conversation/lineage.ts';
import type { AgentSession } from '../spec/agent.ts';
import type { ExpansionRecord, ExpansionStore } from '../spec/expansion-store.ts';
import type { ContentBlock, Message, MessagesRequest } from '../spec/messages.ts';
import { AgentMemory } from './agent-memory.ts';

const CALLER = { id: 'me' };
const text = (words: string): ContentBlock => ({ type: 'text', text: words });
const user = (words: string): Message => ({ role: 'user', content: [text(words)] });
const assistant = (...content: ContentBlock[]): Message => ({ role: 'assistant', content });

function asking(...messages: Message[]) {
  const request = { model: 'm', system: '', messages, converted: [], agent: { name: 'docs' } };
  return request as unknown as MessagesRequest & { agent: { name: string } };
}

/** A store in memory that forgets nothing. */
function storeOf(): ExpansionStore & { records: ExpansionRecord[] } {
  const records: ExpansionRecord[] = [];
  return {
    records,
    find: async (lineages) =>
      new Map(lineages.map((one) => [one, records.filter(({ lineage }) => lineage === one).toReversed()])),
    put: async (record) => {
      records.push(record);
      return true;
    },
    turn: async (id, caller) => records.find((record) => record.turn === id && record.caller === caller),
    close: async () => undefined,
  };
}

/** Keeps what an agent did for the last answer of a conversation. */
async function keep(memory: AgentMemory, messages: Message[], session: string, steps: string, clientSession?: string) {
  const [answer, ...before] = messages.toReversed();
  const asked = asking(...before.toReversed());
  const lineages = requestLineages(asked, CALLER.id);
  const lineage = extendLineageByAnswer(lineages.at(-1) as string, answer as Message, asked);
  const expansion = Promise.resolve(Buffer.from(steps));
  await memory.keep(
    {
      type: 'message_stop',
      answer: answer as never,
      hidden: { steps: { steps: [], changedFiles: [] }, expansion },
    },
    { turn: steps, caller: CALLER, agent: 'docs', session, clientSession, lineage },
  );
}

async function recall(memory: AgentMemory, messages: Message[], given: AgentSession = {}) {
  const request = asking(...messages);
  const {
    request: found,
    session,
    isGuessed,
  } = await memory.recall(request, requestLineages(request, CALLER.id), given);
  const steps = [...(found.agent.expansions ?? [])].map(([index, bytes]) => [index, Buffer.from(bytes).toString()]);
  return { steps, session, isGuessed, converted: found.converted };
}

const FIRST = [user('hi'), assistant(text('hello'))];
const SECOND = [...FIRST, user('more'), assistant(text('done'))];

test('a new conversation has an id of its own and no steps', async () => {
  const memory = new AgentMemory(storeOf());
  const one = await recall(memory, [user('hi')]);
  const other = await recall(memory, [user('hi')]);
  expect(one).toMatchObject({ steps: [], isGuessed: false, converted: [] });
  expect(one.session).not.toBe(other.session);
});

test('the steps of each known answer come back; the others are told', async () => {
  const memory = new AgentMemory(storeOf());
  await keep(memory, FIRST, 's', 'one');
  await keep(memory, SECOND, 's', 'two');
  expect(await recall(memory, [...SECOND, user('go on')])).toEqual({
    steps: [
      [1, 'one'],
      [3, 'two'],
    ],
    session: 's',
    isGuessed: false,
    converted: [],
  });
  const [, , ...later] = SECOND;
  expect(await recall(memory, [user('hi'), assistant(text('HELLO')), ...later, user('go on')])).toMatchObject({
    steps: [],
    converted: ['messages.1', 'messages.3'],
  });
});

test('conversations that look alike are told apart by our id, the client’s, or a signature of thinking', async () => {
  const memory = new AgentMemory(storeOf());
  const signed = (signature: string) => assistant({ type: 'thinking', thinking: 'hm', signature }, text('hello'));
  await keep(memory, [user('hi'), signed('x')], 'a', 'of a', 'client a');
  await keep(memory, [user('hi'), signed('y')], 'b', 'of b', 'client b');
  await keep(memory, [user('hi'), signed('z')], 'c', 'of c');
  const next = [...FIRST, user('more')];
  expect(await recall(memory, next, { id: 'a' })).toMatchObject({
    session: 'a',
    steps: [[1, 'of a']],
    isGuessed: false,
  });
  expect(await recall(memory, next, { clientId: 'client b' })).toMatchObject({ session: 'b', isGuessed: false });
  expect(await recall(memory, [user('hi'), signed('x'), user('more')])).toMatchObject({
    session: 'a',
    isGuessed: false,
  });
  expect(await recall(memory, next)).toMatchObject({ session: 'c', steps: [[1, 'of c']], isGuessed: true });
});

test('the only one that looks alike is a guess where the client calls its own by another id', async () => {
  const memory = new AgentMemory(storeOf());
  await keep(memory, FIRST, 'a', 'of a', 'client a');
  const next = [...FIRST, user('more')];
  expect(await recall(memory, next, { clientId: 'client a' })).toMatchObject({ session: 'a', isGuessed: false });
  expect(await recall(memory, next, { clientId: 'client b' })).toMatchObject({ session: 'a', isGuessed: true });
  expect(await recall(memory, next)).toMatchObject({ session: 'a', isGuessed: false });
});

test('who names a conversation of which nothing is kept gets nothing of another one', async () => {
  const memory = new AgentMemory(storeOf());
  await keep(memory, FIRST, 'a', 'of a');
  expect(await recall(memory, [...FIRST, user('more')], { id: 'purged' })).toEqual({
    steps: [],
    session: 'purged',
    isGuessed: false,
    converted: ['messages.1'],
  });
});

test('the steps of a turn are its caller’s', async () => {
  const memory = new AgentMemory(storeOf());
  await keep(memory, FIRST, 's', 'one');
  expect(await memory.turn('one', CALLER)).toMatchObject({ session: 's' });
  expect(await memory.turn('one', { id: 'somebody else' })).toBeUndefined();
});
