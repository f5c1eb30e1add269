import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { type AddressInfo, Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { Dialect, Dialects } from '../dialects/dialect.ts';
import { badRequest, type Failure, failure, failureOf } from '../spec/failures.ts';
import type { App } from './app.ts';
import { dialectAt, errorParts, errorResponse, newRequestId } from './error-answer.ts';

/** A listening server. */
export interface Listener {
  host: string;
  port: number;
  /** Hands the requests to the app from now on; until then they are told that Isthmus is starting. */
  serve(app: App): void;
  /** Accepts no new connections; resolves when the last one has ended. */
  close(): Promise<void>;
  /** Lets clients read the answers that have begun, for so many milliseconds at most, then drops the connections that are left. */
  finish(deadlineMs: number): Promise<void>;
}

/**
 * Listens for HTTP, for an app that is still to come.
 *
 * @throws the listen error, with its `code` (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, …)
 */
export async function listen(dialects: Dialects, host: string, port: number): Promise<Listener> {
  const [dialect] = dialects;
  let answer: (...request: Parameters<App['fetch']>) => Response | Promise<Response> = (request) =>
    answerAtBoot(request, dialects);
  // A request without `Host` gets the app's own refusal.
  const options = { requireHostHeader: false };
  const server = createServer(
    options,
    getRequestListener((...request) => answer(...request), {
      errorHandler: (error) => answerWithoutApp(error, dialect),
    }),
  );
  // An answer may take as long as the model needs; a client that has gone is noticed by its socket.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 65_000;
  /** Answers that are under way. */
  const answers = new Set<ServerResponse>();
  server.on('request', (_request, response) => {
    answers.add(response);
    response.once('close', () => answers.delete(response));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // A refusal would stand in place of such an answer, or in the midst of it.
    const isAnswered = [...answers].some(
      ({ req, headersSent }) => req.socket === socket && (req.complete || headersSent),
    );
    if (socket.writable && !isAnswered) refuseUnparsable(error, socket, dialect);
    else socket.destroy();
  });
  server.on('checkExpectation', (request, response) => refuseExpectation(request, response, dialects));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    host,
    port: (server.address() as AddressInfo).port,
    serve(app) {
      answer = app.fetch;
    },
    close: () =>
      new Promise((resolve) => {
        // The HTTP server's own also drops connections on which a complete answer is still being read.
        NetServer.prototype.close.call(server, () => resolve());
      }),
    finish: async (deadlineMs) => {
      const until = performance.now() + deadlineMs;
      const isBeingRead = () => [...answers].some(({ headersSent }) => headersSent);
      while (isBeingRead() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
      server.closeAllConnections();
    },
  };
}

/** What Node's codes mean for a request that it could not parse. */
function unparsable(code: string | undefined): Failure {
  if (code === 'HPE_HEADER_OVERFLOW') return failure('headers_too_large');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return failure('request_timeout');
  return failure('bad_request', { path: '', problem: 'This is not a valid HTTP/1.1 request.' });
}

/** What is no HTTP request gets an answer as well as its sender may read it. */
function refuseUnparsable(error: NodeJS.ErrnoException, socket: Duplex, dialect: Dialect): void {
  const { status, headers, body } = errorParts(unparsable(error.code), newRequestId(), dialect);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** Node hands on only requests that expect nothing, or `100-continue`. The body of another one is not read. */
function refuseExpectation(request: IncomingMessage, response: ServerResponse, dialects: Dialects): void {
  const refused = failure('expectation_failed', { expect: request.headers.expect ?? '' });
  const path = (request.url ?? '').split('?')[0] ?? '';
  const { status, headers, body } = errorParts(refused, newRequestId(), dialectAt(path, dialects));
  response.writeHead(status, { ...headers, connection: 'close' }).end(body);
}

/** Before there is an app; whoever watches the health sees it there, too. */
function answerAtBoot(request: Request, dialects: Dialects): Response {
  const { pathname } = new URL(request.url);
  const refused = errorResponse(failure('starting_up'), newRequestId(), dialectAt(pathname, dialects));
  if (pathname !== '/health') return refused;
  return Response.json({ status: 'starting_up' }, refused);
}

/** What the app never sees: a request whose target and `Host` make no URL. */
function answerWithoutApp(error: unknown, dialect: Dialect): Response {
  const refused =
    error instanceof RequestError
      ? badRequest('', `The request target or the Host header is not valid: ${error.message}.`)
      : error;
  return errorResponse(failureOf(refused), newRequestId(), dialect);
}
