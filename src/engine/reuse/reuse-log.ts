import type { EngineLog } from '../announcements/announcements.ts';

/** What a process was to do, so that another conversation could have it. */
export type ReuseStep = 'load' | 'claim' | 'give up';

/** Says that a process ended because a step did not succeed; its turn goes another way. */
export function logReuseFailed(log: EngineLog, step: ReuseStep, error: unknown): void {
  log('reuse failed', { step, why: error instanceof Error ? error.message : String(error) });
}
