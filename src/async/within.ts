/**
 * Waits for a promise, for a limited time.
 *
 * @param signal aborts the wait
 * @throws Error when the time is over or the wait is aborted, and whatever the promise rejects with
 */
export async function within<Value>(
  promise: Promise<Value>,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  let abort = () => {};
  const givenUp = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came within ${milliseconds / 1000} seconds`)), milliseconds);
    abort = () => reject(new Error('nobody waits any more'));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, givenUp]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}
