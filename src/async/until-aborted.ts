/** What a promise resolves to, or something else if the signal aborts first. */
export function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal, instead: Value): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(instead);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
