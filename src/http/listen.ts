import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { Hono } from 'hono';
import { errorBody } from '../dialects/anthropic-messages/encode-answer.ts';
import { badRequest, failureOf } from '../spec/failure.ts';
import { failureResponse, newRequestId } from './answer.ts';

/** A listening server. */
export interface Listener {
  host: string;
  port: number;
  /** Accepts no new connections; resolves when the last one has ended. */
  close(): Promise<void>;
  /** Drops the connections that are left. */
  closeConnections(): void;
}

/**
 * Listens for HTTP.
 *
 * @throws the listen error, with its `code` (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, …)
 */
// biome-ignore lint/suspicious/noExplicitAny: the app's own environment type does not matter here
export async function listen(app: Hono<any>, host: string, port: number): Promise<Listener> {
  const server = createServer(getRequestListener(app.fetch, { errorHandler: answerWithoutApp }));
  // An answer may take as long as the model needs; a client that has gone is noticed by its socket.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 65_000;
  /** Those on which an answer is under way. */
  const answering = new WeakSet<Duplex>();
  server.on('request', ({ socket }, response) => {
    answering.add(socket);
    response.once('close', () => answering.delete(socket));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // A refusal would stand in the midst of that answer.
    if (socket.writable && !answering.has(socket)) refuseUnparsable(error, socket);
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
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
    closeConnections: () => server.closeAllConnections(),
  };
}

/** What is no HTTP request, in the API's envelope as well as its sender may read it. */
function refuseUnparsable(error: NodeJS.ErrnoException, socket: Duplex): void {
  const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const { failure } = badRequest(
    '',
    isTooLarge ? 'The headers are larger than 16 KB.' : 'This is not a valid HTTP/1.1 request.',
  );
  const requestId = newRequestId();
  const body = JSON.stringify(errorBody(failure, requestId));
  const head = [
    `HTTP/1.1 ${isTooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request'}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `request-id: ${requestId}`,
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
