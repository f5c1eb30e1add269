import type { Env } from './app-options.ts';

/**
 * Calls back once when an answer is over: sent to its end, or its client has gone. A pipelined request hears of a gone client
 * only through its connection.
 */
export function onceOver({ incoming, outgoing }: Env['Bindings'], callback: (isWhole: boolean) => void): void {
  const { socket } = incoming;
  let isOver = false;
  // One event may fire inside the other.
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
