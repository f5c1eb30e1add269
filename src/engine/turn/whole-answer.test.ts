import { expect, test } from 'vitest';
import { AnswerFold, type RawEvent } from './answer-fold.ts';
import type { AssistantMessage } from './upstream-failure.ts';
import { WholeAnswer } from './whole-answer.ts';

const USAGE = { input_tokens: 10, output_tokens: 7 };
/** What an answer says of itself as a whole, beside its stop reason. */
const RESULTS = [{ type: 'dangerous_tool_use', status: { type: 'available', tool_uses: {} } }];
const BLOCKS = [
  { type: 'thinking', thinking: 'Let me see.', signature: 'c2ln' },
  { type: 'redacted_thinking', data: 'ZGF0YQ==' },
  {
    type: 'text',
    text: 'It says so.',
    citations: [{ type: 'char_location', cited_text: 'so' }, { type: 'page_location' }],
  },
  { type: 'text', text: '' },
  { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'x' } },
  { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [{ title: 'y' }] },
  { type: 'tool_use', id: 'toolu_1', name: 'read', input: { path: 'a', deep: [{ b: null }] } },
  { type: 'tool_use', id: 'toolu_2', name: 'now', input: {} },
];

/** One message of the SDK a block. */
const messages = BLOCKS.map(
  (block) =>
    ({
      type: 'assistant',
      parent_tool_use_id: null,
      message: {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'claude-sonnet-5',
        content: [block],
        stop_reason: 'tool_use',
        stop_sequence: null,
        usage: USAGE,
        safeguard_results: RESULTS,
        context_management: { applied_edits: [] },
      },
    }) as unknown as AssistantMessage,
);

function eventsOf([first, ...rest]: AssistantMessage[]): RawEvent[] {
  if (!first) throw new Error('there is no message');
  const whole = new WholeAnswer(first);
  return [whole.start(), ...[first, ...rest].flatMap((message) => whole.blocks(message)), whole.end()];
}

test('the events fold to the answer, with its id, its stop reason and its usage', () => {
  const fold = new AnswerFold();
  for (const event of eventsOf(messages)) fold.add(event);
  expect(fold.message).toEqual({ ...messages[0]?.message, content: BLOCKS });
});

test('they are what a stream would have: nothing is known before its event', () => {
  const [start, ...events] = eventsOf(messages);
  expect(start).toEqual({
    type: 'message_start',
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-5',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: USAGE,
    },
  });
  const starts = events.filter(({ type }) => type === 'content_block_start');
  expect(starts.map((event) => 'index' in event && event.index)).toEqual(BLOCKS.map((_block, at) => at));
  expect(JSON.stringify(starts)).not.toMatch(/Let me see|It says so|deep|char_location/);
  expect(events.at(-1)).toEqual({
    type: 'message_delta',
    delta: { stop_reason: 'tool_use', stop_sequence: null, safeguard_results: RESULTS },
    usage: USAGE,
    context_management: { applied_edits: [] },
  });
});
