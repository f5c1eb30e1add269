import { dirname, resolve } from 'node:path';
import type { Settings } from '../config/settings.ts';
import type { Endpoint } from '../http/listen.ts';

/** Where a gateway with these settings listens. */
export function endpointOf({ host, port, socket }: Pick<Settings, 'host' | 'port' | 'socket'>): Endpoint {
  return socket === undefined ? { host, port } : { socket: resolve(socket) };
}

/** Why it cannot listen there, with the cure. */
export function endpointProblem(error: NodeJS.ErrnoException, endpoint: Endpoint): string {
  return 'socket' in endpoint ? socketProblem(error, endpoint.socket) : addressProblem(error, endpoint);
}

function socketProblem({ code, message }: NodeJS.ErrnoException, path: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `Another program listens on the socket ${path}. Stop it, or choose another path: --socket PATH.`;
    case 'ENOTSOCK':
      return `${path} is there, and no socket. Choose another path: --socket PATH.`;
    case 'ENAMETOOLONG':
      return `The path of the socket ${path} is too long for this system. Choose one of less than 90 bytes: --socket PATH.`;
    case 'ENOENT':
    case 'ENOTDIR':
      return `The folder ${dirname(path)} for the socket is not there, or takes none. Make it, or choose another path: --socket PATH.`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `This user may not make the socket ${path}. Choose a path in a folder of your own: --socket PATH.`;
    default:
      return `Cannot listen on the socket ${path}: ${message}`;
  }
}

function addressProblem(error: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is in use. Stop what listens there, or choose another port: --port ${otherPort(port)}.`;
    case 'EACCES':
      return `Port ${port} needs rights that this user does not have. Choose one above 1023: --port 3456.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address ${host}. Choose one that it has: --host 127.0.0.1.`;
    default:
      return `Cannot listen on ${host}:${port}: ${error.message}`;
  }
}

/** One beside a port that is taken. */
export function otherPort(port: number): number {
  return port < 65_535 ? port + 1 : port - 1;
}
