import { chmodSync, linkSync, lstatSync, mkdtempSync, renameSync, rmSync, type Stats, statSync } from 'node:fs';
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
 * belongs to this user alone from its first moment on, and takes the place of one that a dead gateway has left. Of two that want
 * the path at once, one gets it.
 *
 * @returns removes the socket, unless another gateway has its place by now
 * @throws Error with a `code`: a {@link SocketProblem}, or that of the file system
 */
export async function listenOnSocket(server: Server, path: string): Promise<() => void> {
  const left = await leftAt(path);
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
    if (left) takeAway(path, left, join(folder, 'left'));
    linkAt(path, made);
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

/**
 * The socket that a dead gateway has left; undefined if the path is free. Refuses a path at which somebody listens, or at which
 * something other than a socket lies.
 */
async function leftAt(path: string): Promise<Stats | undefined> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found && !found.isSocket()) throw problem('ENOTSOCK');
  if (found && (await isListenedOn(path))) throw problem('EADDRINUSE');
  return found;
}

/** Moves the socket of a dead gateway elsewhere; what another gateway has put there meanwhile goes back. */
function takeAway(path: string, left: Stats, elsewhere: string): void {
  try {
    renameSync(path, elsewhere);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  const { dev, ino } = lstatSync(elsewhere);
  if (dev === left.dev && ino === left.ino) return;
  linkAt(path, elsewhere);
  throw problem('EADDRINUSE');
}

/** Unlike a rename, it replaces nothing that another gateway has put there meanwhile. */
function linkAt(path: string, made: string): void {
  try {
    linkSync(made, path);
  } catch (error) {
    throw codeOf(error) === 'EEXIST' ? problem('EADDRINUSE') : error;
  }
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

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
