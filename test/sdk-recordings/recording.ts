import type { SDKMessage, SessionStoreEntry } from '@anthropic-ai/claude-agent-sdk';

/** What the reader was given of one process, without what it never looks at and what differs from run to run. */
export interface Recording {
  /** The SDK's messages in their order; `turn` marks where a turn of the client's begins. */
  messages: Array<RecordedMessage | { type: 'turn' }>;
  /** Transcript entries about failed calls; when they come beside the messages differs from run to run. */
  heard: object[];
}

export type RecordedMessage = { type: SDKMessage['type']; [field: string]: unknown };

/** The fields that the reader looks at, by the kind of message; a message of another kind means nothing to it. */
const FIELDS: Record<string, readonly string[]> = {
  stream_event: ['type', 'event', 'parent_tool_use_id'],
  'system/init': ['type', 'subtype', 'tools'],
  'system/api_retry': ['type', 'subtype', 'error_status', 'retry_delay_ms', 'error', 'no_response'],
  assistant: [
    'type',
    'is_api_error_message',
    'api_error_status',
    'api_error_type',
    'request_id',
    'error',
    'message',
    'parent_tool_use_id',
  ],
  user: ['type'],
  result: ['type', 'subtype', 'is_error', 'terminal_reason'],
};

/** What an agent's turn also looks at: its calls, what came of them, and what was spent. */
const OF_AGENTS: Record<string, readonly string[]> = {
  'system/init': ['type', 'subtype', 'tools', 'mcp_servers'],
  'system/task_started': ['type', 'subtype', 'tool_use_id', 'subagent_type'],
  user: ['type', 'message', 'parent_tool_use_id'],
  result: ['type', 'subtype', 'is_error', 'terminal_reason', 'modelUsage'],
};

/** Of a block of a user's message; what a tool says has the id of a subagent, and how long it took. */
const OF_RESULTS = ['type', 'tool_use_id', 'is_error'];

/** Of what was spent on a model; the prices are another matter. */
const OF_USAGE = ['inputTokens', 'outputTokens', 'cacheReadInputTokens', 'cacheCreationInputTokens', 'contextWindow'];

/**
 * Undefined for a message that means nothing to the turn of an agent.
 *
 * @param streamed as for {@link toRecorded}
 */
export function toRecordedOfAgent(message: SDKMessage, streamed: ReadonlySet<unknown>): RecordedMessage | undefined {
  const kept = OF_AGENTS[kindOf(message)];
  if (message.type === 'user') {
    const { content } = message.message;
    const blocks = typeof content === 'string' ? [] : content;
    const results = blocks.map((block) => only(block as unknown as Record<string, unknown>, OF_RESULTS));
    return { type: 'user', message: { content: results }, parent_tool_use_id: message.parent_tool_use_id };
  }
  if (kept) {
    const recorded = only(message as unknown as Record<string, unknown>, kept) as RecordedMessage;
    if (message.type !== 'result') return recorded;
    const usage = Object.entries(message.modelUsage).map(([model, used]) => [model, only({ ...used }, OF_USAGE)]);
    return { ...recorded, modelUsage: Object.fromEntries(usage) };
  }
  // It says which calls begin, also where its blocks came as events.
  return toRecorded(message, message.type === 'assistant' ? new Set() : streamed);
}

/**
 * Undefined for a message that means nothing to the reader.
 *
 * @param streamed the ids of the answers that came as events before
 */
export function toRecorded(message: SDKMessage, streamed: ReadonlySet<unknown>): RecordedMessage | undefined {
  const fields = message as unknown as Record<string, unknown>;
  if (message.type === 'assistant' && streamed.has(message.message.id)) return undefined;
  const kept = FIELDS[kindOf(message)];
  if (!kept) return undefined;
  const recorded = only(fields, kept) as RecordedMessage;
  if (message.type === 'assistant') {
    // The id of a message that Claude Code makes by itself is random.
    const named = fields.is_api_error_message === true ? ['stop_reason', 'content'] : Object.keys(message.message);
    recorded.message = only(message.message as unknown as Record<string, unknown>, named);
  }
  // The jitter of the CLI: up to a quarter of what the API said.
  if ('retry_delay_ms' in recorded)
    recorded.retry_delay_ms = Math.floor(Number(recorded.retry_delay_ms) / 10_000) * 10_000;
  return recorded;
}

function kindOf(message: SDKMessage): string {
  return message.type === 'system' ? `system/${message.subtype}` : message.type;
}

/** Undefined for an entry that is not about a failed call. */
export function toHeard(entry: SessionStoreEntry): object | undefined {
  const fields = entry as unknown as Record<string, unknown>;
  if (fields.subtype === 'api_error') return only(fields, ['type', 'subtype', 'error']);
  if (fields.isApiErrorMessage !== true) return undefined;
  return only(fields, ['type', 'isApiErrorMessage', 'apiErrorStatus', 'errorDetails']);
}

function only(fields: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => fields[name] !== undefined).map((name) => [name, fields[name]]));
}
