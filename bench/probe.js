// @ts-check

/**
 * Loaded into the real program: tells the size of its heap, and crashes it on request. It does not keep the program alive.
 */
process.on('message', (question) => {
  if (question === 'crash') throw new Error('the benchmark asked for a crash');
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send?.({ heapBytes: heapUsed + external, rssBytes: rss });
});
process.channel?.unref();
