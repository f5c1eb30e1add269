// @ts-check

/**
 * Loaded into a gateway that is otherwise the real program: tells what its heap holds, and crashes when it is asked to.
 * It does not keep the program alive.
 */
process.on('message', (question) => {
  if (question === 'crash') throw new Error('the benchmark asked for a crash');
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send?.({ heapBytes: heapUsed + external, rssBytes: rss });
});
process.channel?.unref();
