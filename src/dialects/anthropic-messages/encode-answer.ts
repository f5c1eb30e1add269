import type { Failure } from '../../spec/failures.ts';
import type { TurnEvent } from '../../spec/turn-events.ts';
import { sseFrame } from '../sse/frame.ts';

/** The API's error envelope. `requestId` is the upstream's where it made the failure, else the gateway's own. */
export function errorBody(failure: Failure, requestId: string) {
  return {
    type: 'error',
    error: {
      type: failure.type,
      message: failure.message,
      ...(failure.code === 'upstream_error' ? {} : { details: failure.details ?? { error_code: failure.code } }),
    },
    request_id: failure.requestId ?? requestId,
  };
}

/** The SSE frame of one event, as the API's own stream has it. */
export function encodeEvent(event: TurnEvent, requestId: string): string {
  switch (event.type) {
    case 'message_stop':
      return sseFrame('message_stop', { type: 'message_stop' });
    case 'failure':
      return sseFrame('error', errorBody(event.failure, requestId));
    default:
      return sseFrame(event.type, event);
  }
}

/** Sent while the model is silent, so that no client or proxy takes the connection for dead. */
export const PING = sseFrame('ping', { type: 'ping' });
