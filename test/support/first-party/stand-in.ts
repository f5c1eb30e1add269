import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

/** What Claude Code asks `api.anthropic.com` for beside the model, answered on loopback. */
export interface FirstPartyStandIn {
  /** The variables that lead a process to it. */
  variables: Record<string, string>;
  /** What it was asked for, as `GET /path`. */
  asked: string[];
  close(): Promise<void>;
}

/**
 * Without an answer each start of a process waits seconds for the policy and the settings of its organisation. This is a
 * proxy for them that leads nowhere: a TLS server behind it answers everything with 404. Its certificate and key are kept
 * beside this file, since Node makes none; the key of the authority that signed it is thrown away.
 */
export async function startFirstPartyStandIn(): Promise<FirstPartyStandIn> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const api = createTlsServer(
    { key: readFileSync(pathOf('test-only-key.pem')), cert: readFileSync(pathOf('test-only-certificate.pem')) },
    (request, response) => {
      asked.push(`${request.method} ${request.url}`);
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

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
