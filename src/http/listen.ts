import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import { type AddressInfo, Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { Dialects } from '../dialects/dialect.ts';
import { badRequest, type Failure, failure, failureOf } from '../spec/failures.ts';
import type { App } from './app.ts';
import { dropRest } from './drop-rest.ts';
import { type ErrorEncoder, errorParts, errorResponse, errorsAt, idHeaders, newRequestId } from './error-answer.ts';
import { ALIVE, STARTING } from './health-routes.ts';
import { SHIELD, ShieldedResponse } from './shielded-response.ts';
import { listenOnSocket } from './unix-socket.ts';
import { cutWhenUnread } from './unread-answer.ts';

/** Connections at a time; more are closed at once. */
const MOST_CONNECTIONS = 1_000;
/** How long a client may leave an answer unread, in milliseconds. */
const LONGEST_UNREAD_MS = 300_000;

/** Where a server listens: at an address, or on a Unix socket. */
export type Endpoint = { host: string; port: number } | { socket: string };

/** A listening server. */
export interface Listener {
  /** 0 for a Unix socket. */
  port: number;
  /** Hands requests to the app from now on; until then they get a 503, `starting_up`. */
  serve(app: App): void;
  /** Removes the file of a Unix socket. */
  removeSocket(): void;
  /** Accepts no new connections and removes the socket; resolves when the last one has ended. */
  close(): Promise<void>;
  /** Lets clients read answers that have begun until the deadline, in milliseconds, then drops all connections. */
  finish(deadlineMs: number): Promise<void>;
}

/**
 * Listens for HTTP before there is an app.
 *
 * @throws the listen error, with its `code` (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, …)
 */
export async function listen(dialects: Dialects, endpoint: Endpoint): Promise<Listener> {
  const errorsAnywhere = errorsAt('', dialects);
  let answer: (...request: Parameters<App['fetch']>) => Response | Promise<Response> = (request) =>
    answerAtBoot(request, dialects);
  // The app refuses a request without `Host`.
  const options = { requireHostHeader: false, ServerResponse: ShieldedResponse };
  /** Of the request that is being handed over: an error of the framework does not name it. */
  let path = '';
  const handOver = getRequestListener((...request) => answer(...request), {
    errorHandler: (error) => answerWithoutApp(error, errorsAt(path, dialects)),
    // `dropRest` does it for every request.
    autoCleanupIncoming: false,
    // A program that embeds a gateway keeps its own. With the framework's, a mark that was made later is none to it, and it writes
    // a second head behind an answer.
    overrideGlobalObjects: false,
  });
  const server = createServer(options, (incoming, outgoing) => {
    path = pathOf(incoming);
    return handOver(incoming, outgoing);
  });
  // An answer takes as long as the model needs; the socket tells when the client has gone.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 65_000;
  server.maxConnections = MOST_CONNECTIONS;
  /** Answers under way. */
  const answers = new Set<ServerResponse>();
  server.on('request', (request, response) => {
    dropRest(request, response);
    cutWhenUnread(response, LONGEST_UNREAD_MS);
    answers.add(response);
    response.once('close', () => answers.delete(response));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // A refusal would take the place of such an answer, or land in the middle of it.
    const isAnswered = [...answers].some(
      ({ req, headersSent }) => req.socket === socket && (req.complete || headersSent),
    );
    if (socket.writable && !isAnswered) refuseUnparsable(error, socket, errorsAnywhere);
    else socket.destroy();
  });
  server.on('checkExpectation', (request, response) => refuseExpectation(request, response, dialects));
  const removeSocket = await listenAt(server, endpoint);
  return {
    port: 'socket' in endpoint ? 0 : (server.address() as AddressInfo).port,
    removeSocket,
    serve(app) {
      answer = app.fetch;
    },
    close: () =>
      new Promise((resolve) => {
        removeSocket();
        // The HTTP server's own `close` also drops connections whose client still reads a complete answer.
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

/** @returns removes what listening leaves in the file system */
async function listenAt(server: Server, endpoint: Endpoint): Promise<() => void> {
  if ('socket' in endpoint) return listenOnSocket(server, endpoint.socket);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(endpoint.port, endpoint.host, resolve);
  });
  return () => undefined;
}

/** The failure for Node's code of a request that it could not parse. */
function unparsable(code: string | undefined): Failure {
  if (code === 'HPE_HEADER_OVERFLOW') return failure('headers_too_large');
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return failure('request_timeout', 'headers');
  return failure('bad_request', { path: '', problem: 'This is not a valid HTTP/1.1 request.' });
}

/** Answers what is no HTTP request, as far as its sender can read an answer. */
function refuseUnparsable(error: NodeJS.ErrnoException, socket: Duplex, errors: ErrorEncoder): void {
  const { status, headers, body } = errorParts(unparsable(error.code), newRequestId(), errors);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...Object.entries({ ...SHIELD, ...headers }).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?')[0] ?? '';
}

/** Refuses any `Expect` but `100-continue`, which Node handles. The body stays unread. */
function refuseExpectation(request: IncomingMessage, response: ServerResponse, dialects: Dialects): void {
  const refused = failure('expectation_failed', { expect: request.headers.expect ?? '' });
  const ids = idHeaders(request.headers['x-request-id']?.toString());
  const { status, headers, body } = errorParts(refused, ids['request-id'], errorsAt(pathOf(request), dialects));
  response.writeHead(status, { ...ids, ...headers, connection: 'close' }).end(body);
}

/** Answers before there is an app. Questions for its health are answered, too. */
function answerAtBoot(request: Request, dialects: Dialects): Response {
  const { pathname } = new URL(request.url);
  const headers = idHeaders(request.headers.get('x-request-id') ?? undefined);
  if (pathname === '/livez') return Response.json(ALIVE, { headers });
  const refused = errorResponse(failure('starting_up'), headers['request-id'], errorsAt(pathname, dialects), headers);
  if (pathname === '/readyz') return Response.json(STARTING, refused);
  if (pathname === '/health') return Response.json({ status: 'starting_up' }, refused);
  return refused;
}

/** Answers a request that the app never sees: its target and `Host` make no URL. */
function answerWithoutApp(error: unknown, errors: ErrorEncoder): Response {
  const refused =
    error instanceof RequestError
      ? badRequest('', `The request target or the Host header is not valid: ${error.message}.`)
      : error;
  return errorResponse(failureOf(refused), newRequestId(), errors);
}
