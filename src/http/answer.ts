import { randomUUID } from 'node:crypto';
import { encodeEvent, errorBody, PING } from '../dialects/anthropic-messages/encode-answer.ts';
import { clientGone, type Failure } from '../spec/failure.ts';
import type { TurnEvent } from '../spec/turn-events.ts';

/** How a turn ended, for the log. */
export type OnSettled = (outcome: { failure?: Failure }) => void;

export interface AnswerOptions {
  requestId: string;
  headers: Record<string, string>;
  /** Silence after which a streaming answer commits to 200 and pings, in milliseconds. */
  keepAliveMs: number;
  onSettled: OnSettled;
}

/** The gateway's own name for a request. */
export function newRequestId(): string {
  return `req_isthmus_${randomUUID().replaceAll('-', '')}`;
}

/** The answer to a request that was refused or failed before its first byte. */
export function failureResponse(failure: Failure, requestId: string, headers: Record<string, string> = {}): Response {
  return Response.json(errorBody(failure, requestId), {
    status: failure.status,
    headers: {
      ...headers,
      'isthmus-error': failure.code,
      'request-id': failure.requestId ?? requestId,
      // The rest of such a body is not read; the connection cannot be used again.
      ...(failure.code === 'body_too_large' ? { connection: 'close' } : {}),
      ...(failure.retryAfterSeconds === undefined ? {} : { 'retry-after': String(failure.retryAfterSeconds) }),
    },
  });
}

/** The whole answer as one JSON body. */
export async function jsonAnswer(events: AsyncIterable<TurnEvent>, options: AnswerOptions): Promise<Response> {
  for await (const event of events) {
    if (event.type === 'failure') {
      options.onSettled({ failure: event.failure });
      return failureResponse(event.failure, options.requestId, options.headers);
    }
    if (event.type === 'message_stop') {
      options.onSettled({});
      return Response.json(event.answer, { headers: { ...options.headers, 'request-id': options.requestId } });
    }
  }
  throw new Error('a turn ended without a terminal event');
}

/**
 * The answer as server-sent events. It commits to status 200 with the first event of the model, or after a silence;
 * a failure before that is an HTTP error.
 */
export async function streamAnswer(events: AsyncIterable<TurnEvent>, options: AnswerOptions): Promise<Response> {
  const iterator = events[Symbol.asyncIterator]();
  let next = iterator.next();
  const first = await within(next, options.keepAliveMs);
  if (first && !first.done && first.value.type === 'failure') {
    options.onSettled({ failure: first.value.failure });
    await iterator.next();
    return failureResponse(first.value.failure, options.requestId, options.headers);
  }
  const encoder = new TextEncoder();
  let isSettled = false;
  const settle: OnSettled = (outcome) => {
    if (!isSettled) options.onSettled(outcome);
    isSettled = true;
  };
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const result = await within(next, options.keepAliveMs);
      if (result === undefined) return controller.enqueue(encoder.encode(PING));
      if (result.done) return controller.close();
      const event = result.value;
      controller.enqueue(encoder.encode(encodeEvent(event, options.requestId)));
      if (event.type === 'failure') settle({ failure: event.failure });
      else if (event.type === 'message_stop') settle({});
      next = iterator.next();
    },
    async cancel() {
      settle({ failure: clientGone() });
      await iterator.return?.();
    },
  });
  return new Response(body, {
    headers: {
      ...options.headers,
      'request-id': options.requestId,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
    },
  });
}

/** The promise's value, or undefined when it takes longer. */
async function within<Value>(promise: Promise<Value>, milliseconds: number): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
