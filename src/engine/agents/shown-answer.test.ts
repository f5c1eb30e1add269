import { expect, test } from 'vitest';
import type { ContentBlock } from '../../spec/messages.ts';
import { AnswerFold, type RawEvent } from '../turn/answer-fold.ts';
import { ShownAnswer } from './shown-answer.ts';

/** The events of one answer of a model. */
function answer(id: string, blocks: ContentBlock[], stopReason: string, usage: object = {}): RawEvent[] {
  const started = { id, type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null };
  return [
    {
      type: 'message_start',
      message: {
        ...started,
        stop_sequence: null,
        usage: { input_tokens: 10, cache_read_input_tokens: 5, output_tokens: 1, ...usage },
      },
    },
    ...blocks.flatMap((block, index): RawEvent[] => [
      { type: 'content_block_start', index, content_block: block },
      { type: 'content_block_stop', index },
    ]),
    { type: 'message_delta', delta: { stop_reason: stopReason, stop_sequence: null }, usage: { output_tokens: 7 } },
  ] as RawEvent[];
}

function shown(...answers: RawEvent[][]) {
  const view = new ShownAnswer();
  const events = answers.flat().flatMap((event) => view.show(event));
  return { view, events };
}

const CALL: ContentBlock = { type: 'tool_use', id: 'toolu_1', name: 'Read', input: {} };
const text = (words: string): ContentBlock => ({ type: 'text', text: words });

test('all answers are one message: its blocks have indices of their own, and calls are left out', () => {
  const thought: ContentBlock = { type: 'thinking', thinking: 'hm', signature: 's' };
  const { view, events } = shown(
    answer('a', [thought, text('one'), CALL], 'tool_use'),
    answer('b', [CALL, CALL], 'tool_use'),
    answer('c', [CALL, text('two')], 'end_turn'),
  );
  const all = [...events, ...view.end()];
  expect(all.map((event) => ('index' in event ? `${event.type} ${event.index}` : event.type))).toEqual([
    'message_start',
    'content_block_start 0',
    'content_block_stop 0',
    'content_block_start 1',
    'content_block_stop 1',
    'content_block_start 2',
    'content_block_stop 2',
    'message_delta',
  ]);
  expect(view.message).toMatchObject({
    id: 'a',
    content: [thought, text('one'), text('two')],
    stop_reason: 'end_turn',
  });
  const fold = new AnswerFold();
  for (const event of all) fold.add(event);
  expect(fold.message).toEqual(view.message);
});

test('the usage is the sum over all answers, nested counts too', () => {
  const { view } = shown(
    answer('a', [CALL], 'tool_use', { server_tool_use: { web_search_requests: 1 } }),
    answer('b', [CALL], 'tool_use', { server_tool_use: { web_search_requests: 2 }, service_tier: 'standard' }),
    answer('c', [text('done')], 'end_turn'),
  );
  view.end();
  expect(view.message?.usage).toEqual({
    input_tokens: 30,
    cache_read_input_tokens: 15,
    output_tokens: 21,
    server_tool_use: { web_search_requests: 3 },
    service_tier: 'standard',
  });
});

test('what is said in between is a text block, and a limit is its own stop reason', () => {
  const { view } = shown(answer('a', [text('one'), CALL], 'tool_use'));
  view.say('→ Read a.txt');
  view.end('max_tokens');
  expect(view.message).toMatchObject({ content: [text('one'), text('→ Read a.txt')], stop_reason: 'max_tokens' });
});

test('a block within which the turn ends is ended once, before what is said', () => {
  const [start, begun] = answer('a', [text('one')], 'end_turn');
  const view = new ShownAnswer();
  const events = [start, begun].flatMap((event) => (event ? view.show(event) : []));
  events.push(
    ...view.say('Stopped.'),
    ...view.show({ type: 'content_block_stop', index: 0 }),
    ...view.end('max_tokens'),
  );
  expect(events.map((event) => ('index' in event ? `${event.type} ${event.index}` : event.type))).toEqual([
    'message_start',
    'content_block_start 0',
    'content_block_stop 0',
    'content_block_start 1',
    'content_block_delta 1',
    'content_block_stop 1',
    'message_delta',
  ]);
});

test('without an answer there is none', () => {
  expect(new ShownAnswer().message).toBeUndefined();
});
