import { expect, test } from 'vitest';
import type { Message, MessagesRequest } from '../spec/messages.ts';
import { shapesOf } from './message-shapes.ts';

const request = (messages: Message[]) =>
  ({ system: 'secret!', tools: [{ name: 'secret' }], messages }) as unknown as MessagesRequest;

test('of each message the role, and of its blocks the kinds and sizes are told, and not a word', () => {
  const toolUse = { type: 'tool_use', id: 'secret', name: 'secret', input: { secret: 'secret' } };
  const shapes = shapesOf(
    request([
      { role: 'user', content: [{ type: 'text', text: 'secret' }] },
      { role: 'assistant', content: [{ type: 'thinking', thinking: 'secret..', signature: 'secret' }, toolUse] },
      { role: 'user', content: [{ type: 'a secret kind' }] },
    ]),
  );
  expect(shapes).toEqual({
    system: 7,
    tools: 1,
    before: undefined,
    messages: `user text:6, assistant thinking:8 tool_use:${JSON.stringify(toolUse).length}, user unknown:24`,
  });
  expect(JSON.stringify(shapes)).not.toContain('secret');
});

test('of a long conversation the newest messages are told, and how many are before them', () => {
  const messages = Array.from({ length: 1_000 }, (_, at) => ({
    role: 'user' as const,
    content: [{ type: 'text', text: 'x'.repeat(at) }],
  }));
  const { messages: list, before } = shapesOf(request(messages));
  expect(String(list).length).toBeLessThanOrEqual(450);
  expect(list).toMatch(/^user text:\d+, .*user text:998, user text:999$/);
  expect(before).toBe(1_000 - String(list).split(', ').length);
});

test('the newest message is told whatever its length', () => {
  const content = Array.from({ length: 200 }, () => ({ type: 'text', text: 'x' }));
  expect(shapesOf(request([{ role: 'user', content }])).messages).toMatch(/^user( text:1){200}$/);
});
