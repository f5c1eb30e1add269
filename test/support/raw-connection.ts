import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** An answer as it came over the wire. */
export interface RawAnswer {
  status: number;
  headers: Map<string, string>;
  body: string;
}

/** One connection, byte by byte: for what no HTTP client would send. */
export class RawConnection {
  readonly socket: Socket;
  #received = '';
  isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.isClosed = true;
    });
  }

  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  /** Begins a request; its body follows as it likes. */
  begin(method: string, path: string, headers: Record<string, string | number>): void {
    const lines = Object.entries({ host: '127.0.0.1', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    this.socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  }

  /** Sends a whole request with a JSON body. */
  post(path: string, body: string): void {
    this.begin('POST', path, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
    this.socket.write(body);
  }

  /** The next answer with a `content-length`; undefined once the connection has closed without one. */
  async answer(): Promise<RawAnswer | undefined> {
    for (;;) {
      const found = /^HTTP\/1\.1 (\d+)[^\r]*\r\n(.*?)\r\n\r\n/s.exec(this.#received);
      if (found) {
        const headers = new Map(
          (found[2] ?? '').split('\r\n').map((line) => {
            const colon = line.indexOf(':');
            return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
          }),
        );
        const end = found[0].length + Number(headers.get('content-length'));
        if (this.#received.length >= end) {
          const body = this.#received.slice(found[0].length, end);
          this.#received = this.#received.slice(end);
          return { status: Number(found[1]), headers, body };
        }
      }
      if (this.isClosed) return undefined;
      await this.#next('data');
    }
  }

  /** Sends bytes until the connection closes. */
  async sendForEver(bytes: Buffer): Promise<void> {
    while (!this.isClosed) if (!this.socket.write(bytes)) await this.#next('drain');
  }

  /** Resolves when the connection has closed. */
  async closed(): Promise<void> {
    while (!this.isClosed) await this.#next('close');
  }

  /** Resolves with the event, or when the connection closes. */
  #next(event: string): Promise<void> {
    return new Promise((resolve) => {
      const come = () => {
        this.socket.off(event, come).off('close', come);
        resolve();
      };
      this.socket.on(event, come).on('close', come);
    });
  }
}
