import { z } from 'zod';
import { type Failure, failure } from '../../spec/failures.ts';
import type { PlanLimits, PlanWindow } from '../../spec/plan-limits.ts';

const status = z.enum(['allowed', 'allowed_warning', 'rejected']);
const number = z.number().optional().catch(undefined);
const window = z.object({
  utilization: number,
  /** In seconds, as all times here. */
  resetsAt: number,
  status: status.optional().catch(undefined),
  surpassedThreshold: number,
});

/** The `rate_limit_info` of the SDK. A field of another form than it has today is taken for absent. */
const info = z.object({
  status,
  resetsAt: number,
  rateLimitType: z.string().optional().catch(undefined),
  utilization: number,
  surpassedThreshold: number,
  overageStatus: status.optional().catch(undefined),
  overageResetsAt: number,
  overageDisabledReason: z.string().optional().catch(undefined),
  isUsingOverage: z.boolean().catch(false),
  overageInUse: z.boolean().catch(false),
  unifiedWindows: z.record(z.string(), window.optional().catch(undefined)).catch({}),
});

/**
 * Reads what a `rate_limit_event` tells.
 *
 * @param heardAt Unix time in milliseconds
 * @returns undefined when it tells nothing: without limits from the API, Claude Code says "allowed" by itself
 */
export function readLimits(told: unknown, heardAt: number): PlanLimits | undefined {
  const { data } = info.safeParse(told);
  if (!data) return undefined;
  const { rateLimitType: claim } = data;
  const resetsAt = toMilliseconds(data.resetsAt);
  const windows: Record<string, PlanWindow> = {};
  if (claim !== undefined) windows[claim] = toWindow(data, heardAt);
  for (const [name, each] of Object.entries(data.unifiedWindows)) {
    if (each) windows[name] = { ...toWindow(each, heardAt), ...(each.status && { status: each.status }) };
  }
  const isOverageTold = data.overageStatus ?? data.overageResetsAt ?? data.overageDisabledReason;
  const isInUse = data.isUsingOverage || data.overageInUse;
  if (resetsAt === undefined && Object.keys(windows).length === 0 && !isOverageTold && !isInUse) return undefined;
  const overageResetsAt = toMilliseconds(data.overageResetsAt);
  return {
    heardAt,
    status: data.status,
    ...(claim !== undefined && { claim }),
    ...(resetsAt !== undefined && { resetsAt }),
    windows,
    ...((isOverageTold || isInUse) && {
      overage: {
        ...(data.overageStatus && { status: data.overageStatus }),
        ...(overageResetsAt !== undefined && { resetsAt: overageResetsAt }),
        ...(data.overageDisabledReason && { disabledReason: data.overageDisabledReason }),
        isInUse,
      },
    }),
  };
}

function toWindow(
  { utilization, resetsAt: seconds, surpassedThreshold }: Omit<z.infer<typeof window>, 'status'>,
  heardAt: number,
): PlanWindow {
  const resetsAt = toMilliseconds(seconds);
  return {
    heardAt,
    ...(utilization !== undefined && { utilization }),
    ...(resetsAt !== undefined && { resetsAt }),
    ...(surpassedThreshold !== undefined && { surpassedThreshold }),
  };
}

function toMilliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

/** The failure as one of the plan, if the call failed because of its limits. */
export function asPlanLimit(found: Failure, limits: PlanLimits | undefined): Failure {
  if (found.type !== 'rate_limit_error' || limits?.status !== 'rejected') return found;
  if (limits.claim === undefined || limits.overage?.isInUse) return found;
  return failure('plan_limit_reached', { limits, requestId: found.requestId });
}
