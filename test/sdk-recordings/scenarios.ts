import type { Reply } from '../../scripted-model/script.ts';
import type { Agent } from '../../src/spec/agent.ts';
import type { Message, MessagesRequest } from '../../src/spec/messages.ts';
import { calling, saying } from '../support/agents.ts';
import { assistant, request, tool, user } from '../support/engine.ts';

/** One conversation that is recorded: what the client sends, and what the model answers. */
export interface Scenario {
  /** The first request; it goes by replay, or by a spare if `isSpare`. */
  first: MessagesRequest;
  isSpare?: boolean;
  /** The user messages of the turns that follow on the same process. */
  next?: Message[];
  replies: Reply[];
  /** What is not usual about the agent that takes it; absent for a conversation without one. */
  agent?: Partial<Agent>;
  /** Variables of the process. */
  variables?: Record<string, string>;
}

const HI = request([user('hi')]);
const WITH_TOOL = request([user('hi')], { tools: [tool('read')] });
const OF_AGENT = request([user('hi')], { agent: { name: 'docs' } });
const TEXT: Reply = { content: [{ type: 'text', text: 'All is well.' }], delta_length: 6 };

const call = (id: string, name = 'read') => ({ type: 'tool_use' as const, id, name, input: { path: 'a' } });
const result = (...ids: string[]): Message => ({
  role: 'user',
  content: ids.map((tool_use_id) => ({ type: 'tool_result', tool_use_id, content: `result of ${tool_use_id}` })),
});
const error = (status: number, type: string, message: string, headers = {}): Reply => ({
  error: { status, type, message, headers },
});

const errorEvent = (after_events: number, type: string, message: string): Reply => ({
  ...TEXT,
  stream_error: { after_events, type, message },
});
/** Claude Code asks again without a stream. */
const NO_STREAMS = error(404, 'not_found_error', 'no streams here');

export const SCENARIOS = {
  'two-turns': { first: HI, next: [user('and now?')], replies: [TEXT] },
  'thinking-and-text': {
    first: HI,
    replies: [
      {
        content: [
          { type: 'thinking', thinking: 'Let me see.' },
          { type: 'text', text: 'Well.' },
        ],
      },
    ],
  },
  'tool-loop': {
    first: WITH_TOOL,
    next: [result('toolu_1'), result('toolu_2', 'toolu_3')],
    replies: [
      { content: [{ type: 'text', text: 'I look.' }, call('toolu_1')] },
      { content: [call('toolu_2'), call('toolu_3')] },
      TEXT,
    ],
  },
  'reserved-tool-name': {
    first: request([user('hi')], { tools: [tool('ToolSearch')] }),
    replies: [{ content: [call('toolu_1', 'ToolSearch_')] }],
  },
  'undeclared-tool': { first: WITH_TOOL, replies: [{ content: [call('toolu_1', 'write')] }] },
  'input-is-no-json': {
    first: WITH_TOOL,
    replies: [{ content: [{ ...call('toolu_1'), raw_input: '{"path": ' }] }],
  },
  'ended-by-max-tokens': {
    first: HI,
    replies: [{ content: [{ type: 'text', text: 'All is' }], stop_reason: 'max_tokens' }],
  },
  refusal: { first: HI, replies: [{ content: [{ type: 'text', text: 'No.' }], stop_reason: 'refusal' }] },
  'empty-answer': { first: HI, replies: [{ content: [] }] },
  'whole-text': { first: HI, next: [user('and now?')], replies: [NO_STREAMS, TEXT] },
  'whole-calls': {
    first: WITH_TOOL,
    next: [result('toolu_1', 'toolu_2')],
    replies: [
      NO_STREAMS,
      {
        content: [
          { type: 'thinking', thinking: 'Let me see.' },
          { type: 'text', text: 'I look.' },
          call('toolu_1'),
          call('toolu_2'),
        ],
      },
      TEXT,
    ],
  },
  'whole-ended-by-max-tokens': {
    first: HI,
    replies: [
      NO_STREAMS,
      {
        content: [
          { type: 'thinking', thinking: 'Let me see.' },
          { type: 'text', text: 'All is' },
        ],
        stop_reason: 'max_tokens',
      },
    ],
  },
  'cut-within-a-block': { first: HI, replies: [{ ...TEXT, cut: { after_events: 3, how: 'end' } }] },
  'cut-behind-a-block': { first: HI, replies: [{ ...TEXT, cut: { after_events: 5, how: 'end' } }] },
  'error-event-within': {
    first: HI,
    replies: [{ ...TEXT, stream_error: { after_events: 3, type: 'overloaded_error', message: 'Overloaded' } }],
  },
  'invalid-request-within': { first: HI, replies: [errorEvent(3, 'invalid_request_error', 'messages: bad')] },
  'unknown-error-behind-a-block': { first: HI, replies: [errorEvent(5, 'odd_error', 'something odd')] },
  'overloaded-behind-a-block': { first: HI, replies: [errorEvent(5, 'overloaded_error', 'Overloaded')] },
  'timeout-at-the-beginning': { first: HI, replies: [errorEvent(0, 'timeout_error', 'too slow')] },
  'error-500-for-good': {
    first: HI,
    replies: [error(500, 'api_error', 'Internal server error', { 'x-should-retry': 'false' })],
  },
  'error-429-for-good': {
    first: HI,
    replies: [error(429, 'rate_limit_error', 'Your limit is reached', { 'x-should-retry': 'false' })],
  },
  'input-and-max-tokens-too-long': {
    first: HI,
    replies: [
      error(
        400,
        'invalid_request_error',
        'input length and `max_tokens` exceed context limit: 199000 + 20000 > 200000, decrease input length or `max_tokens` and try again',
      ),
    ],
  },
  'error-400': { first: HI, replies: [error(400, 'invalid_request_error', 'messages: something is wrong')] },
  'error-401': { first: HI, replies: [error(401, 'authentication_error', 'invalid x-api-key')] },
  'error-413': { first: HI, replies: [error(413, 'request_too_large', 'Request exceeds the maximum size')] },
  'error-429': {
    first: HI,
    replies: [error(429, 'rate_limit_error', 'Number of requests has exceeded your limit', { 'retry-after': '30' })],
  },
  'error-429-in-a-spare': {
    first: HI,
    isSpare: true,
    replies: [error(429, 'rate_limit_error', 'Number of requests has exceeded your limit', { 'retry-after': '30' })],
  },
  'error-529-after-an-answer': {
    first: HI,
    next: [user('and now?')],
    replies: [TEXT, error(529, 'overloaded_error', 'Overloaded', { 'retry-after': '20' })],
  },
  'prompt-too-long': {
    first: HI,
    replies: [error(400, 'invalid_request_error', 'prompt is too long: 200001 tokens > 200000 maximum')],
  },
  'connection-refused': { first: HI, replies: [], variables: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' } },
  'not-signed-in': { first: HI, replies: [], variables: { ANTHROPIC_API_KEY: '' } },
  'last-words-of-the-assistant': { first: request([user('hi'), assistant('All is')]), replies: [TEXT] },
  'agent-tool-loop': {
    first: OF_AGENT,
    agent: {},
    replies: [
      {
        content: [
          { type: 'text', text: 'I look.' },
          { type: 'tool_use', id: 'toolu_1', name: 'Read', input: { file_path: '/etc/hostname' } },
        ],
      },
      TEXT,
    ],
  },
  'agent-with-a-subagent': {
    first: OF_AGENT,
    agent: { subagents: { helper: { description: 'helps', prompt: 'You help.' } } },
    replies: [
      calling(['toolu_1', 'Agent', { description: 'look', prompt: 'Look.', subagent_type: 'helper' }]),
      calling(['toolu_2', 'Glob', { pattern: '*.txt' }]),
      saying('I have looked.'),
      TEXT,
    ],
  },
  'agent-ended-by-max-turns': {
    first: OF_AGENT,
    agent: { maxTurns: 1 },
    replies: [calling(['toolu_1', 'Glob', { pattern: '*.txt' }])],
  },
} as const satisfies Record<string, Scenario>;
