import type { IncomingMessage, ServerResponse } from 'node:http';

/** How much of a body is dropped after the answer, and for how long, in bytes and milliseconds. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_MS = 10_000;
const LOOK_EVERY_MS = 100;

/**
 * Drops what an answered request still sends: many clients read an answer only when they have written all, and can then use the
 * connection again. One that sends too much or too long is cut.
 */
export function dropRest(incoming: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.once('finish', () => {
    const { socket } = incoming;
    if (incoming.complete || socket.destroyed) return;
    const until = performance.now() + MOST_MS;
    const most = socket.bytesRead + MOST_BYTES;
    // Node drops the bytes of such a request without an event.
    const looking = setInterval(() => {
      if (!incoming.complete && (socket.bytesRead > most || performance.now() > until)) socket.destroy();
      if (incoming.complete || socket.destroyed) clearInterval(looking);
    }, LOOK_EVERY_MS).unref();
    incoming.resume();
  });
}
