/** What a promise resolves to, or something else if the signal aborts first. */
export function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal, instead: Value): Promise<Value> {
  const aborted = new Promise<Value>((resolve) => {
    if (signal.aborted) resolve(instead);
    signal.addEventListener('abort', () => resolve(instead), { once: true });
  });
  return Promise.race([promise, aborted]);
}
