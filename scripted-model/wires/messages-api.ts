import type { Wire } from './wire.ts';

/** The parts that other providers share with the Messages API. */
export const MESSAGES_API: Omit<Wire, 'asks'> = {
  streamType: 'text/event-stream; charset=utf-8',
  frame: (event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
  tokenCount: (input_tokens) => ({ input_tokens }),
  error: (type, message, _status, request_id) => ({ type: 'error', error: { type, message }, request_id }),
};

/** The Messages API itself, which some clouds have as it is, below a path of their own. */
export function messagesWire(path: string): Wire | undefined {
  if (path.endsWith('/v1/messages')) return { ...MESSAGES_API, asks: 'message' };
  if (path.endsWith('/v1/messages/count_tokens')) return { ...MESSAGES_API, asks: 'token count' };
  return undefined;
}
