import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ModelRequest } from '../../scripted-model/script.ts';
import type { StreamEvent } from '../support/sse-frames.ts';
import { SseGrammar } from '../support/sse-grammar.ts';

/** One request of a client and the answer that it got. */
export interface Exchange {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: ModelRequest;
  /** 0 until the answer begins. */
  status: number;
  answerHeaders: IncomingMessage['headers'];
  /** The answer's body so far. */
  answer: string;
  /** Of a streamed answer. */
  events: readonly StreamEvent[];
  /** Where a streamed answer departs from the grammar. */
  departure: unknown;
  /** `open` until the answer is whole, or until either side has gone before that. */
  outcome: 'open' | 'whole' | 'broken';
}

/** May delay a request on its way; a request is never changed. */
export type BeforeForwarding = (exchange: Exchange) => Promise<void>;

/** Stands between a client and the gateway: passes every byte on, in both directions, and keeps a record. */
export class RecordingProxy {
  /** Every request, in order of arrival. */
  readonly exchanges: Exchange[] = [];
  beforeForwarding: BeforeForwarding = async () => undefined;
  #target: URL;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #server = createServer((request, response) => {
    this.#handle(request, response).catch(() => response.destroy());
  });

  private constructor(target: string) {
    this.#target = new URL(target);
  }

  /** @param target the gateway's URL */
  static async start(target: string): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(target);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Sends what comes from now on to another gateway. */
  forwardTo(target: string): void {
    this.#target = new URL(target);
  }

  /** Ends all connections and stops listening. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await closed;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const exchange: Exchange = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: bytes.length > 0 ? JSON.parse(bytes.toString('utf8')) : { model: '', messages: [] },
      status: 0,
      answerHeaders: {},
      answer: '',
      events: [],
      departure: undefined,
      outcome: 'open',
    };
    this.exchanges.push(exchange);
    response.once('close', () => {
      if (exchange.outcome === 'open') exchange.outcome = 'broken';
    });
    await this.beforeForwarding(exchange);
    if (exchange.outcome === 'broken') return;

    const forwarded = httpRequest(
      {
        agent: this.#agent,
        host: this.#target.hostname,
        port: this.#target.port,
        method: exchange.method,
        path: exchange.path,
        // The raw list keeps the client's own spelling, order and repetitions.
        headers: request.rawHeaders as unknown as Record<string, string>,
      },
      (answer) => this.#relay(answer, exchange, response),
    );
    forwarded.once('error', () => response.destroy());
    response.once('close', () => forwarded.destroy());
    forwarded.end(bytes);
  }

  #relay(answer: IncomingMessage, exchange: Exchange, response: ServerResponse): void {
    exchange.status = answer.statusCode ?? 0;
    exchange.answerHeaders = answer.headers;
    response.writeHead(exchange.status, answer.rawHeaders as unknown as Record<string, string>);
    const grammar = new SseGrammar();
    exchange.events = grammar.events;
    const watch = (step: () => void) => {
      if (exchange.departure !== undefined || !answer.headers['content-type']?.startsWith('text/event-stream')) return;
      try {
        step();
      } catch (error) {
        exchange.departure = error;
      }
    };
    const decoder = new TextDecoder();
    answer.on('data', (chunk: Buffer) => {
      exchange.answer += decoder.decode(chunk, { stream: true });
      watch(() => grammar.write(chunk));
      response.write(chunk);
    });
    answer.once('end', () => {
      watch(() => grammar.end());
      exchange.outcome = 'whole';
      response.end();
    });
    answer.once('error', () => response.destroy());
  }
}
