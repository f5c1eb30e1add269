import { beforeEach, expect, test } from 'vitest';
import type { Message } from '../../spec/messages.ts';
import { KnownMessages } from './known-messages.ts';

const user: Message = { role: 'user', content: [{ type: 'text', text: 'words' }] };
const assistant: Message = { role: 'assistant', content: [{ type: 'text', text: 'words' }] };
const results: Message = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1' }] };

let known: KnownMessages;

beforeEach(() => {
  known = new KnownMessages();
});

test('an empty process takes a conversation from its first message on, and nothing has to go', () => {
  expect(known.wayTo(0)).toEqual({ from: 0 });
  expect(known.lastGiven).toBeUndefined();
  expect(known.lastPoint).toBeUndefined();
});

test('a conversation is emptied by a rewind to its first message', () => {
  known.addTurn(user, 0, 'a');
  known.addTurn(user, 2, 'b');
  expect(known.wayTo(0)).toMatchObject({ rewindTo: { at: 0, uuid: 'a' }, from: 0 });
  expect(known.lastGiven).toBe('b');
  known.cutBack(0);
  expect(known.wayTo(0)).toEqual({ from: 0 });
});

test('an undo goes to the last user message that is not shared, an edited answer to the one before', () => {
  known.addTurn(user, 0, 'a');
  known.addTurn(user, 2, 'b');
  expect(known.wayTo(2)).toMatchObject({ rewindTo: { uuid: 'b' }, from: 2 });
  expect(known.wayTo(3)).toMatchObject({ rewindTo: { uuid: 'b' }, from: 2 });
  expect(known.wayTo(1)).toMatchObject({ rewindTo: { uuid: 'a' }, from: 0 });
  // All that it holds, its last answer too.
  expect(known.wayTo(4)).toEqual({ from: 4 });
  // Calls in that answer are given up only with the message before it.
  expect(known.wayTo(4, true)).toMatchObject({ rewindTo: { uuid: 'b' }, from: 2 });
});

test('the messages of a history are points, and what closes it counts as given last', () => {
  known.addHistory(user, 0, 'a');
  known.addHistory(assistant, 1, 'b');
  known.addTurn(user, 2, 'c');
  known.close('end');
  expect(known.lastGiven).toBe('end');
  expect(known.lastPoint).toMatchObject({ at: 2, uuid: 'c' });
  known.addTurn(user, 4, 'd');
  expect(known.lastGiven).toBe('d');
});

test('results of calls are no point: the way goes to the message before the calls', () => {
  known.addTurn(user, 0, 'a');
  known.addResults(2);
  expect(known.wayTo(2)).toMatchObject({ rewindTo: { uuid: 'a' }, from: 0 });
  expect(known.wayTo(4)).toEqual({ from: 4 });
  known.cutBack(0);
  known.addHistory(user, 0, 'e');
  known.addHistory(assistant, 1, 'f');
  known.addTurn(results, 2, 'g');
  expect(known.wayTo(3)).toMatchObject({ rewindTo: { uuid: 'e' }, from: 0 });
  expect(known.lastGiven).toBe('g');
});

test('there is no way to a conversation that begins with an answer and must be emptied', () => {
  known.addHistory(assistant, 0, 'a');
  known.addTurn(user, 1, 'b');
  expect(known.wayTo(0)).toBeUndefined();
});

test('it knows which assistant line stands in front of a message: one that was loaded, or the last one of an answer', () => {
  known.addHistory(user, 0, 'a');
  known.addHistory(assistant, 1, 'loaded');
  known.addTurn(user, 2, 'b');
  known.addSpoken('thinking');
  known.addSpoken('words');
  known.addTurn(user, 4, 'c');
  known.addSpoken('of the last answer');
  const behind = (shared: number) => known.wayTo(shared)?.rewindTo?.behind;
  expect([behind(0), behind(2), behind(4)]).toEqual([null, 'loaded', 'words']);
  known.cutBack(4);
  known.addTurn(user, 4, 'd');
  expect(behind(4)).toBe('words');
  known.cutBack(0);
  known.addTurn(user, 0, 'e');
  expect(behind(0)).toBeNull();
});

test('it does not know it of a conversation of which it knows the newest message alone', () => {
  known.addTurn(user, 2, 'b');
  expect(known.lastPoint).toMatchObject({ uuid: 'b', behind: undefined });
  known.addSpoken(undefined);
  known.addTurn(user, 4, 'c');
  expect(known.lastPoint).toMatchObject({ uuid: 'c', behind: undefined });
});
