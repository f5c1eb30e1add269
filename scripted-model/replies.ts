import type { Reply, ScriptedBlock } from './script.ts';

/** A text block. */
export function text(words: string): ScriptedBlock {
  return { type: 'text', text: words };
}

/** A thinking block. Without a signature it gets one that the scripted model makes up. */
export function thinking(words: string, signature?: string): ScriptedBlock {
  return { type: 'thinking', thinking: words, ...(signature !== undefined && { signature }) };
}

/** A call of one of the client's tools. Without an id it gets one that no other call has. */
export function toolUse(name: string, input: unknown, id?: string): ScriptedBlock {
  return { type: 'tool_use', name, input, ...(id !== undefined && { id }) };
}

/**
 * An answer of these blocks; a string is a text block. It stops with `tool_use` if there is a call, else with `end_turn`.
 *
 * @example
 * answer('Hello')
 * answer(thinking('A file?'), text('Let me look.'), toolUse('read_file', { path: 'notes.txt' }))
 * ({ ...answer('Half of an ans'), stop_reason: 'max_tokens' })
 */
export function answer(...blocks: ReadonlyArray<string | ScriptedBlock>): Reply {
  return { content: blocks.map((block) => (typeof block === 'string' ? text(block) : block)) };
}

/** The API's own types of errors, by their status. */
const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/**
 * An error of the API in place of an answer, with the type that the API has for its status.
 *
 * @param headers such as `retry-after`, in seconds
 */
export function apiError(status: number, message: string, headers?: Record<string, string>): Reply {
  const type = ERROR_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
  return { error: { status, type, message, ...(headers && { headers }) } };
}
