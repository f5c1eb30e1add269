import { within } from '../../async/within.ts';
import { failed } from '../../spec/failures.ts';
import type { Child } from './child.ts';

/** How long after the SDK's error the end of its process may come, in milliseconds. */
const END_MS = 1_000;

/** Why a process did not come up: a `process_spawn_failed` if it has ended, else the SDK's own error. */
export async function spawnFailure(child: Child, error: unknown): Promise<unknown> {
  await within(child.gone, END_MS).catch(() => undefined);
  return child.ended ? failed('process_spawn_failed', child.ended) : error;
}
