import { closeSync, existsSync, openSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';

/** The socket in a run directory. */
const NAME = 'alive';

/** The longest path of a socket that every system takes, in bytes. */
const LONGEST_PATH = 103;

/** The wait before a second look at a socket that refuses, in milliseconds: its owner may be about to listen on it. */
const SECOND_LOOK_MS = 250;

/** What a look at the socket of a directory says of its owner. */
export type Life = 'alive' | 'dead' | 'no sign';

/**
 * A gateway's sign of life: a socket in its run directory, which listens as long as the gateway lives. The kernel closes it when
 * its owner ends, however that happens. It answers across PID and network namespaces, where process numbers mean nothing: two
 * containers that share a temporary directory see that each other's gateways live.
 */
export class LifeSign {
  readonly #directory: string;
  #server: Server | undefined;
  #address: SocketAddress | undefined;

  /** @param directory where the socket is; nothing is there before {@link show} */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Shows the sign, also after somebody has cleared the directory.
   *
   * @throws Error when the directory cannot hold a socket
   */
  show(): void {
    this.end();
    const address = new SocketAddress(this.#directory);
    const server = createServer((connection) => connection.destroy());
    server.on('error', () => undefined);
    // Without `exclusive`, a worker of Node's cluster module would ask its primary to listen.
    server.listen({ path: address.path, exclusive: true });
    server.unref();
    if (!server.listening) {
      address.close();
      throw new Error(`no socket can be made in ${this.#directory}`);
    }
    this.#server = server;
    this.#address = address;
  }

  /** Whether the sign is where others look for it. */
  get isShown(): boolean {
    return this.#server !== undefined && existsSync(join(this.#directory, NAME));
  }

  end(): void {
    this.#server?.close();
    this.#address?.close();
    this.#server = undefined;
    this.#address = undefined;
  }
}

/** Whether the owner of a run directory lives. In doubt it counts as alive. */
export async function lifeOf(directory: string): Promise<Life> {
  const first = await look(directory);
  if (first !== 'dead') return first;
  await new Promise((resolve) => setTimeout(resolve, SECOND_LOOK_MS));
  return look(directory);
}

function look(directory: string): Promise<Life> {
  const address = new SocketAddress(directory);
  return new Promise<Life>((resolve) => {
    const socket = connect(address.path);
    socket.once('connect', () => {
      socket.destroy();
      resolve('alive');
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED') resolve('dead');
      else resolve(code === 'ENOENT' ? 'no sign' : 'alive');
    });
  }).finally(() => address.close());
}

/** The path of a directory's socket. On Linux a descriptor of the directory shortens a path that is too long. */
class SocketAddress {
  readonly path: string;
  readonly #descriptor: number | undefined;

  constructor(directory: string) {
    const path = join(directory, NAME);
    if (Buffer.byteLength(path) <= LONGEST_PATH) this.path = path;
    else if (process.platform === 'linux') {
      this.#descriptor = openSync(directory, 'r');
      this.path = `/proc/self/fd/${this.#descriptor}/${NAME}`;
    } else throw new Error(`its path is longer than ${LONGEST_PATH - NAME.length - 1} bytes`);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }
}
