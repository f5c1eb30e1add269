import type { JsonObject } from '../spec/messages.ts';
import type { PlanLimits } from '../spec/plan-limits.ts';

/** Why no limits are known, for people. */
const NONE = {
  bare: 'In bare mode an API key, a bearer token or a cloud pays; none of them has the limits of a plan.',
  full: 'No answer has told any since Isthmus was started. A plan tells them with its first answer.',
};

/** The body of `GET /v1/usage`; times are ISO 8601 in UTC, and `null` stands for what is not known. */
export function usageBody(limits: PlanLimits | undefined, mode: 'bare' | 'full'): JsonObject {
  return limits ? { limits: limitsBody(limits) } : { limits: null, reason: NONE[mode] };
}

/** Limits as JSON. */
export function limitsBody({ heardAt, status, claim, resetsAt, windows, overage }: PlanLimits): JsonObject {
  return {
    as_of: iso(heardAt),
    status: status ?? null,
    claim: claim ?? null,
    resets_at: iso(resetsAt),
    windows: Object.fromEntries(
      Object.entries(windows).map(([name, window]) => [
        name,
        {
          utilization: window.utilization ?? null,
          resets_at: iso(window.resetsAt),
          as_of: iso(window.heardAt),
        },
      ]),
    ),
    overage: overage
      ? {
          status: overage.status ?? null,
          in_use: overage.isInUse,
          disabled_reason: overage.disabledReason ?? null,
          resets_at: iso(overage.resetsAt),
        }
      : null,
  };
}

function iso(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
