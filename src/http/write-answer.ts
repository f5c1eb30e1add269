import type { ServerResponse } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { AnswerEncoder, Dialect } from '../dialects/dialect.ts';
import { type Failure, failure, failureOf } from '../spec/failures.ts';
import type { PlanLimits } from '../spec/plan-limits.ts';
import type { TurnEvent } from '../spec/turn-events.ts';
import type { TurnRecorder } from '../telemetry/turn-recorder.ts';
import { stepHeaders } from './agent-headers.ts';
import { errorResponse } from './error-answer.ts';

/** What a client may leave unread of an answer that still comes, in bytes. */
const MOST_UNREAD = 8 * 1024 * 1024;

export interface AnswerOptions {
  outgoing: ServerResponse;
  dialect: Dialect;
  encoder: AnswerEncoder;
  /** Whether the encoder makes server-sent events; else one JSON body. */
  stream: boolean;
  requestId: string;
  headers: Record<string, string>;
  /** What is known of the plan's limits when the answer begins. */
  limits: () => PlanLimits | undefined;
  /** The silence after which a stream commits to 200 and sends a keep-alive, in milliseconds. */
  keepAliveMs: number;
  recorder: TurnRecorder;
}

/**
 * Writes the answer of a turn. It commits to status 200 with the encoder's first text, or after a silence; a failure before
 * that is an HTTP error.
 *
 * It writes to the connection itself: a web stream in between takes a third of a turn's time. Events that come together go out
 * together.
 *
 * @returns for the framework: the failure's response, or a mark that the answer has been written
 */
export async function writeAnswer(events: AsyncIterable<TurnEvent>, options: AnswerOptions): Promise<Response> {
  const { dialect, encoder, stream, requestId, headers, keepAliveMs, recorder } = options;
  const answer = new AnswerWriter(options);
  const keepAlive = setTimeout(() => {
    answer.write(encoder.keepAlive());
    keepAlive.refresh();
  }, keepAliveMs);
  try {
    for await (const event of events) {
      keepAlive.refresh();
      recorder.heard(event);
      const failing = failureIn(event, stream);
      if (failing && !answer.hasBegun) {
        recorder.failed(failing);
        const more = failing.code === 'plan_limit_reached' ? { ...headers, ...limitHeaders(options) } : headers;
        return errorResponse(failing, requestId, dialect, more);
      }
      if (event.type === 'message_stop' && event.hidden && !stream) answer.add(stepHeaders(event.hidden));
      answer.write(encoder.encode(event), recorder.marks.eventAt);
    }
    answer.end();
  } catch (error) {
    if (!answer.hasBegun) throw error;
    const failing = failureOf(error);
    recorder.failed(failing);
    answer.write(encoder.encode({ type: 'failure', failure: failing }));
    answer.end();
  } finally {
    clearTimeout(keepAlive);
  }
  return RESPONSE_ALREADY_SENT;
}

function limitHeaders({ dialect, limits }: AnswerOptions): Record<string, string> {
  const known = limits();
  return known ? dialect.limitHeaders(known) : {};
}

/** The failure in an event. An unfoldable answer is a failure only for a whole answer: a stream has already passed it on. */
function failureIn(event: TurnEvent, stream: boolean): Failure | undefined {
  if (event.type === 'failure') return event.failure;
  return event.type === 'message_stop' && !stream ? event.unfoldable : undefined;
}

/** The 200 of a turn. Its head goes out with the first text. It writes nothing to a client that has gone. */
class AnswerWriter {
  readonly #options: AnswerOptions;
  #hasBegun = false;
  /** Headers that only the whole answer has. */
  #late: Record<string, string> = {};
  #batch = '';
  /** When the first event of the batch came from the engine. */
  #batchFrom: number | undefined;

  constructor(options: AnswerOptions) {
    this.#options = options;
  }

  /** Whether the status is committed. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Adds headers to an answer that has not begun. */
  add(headers: Record<string, string>): void {
    this.#late = headers;
  }

  /** @param eventAt when the text's event came from the engine */
  write(text: string, eventAt?: number): void {
    if (text === '') return;
    this.#hasBegun = true;
    if (this.#batch === '') process.nextTick(() => this.#flushOrCut());
    this.#batch += text;
    this.#batchFrom ??= eventAt;
  }

  end(): void {
    if (!this.#hasBegun) throw new Error('a turn ended without an answer');
    this.#flush();
    if (!this.#options.outgoing.destroyed) this.#options.outgoing.end();
  }

  /** An upstream cannot be told to wait, so a client that falls too far behind is cut; with it goes the turn. */
  #flushOrCut(): void {
    const { outgoing, recorder } = this.#options;
    this.#flush();
    if (outgoing.writableEnded || outgoing.writableLength <= MOST_UNREAD) return;
    recorder.failed(failure('client_not_reading', { megabytes: MOST_UNREAD / 1024 / 1024 }));
    outgoing.destroy();
  }

  #flush(): void {
    const { outgoing, recorder } = this.#options;
    if (this.#batch !== '' && !outgoing.destroyed) {
      if (!outgoing.headersSent) outgoing.writeHead(200, this.#head());
      outgoing.write(this.#batch);
    }
    if (this.#batchFrom !== undefined) recorder.relayed(this.#batchFrom, performance.now());
    this.#batchFrom = undefined;
    this.#batch = '';
  }

  #head(): Record<string, string | number> {
    const { stream, headers, requestId } = this.#options;
    return {
      ...headers,
      ...this.#late,
      ...limitHeaders(this.#options),
      'request-id': requestId,
      ...(stream
        ? { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' }
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(this.#batch) }),
    };
  }
}
