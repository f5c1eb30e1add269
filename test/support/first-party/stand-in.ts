import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  createServer as createHttpServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

/** `api.anthropic.com` and `platform.claude.com` on loopback. */
export interface FirstPartyStandIn {
  /** The variables that lead a process to it. */
  variables: Record<string, string>;
  /** What it was asked for, as `GET /path`. */
  asked: string[];
  close(): Promise<void>;
}

/**
 * Answers a request in place of the 404.
 *
 * @returns false to leave it to the 404
 */
export type FirstPartyAnswer = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * Without an answer each start of a process waits seconds for the policy and the settings of its organisation. This is a
 * proxy for them that leads nowhere: a TLS server behind it answers everything with 404. Its certificate and key are kept
 * beside this file, since Node makes none; the key of the authority that signed it is thrown away.
 */
export async function startFirstPartyStandIn(answer: FirstPartyAnswer = () => false): Promise<FirstPartyStandIn> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const api = createTlsServer(
    { key: readFileSync(pathOf('test-only-key.pem')), cert: readFileSync(pathOf('test-only-certificate.pem')) },
    (request, response) => {
      asked.push(`${request.method} ${request.url}`);
      if (answer(request, response)) return;
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"type":"error","error":{"type":"not_found_error","message":"not here"}}');
    },
  );
  const proxy = createHttpServer().on('connect', (_request, socket: Socket) => {
    socket.on('error', () => undefined);
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    api.emit('connection', socket);
  });
  proxy.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  return {
    variables: {
      HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      NODE_EXTRA_CA_CERTS: pathOf('test-only-ca.pem'),
    },
    asked,
    async close() {
      const closed = once(proxy.close(), 'close');
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Hands a request on to a server on loopback, and its answer back. */
export function relay(request: IncomingMessage, response: ServerResponse, url: string): true {
  const onward = httpRequest(new URL(request.url ?? '/', url), { method: request.method, headers: request.headers });
  onward.once('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  response.once('close', () => onward.destroy());
  request.pipe(onward);
  return true;
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
