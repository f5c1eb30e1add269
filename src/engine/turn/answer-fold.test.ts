import { expect, test } from 'vitest';
import { answer } from '../../../test/support/answer-events.ts';
import { AnswerFold } from './answer-fold.ts';

test('a block that never began leaves no hole, and one that begins again stands in its place', () => {
  const fold = new AnswerFold();
  const begin = (index: number, text: string) =>
    fold.add({ type: 'content_block_start', index, content_block: { type: 'text', text } });
  fold.add({ type: 'message_start', message: answer([]) });
  begin(1, 'a');
  begin(2, 'b');
  begin(1, 'c');
  fold.add({ type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'd' } });
  fold.add({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'e' } });
  expect(fold.message?.content).toEqual([
    { type: 'text', text: 'cd' },
    { type: 'text', text: 'b' },
  ]);
});
