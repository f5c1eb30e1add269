import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { encodeEvent, errorBody, PING } from '../dialects/anthropic-messages/encode-answer.ts';
import { type Failure, failureOf } from '../spec/failures.ts';
import type { TurnEvent } from '../spec/turn-events.ts';

/** How a turn ended, for the log. */
export type OnSettled = (outcome: { failure?: Failure }) => void;

export interface AnswerOptions {
  requestId: string;
  headers: Record<string, string>;
  /** Called once, with the turn's last event. */
  onSettled: OnSettled;
}

export interface StreamOptions extends AnswerOptions {
  outgoing: ServerResponse;
  /** Silence after which a streaming answer commits to 200 and pings, in milliseconds. */
  keepAliveMs: number;
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
    const failure = event.type === 'failure' ? event.failure : event.type === 'message_stop' && event.unfoldable;
    if (failure) {
      options.onSettled({ failure });
      return failureResponse(failure, options.requestId, options.headers);
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
 *
 * It writes to the connection itself: a stream of the web's between them takes a third of a turn's time. Events that come
 * together go out together.
 *
 * @returns for the framework: the failure's response, or a mark that all has been written
 */
export async function streamAnswer(events: AsyncIterable<TurnEvent>, options: StreamOptions): Promise<Response> {
  const { outgoing, requestId, headers, keepAliveMs, onSettled } = options;
  const stream = new EventStream(outgoing, { ...headers, 'request-id': requestId });
  const keepAlive = setTimeout(() => {
    stream.write(PING);
    keepAlive.refresh();
  }, keepAliveMs);
  try {
    for await (const event of events) {
      keepAlive.refresh();
      if (event.type === 'failure') onSettled({ failure: event.failure });
      else if (event.type === 'message_stop') onSettled({});
      if (event.type === 'failure' && !outgoing.headersSent) return failureResponse(event.failure, requestId, headers);
      stream.write(encodeEvent(event, requestId));
    }
    stream.end();
  } catch (error) {
    if (!outgoing.headersSent) throw error;
    const failure = failureOf(error);
    onSettled({ failure });
    stream.write(encodeEvent({ type: 'failure', failure }, requestId));
    stream.end();
  } finally {
    clearTimeout(keepAlive);
  }
  return RESPONSE_ALREADY_SENT;
}

/** A response of server-sent events whose head goes out with the first of them; nothing is written to a client that has gone. */
class EventStream {
  readonly #outgoing: ServerResponse;
  readonly #headers: Record<string, string>;
  #batch = '';

  constructor(outgoing: ServerResponse, headers: Record<string, string>) {
    this.#outgoing = outgoing;
    this.#headers = headers;
  }

  write(frame: string): void {
    if (!this.#outgoing.headersSent) {
      this.#outgoing.writeHead(200, {
        ...this.#headers,
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
      });
    }
    if (this.#batch === '') process.nextTick(() => this.#flush());
    this.#batch += frame;
  }

  end(): void {
    this.#flush();
    if (!this.#outgoing.destroyed) this.#outgoing.end();
  }

  #flush(): void {
    if (this.#batch !== '' && !this.#outgoing.destroyed) this.#outgoing.write(this.#batch);
    this.#batch = '';
  }
}
