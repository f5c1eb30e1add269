import type { PlanLimits } from '../../spec/plan-limits.ts';

const PREFIX = 'anthropic-ratelimit-unified';

/** The windows that have headers of their own, by their names there. */
const WINDOWS: ReadonlyMap<string, string> = new Map([
  ['five_hour', '5h'],
  ['seven_day', '7d'],
  ['seven_day_overage_included', '7d_oi'],
  ['overage', 'overage'],
]);

/** The API's own headers about a plan: times are Unix seconds, utilization is a fraction. What is not known has no header. */
export function limitHeaders({ status, claim, resetsAt, windows, overage }: PlanLimits): Record<string, string> {
  const values: Record<string, string | number | undefined> = {
    status,
    reset: toSeconds(resetsAt),
    'representative-claim': claim,
    'overage-status': overage?.status,
    'overage-reset': toSeconds(overage?.resetsAt),
    'overage-disabled-reason': overage?.disabledReason,
    'overage-in-use': overage?.isInUse ? 'true' : undefined,
  };
  for (const [window, name] of WINDOWS) {
    const told = windows[window];
    values[`${name}-utilization`] = told?.utilization;
    values[`${name}-reset`] ??= toSeconds(told?.resetsAt);
    values[`${name}-surpassed-threshold`] = told?.surpassedThreshold;
    values[`${name}-status`] ??= told?.status;
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) headers[`${PREFIX}-${name}`] = toHeaderValue(String(value));
  }
  return headers;
}

function toSeconds(time: number | undefined): number | undefined {
  return time === undefined ? undefined : Math.round(time / 1000);
}

/** The names come from the API and may be new ones. */
function toHeaderValue(text: string): string {
  return text.replaceAll(/[^ -~]/gu, (character) => encodeURIComponent(character));
}
