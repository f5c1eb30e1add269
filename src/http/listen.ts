import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { Hono } from 'hono';
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

/** What the app never sees: a request whose target and `Host` make no URL. */
function answerWithoutApp(error: unknown): Response {
  const { failure } =
    error instanceof RequestError
      ? badRequest('', `The request target or the Host header is not valid: ${error.message}.`)
      : { failure: failureOf(error) };
  return failureResponse(failure, newRequestId());
}
