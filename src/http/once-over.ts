import type { Env } from './app-options.ts';

/**
 * Calls back when an answer is over: sent to its end, or its client has gone. A request that was sent behind another one on
 * its connection hears of that from the connection alone.
 */
export function onceOver({ incoming, outgoing }: Env['Bindings'], callback: (isWhole: boolean) => void): void {
  const { socket } = incoming;
  let isOver = false;
  // The one may be told from within the other.
  const over = () => {
    if (isOver) return;
    isOver = true;
    outgoing.off('close', over);
    socket.off('close', over);
    callback(outgoing.writableFinished);
  };
  outgoing.once('close', over);
  socket.once('close', over);
}
