import { setImmediate } from 'node:timers/promises';

/** A smaller body is through in some milliseconds, in bytes. */
const LARGE_BODY = 256 * 1024;

/** Between two steps of the work on a large body: whatever else is due runs first. */
export async function letOthersRun(bytes: number): Promise<void> {
  if (bytes <= LARGE_BODY) return;
  // The first may come before any other event is seen; between it and the second lies a whole turn of the event loop.
  await setImmediate();
  await setImmediate();
}
