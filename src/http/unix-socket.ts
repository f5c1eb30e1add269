import { chmodSync, lstatSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';

/** The longest path of a socket that every system takes, in bytes. */
const LONGEST_PATH = 103;

/** This user may use the socket, and nobody else. */
const OWN = 0o600;

/** Why a path cannot be listened on, beside the errors of the file system. */
export type SocketProblem = 'EADDRINUSE' | 'ENOTSOCK' | 'ENAMETOOLONG';

/**
 * Listens on a Unix socket. It is made in a private folder beside the path and put there when it is finished, so that it
 * belongs to this user alone from its first moment on, and takes the place of one that a dead gateway has left.
 *
 * @returns removes the socket, unless another gateway has its place by now
 * @throws Error with a `code`: a {@link SocketProblem}, or that of the file system
 */
export async function listenOnSocket(server: Server, path: string): Promise<() => void> {
  await assertFree(path);
  const folder = mkdtempSync(join(dirname(path), '.s'));
  try {
    const made = join(folder, 's');
    if (Math.max(...[path, made].map((each) => Buffer.byteLength(each))) > LONGEST_PATH) throw problem('ENAMETOOLONG');
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      // Without `exclusive`, a worker of Node's cluster module would ask its primary to listen.
      server.listen({ path: made, exclusive: true }, resolve);
    });
    chmodSync(made, OWN);
    const { dev, ino } = statSync(made);
    renameSync(made, path);
    return () => {
      const found = lstatSync(path, { throwIfNoEntry: false });
      if (found?.dev === dev && found.ino === ino) rmSync(path, { force: true });
    };
  } catch (error) {
    server.close();
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Refuses a path at which somebody listens, or at which something other than a socket lies. */
async function assertFree(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found && !found.isSocket()) throw problem('ENOTSOCK');
  if (found && (await isListenedOn(path))) throw problem('EADDRINUSE');
}

/** Whether a program listens on a socket; in doubt one does. */
function isListenedOn(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}

function problem(code: SocketProblem): Error {
  return Object.assign(new Error(code), { code });
}
