import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { Hono } from 'hono';
import { errorBody } from '../dialects/anthropic-messages/encode-answer.ts';
import { badRequest, failureOf } from '../spec/failure.ts';
import { failureResponse, newRequestId } from './write-answer.ts';

/** A listening server. */
export interface Listener {
  host: string;
  port: number;
  /** Accepts no new connections; resolves when the last one has ended. */
  close(): Promise<void>;
  /** Lets clients read the answers that have begun, for so many milliseconds at most, then drops the connections that are left. */
  finish(deadlineMs: number): Promise<void>;
}

/**
 * Listens for HTTP.
 *
 * @throws the listen error, with its `code` (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, …)
 */
// biome-ignore lint/suspicious/noExplicitAny: the app's own environment type does not matter here
export async function listen(app: Hono<any>, host: string, port: number): Promise<Listener> {
  // A request without `Host` gets the app's own refusal.
  const options = { requireHostHeader: false };
  const server = createServer(options, getRequestListener(app.fetch, { errorHandler: answerWithoutApp }));
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
    if (socket.writable && !isAnswered) refuseUnparsable(error, socket);
    else socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    host,
    port: (server.address() as AddressInfo).port,
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

/** By Node's codes: the status line, and the words. */
const UNPARSABLE: Record<string, [string, string]> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The headers are larger than 16 KB.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The headers did not come to their end.'],
};

/** What is no HTTP request, in the API's envelope as well as its sender may read it. */
function refuseUnparsable(error: NodeJS.ErrnoException, socket: Duplex): void {
  const [status, problem] = UNPARSABLE[error.code ?? ''] ?? [
    '400 Bad Request',
    'This is not a valid HTTP/1.1 request.',
  ];
  const { failure } = badRequest('', problem);
  const requestId = newRequestId();
  const body = JSON.stringify(errorBody(failure, requestId));
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `request-id: ${requestId}`,
    `isthmus-error: ${failure.code}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** What the app never sees: a request whose target and `Host` make no URL. */
function answerWithoutApp(error: unknown): Response {
  const { failure } =
    error instanceof RequestError
      ? badRequest('', `The request target or the Host header is not valid: ${error.message}.`)
      : { failure: failureOf(error) };
  return failureResponse(failure, newRequestId());
}
