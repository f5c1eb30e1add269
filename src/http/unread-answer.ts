import type { ServerResponse } from 'node:http';

/**
 * Cuts the connection of a client that reads nothing of what was written for so long. A silence in which nothing waits to be
 * read may last.
 */
export function cutWhenUnread(outgoing: ServerResponse, afterMs: number): void {
  outgoing.setTimeout(afterMs, () => {
    if (outgoing.writableLength > 0) outgoing.destroy();
  });
}
