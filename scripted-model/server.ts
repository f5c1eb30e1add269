import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { completeMessage, type MessageIdentity, streamEvents } from './message-stream.ts';
import { type ModelRequest, type Reply, type Script, ScriptReader } from './script.ts';
import { inferenceProfiles } from './wires/bedrock.ts';
import { MESSAGES_API } from './wires/messages-api.ts';
import { type Wire, wireOf } from './wires/wire.ts';

/** One request as the scripted model received it. Times are `performance.now()` milliseconds of this process. */
export interface RecordedRequest {
  method: string;
  path: string;
  headers: Record<string, string | string[] | undefined>;
  body: ModelRequest;
  /** The body's bytes as they came. */
  text: string;
  arrivedAt: number;
  /** When the answer was complete, or the connection ended. */
  endedAt?: number;
  /** How many events of its answer have been written. */
  events: number;
  /** `open` until the answer is complete or the caller has gone. */
  outcome: 'open' | 'answered' | 'aborted' | 'cut';
}

export interface ScriptedModelOptions {
  /** 0 picks a free port. */
  port?: number;
  script?: Script;
  /** Called for each message request as it arrives. */
  onRequest?: (request: RecordedRequest) => void;
}

/**
 * A stand-in for the Messages API on 127.0.0.1: it answers by a script and records what it got.
 *
 * `POST /v1/messages` (streaming or not) and `POST /v1/messages/count_tokens`, and the same on the paths of Vertex AI and
 * Bedrock; `GET /requests` returns the recorded bodies and outcomes as JSON. Anything else is a 404.
 */
export class ScriptedModel {
  /** Every request for an answer, in order of arrival. */
  readonly requests: RecordedRequest[] = [];
  /** The body of every request for a count of tokens, in order of arrival. */
  readonly counts: ModelRequest[] = [];
  /** Answers `count_tokens` with a 404, as some proxies do. */
  refusesToCount = false;
  #reader: ScriptReader;
  #messageNumber = 0;
  #toolUseNumber = 0;
  readonly #server = createServer((request, response) => {
    this.#handle(request, response).catch((error: unknown) => {
      if (!response.headersSent) sendJson(response, 500, notOfAWire('api_error', String(error), 500));
      else response.destroy();
    });
  });
  readonly #onRequest: ((request: RecordedRequest) => void) | undefined;

  private constructor(options: ScriptedModelOptions) {
    this.#reader = new ScriptReader(options.script ?? []);
    this.#onRequest = options.onRequest;
  }

  /** Starts listening. Rejects with the listen error, for example `EADDRINUSE`. */
  static async start(options: ScriptedModelOptions = {}): Promise<ScriptedModel> {
    const model = new ScriptedModel(options);
    await new Promise<void>((resolve, reject) => {
      model.#server.once('error', reject);
      model.#server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    model.#server.keepAliveTimeout = 60_000;
    return model;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Replaces the script; answers under way keep theirs. */
  use(script: Script): void {
    this.#reader = new ScriptReader(script);
  }

  /** Begins anew with another script: forgets all requests and counts messages from 1. */
  restart(script: Script): void {
    this.use(script);
    this.requests.length = 0;
    this.#messageNumber = 0;
    this.#toolUseNumber = 0;
  }

  /** Ends all connections and stops listening. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrivedAt = performance.now();
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (request.method === 'GET' && path === '/requests') {
      return sendJson(
        response,
        200,
        this.requests.map(({ path, body, outcome }) => ({ path, outcome, body })),
      );
    }
    const profiles = request.method === 'GET' ? inferenceProfiles(path) : undefined;
    if (profiles) return sendJson(response, 200, profiles);
    const text = await readAll(request);
    const wire = request.method === 'POST' ? wireOf(path) : undefined;
    if (wire === undefined) {
      return sendJson(response, 404, notOfAWire('not_found_error', `no route for ${request.method} ${path}`, 404));
    }
    const tokens = Math.ceil(text.length / 4);
    if (wire.asks === 'token count') {
      this.counts.push(JSON.parse(text) as ModelRequest);
      if (this.refusesToCount) {
        return sendJson(response, 404, wire.error('not_found_error', 'nobody counts here', 404, REQUEST_ID));
      }
      return sendJson(response, 200, wire.tokenCount(tokens));
    }
    const sent = JSON.parse(text) as ModelRequest;
    const body = wire.model === undefined ? sent : { ...sent, model: wire.model };

    const recorded: RecordedRequest = {
      method: 'POST',
      path: request.url ?? path,
      headers: request.headers,
      body,
      text,
      arrivedAt,
      events: 0,
      outcome: 'open',
    };
    this.requests.push(recorded);
    this.#onRequest?.(recorded);
    const gone = new AbortController();
    response.once('close', () => {
      recorded.endedAt = performance.now();
      if (recorded.outcome === 'open') recorded.outcome = response.writableFinished ? 'answered' : 'aborted';
      gone.abort();
    });
    const reply = this.#reader.replyTo(body);
    const identity: MessageIdentity = {
      id: `msg_scripted_${++this.#messageNumber}`,
      model: body.model,
      usage: { input_tokens: tokens, output_tokens: 7, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
      toolUseId: () => `toolu_scripted_${++this.#toolUseNumber}`,
    };
    await answer(reply, identity, wire, recorded, response, gone.signal);
  }
}

/** How long the caller may read before a reset throws away the rest, in milliseconds. */
const READ_MS = 1_000;
/** Of an answer that belongs to no request for a message. */
const REQUEST_ID = 'req_scripted';

async function answer(
  reply: Reply,
  identity: MessageIdentity,
  wire: Wire,
  recorded: RecordedRequest,
  response: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  const requestId = `req_${identity.id}`;
  if (!(await waited(reply.delay_ms, gone))) return;
  if (reply.error) {
    const { status, type, message, headers } = reply.error;
    return sendJson(response, status, wire.error(type, message, status, requestId), {
      'request-id': requestId,
      ...headers,
    });
  }
  if (reply.raw) {
    const { status = 200, content_type = wire.streamType, headers, body } = reply.raw;
    response.writeHead(status, { 'content-type': content_type, 'request-id': requestId, ...headers });
    response.end(body);
    return;
  }
  const headers = { 'request-id': requestId, ...reply.headers };
  if (!(wire.streams ?? recorded.body.stream === true))
    return sendJson(response, 200, completeMessage(reply, identity), headers);

  response.writeHead(200, { 'content-type': wire.streamType, ...headers });
  for (const event of streamEvents(reply, identity)) {
    if (recorded.events > 0 && !(await waited(reply.gap_ms, gone))) return;
    if (reply.stream_error && recorded.events >= reply.stream_error.after_events) {
      const { type, message } = reply.stream_error;
      response.write(wire.frame({ type: 'error', error: { type, message } }));
      break;
    }
    if (reply.cut && recorded.events >= reply.cut.after_events) {
      if (reply.cut.how === 'silence') return;
      recorded.outcome = 'cut';
      if (reply.cut.how === 'end') response.end();
      else if (await waited(READ_MS, gone)) response.socket?.resetAndDestroy();
      return;
    }
    response.write(wire.frame(event));
    recorded.events += 1;
  }
  response.end();
}

/** Whether the caller is still there after the wait. */
async function waited(milliseconds: number | undefined, gone: AbortSignal): Promise<boolean> {
  if (milliseconds) await sleep(milliseconds, undefined, { signal: gone }).catch(() => undefined);
  return !gone.aborted;
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function notOfAWire(type: string, message: string, status: number): unknown {
  return MESSAGES_API.error(type, message, status, REQUEST_ID);
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
