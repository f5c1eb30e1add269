import { describe, expect, test } from 'vitest';
import { failure } from '../../spec/failures.ts';
import type { PlanLimits } from '../../spec/plan-limits.ts';
import { asPlanLimit, readLimits } from './read-limits.ts';

const NOW = Date.UTC(2026, 10, 25, 12);
const NOON = NOW / 1000;

describe('a `rate_limit_event`', () => {
  test('becomes limits with times in milliseconds', () => {
    const told = {
      status: 'allowed_warning',
      resetsAt: NOON + 3_600,
      rateLimitType: 'seven_day',
      utilization: 0.8,
      surpassedThreshold: 0.75,
      overageStatus: 'rejected',
      overageDisabledReason: 'org_level_disabled',
      isUsingOverage: false,
      unifiedWindows: {
        five_hour: { utilization: 0.5, resetsAt: NOON + 60, status: 'allowed' },
        seven_day: { utilization: 0.8, resetsAt: NOON + 3_600 },
      },
    };
    expect(readLimits(told, NOW)).toEqual({
      heardAt: NOW,
      status: 'allowed_warning',
      claim: 'seven_day',
      resetsAt: NOW + 3_600_000,
      windows: {
        five_hour: { heardAt: NOW, utilization: 0.5, resetsAt: NOW + 60_000, status: 'allowed' },
        seven_day: { heardAt: NOW, utilization: 0.8, resetsAt: NOW + 3_600_000 },
      },
      overage: { status: 'rejected', disabledReason: 'org_level_disabled', isInUse: false },
    });
  });

  test('may name a limit that is none of its windows', () => {
    const told = { status: 'rejected', rateLimitType: 'seven_day_opus', resetsAt: NOON + 9, isUsingOverage: true };
    expect(readLimits(told, NOW)).toEqual({
      heardAt: NOW,
      status: 'rejected',
      claim: 'seven_day_opus',
      resetsAt: NOW + 9_000,
      windows: { seven_day_opus: { heardAt: NOW, resetsAt: NOW + 9_000 } },
      overage: { isInUse: true },
    });
  });

  test.each([
    [{ status: 'allowed', isUsingOverage: false }],
    [{ status: 'of the future', resetsAt: NOON + 9 }],
    [undefined],
  ])('that tells nothing of a plan is none: %j', (told) => {
    expect(readLimits(told, NOW)).toBeUndefined();
  });

  test('with fields of another form has the others', () => {
    const told = { status: 'allowed', resetsAt: NOON + 9, utilization: 'half', unifiedWindows: { five_hour: 'full' } };
    expect(readLimits(told, NOW)).toEqual({ heardAt: NOW, status: 'allowed', resetsAt: NOW + 9_000, windows: {} });
  });
});

describe('a refusal of the plan', () => {
  const refused = (status: number) => failure('upstream_error', { status, message: 'no', requestId: 'req_1' });
  const limits: PlanLimits = {
    heardAt: NOW,
    status: 'rejected',
    claim: 'five_hour',
    resetsAt: NOW + 7_200_500,
    windows: {},
    overage: { disabledReason: 'org_level_disabled', isInUse: false },
  };

  test('says what was reached and when it resets', () => {
    expect(asPlanLimit(refused(429), limits)).toEqual({
      code: 'plan_limit_reached',
      status: 429,
      type: 'rate_limit_error',
      message:
        "The plan's 5-hour limit is reached and resets at 2026-11-25T14:00:00Z; usage credits are off (org_level_disabled).",
      requestId: 'req_1',
      retryAfterSeconds: 7_201,
      mayRepeat: false,
      details: { error_code: 'plan_limit_reached', limit: 'five_hour', resets_at: '2026-11-25T14:00:00Z' },
    });
  });

  test('without a reset in the future has no `retry-after`', () => {
    for (const resetsAt of [undefined, NOW]) {
      const { resetsAt: _, ...rest } = limits;
      const found = asPlanLimit(refused(429), { ...rest, ...(resetsAt && { resetsAt }) });
      expect(found.code).toBe('plan_limit_reached');
      expect(found).not.toHaveProperty('retryAfterSeconds');
    }
  });

  test.each<[string, number, PlanLimits | undefined]>([
    ['another error', 529, limits],
    ['nothing told', 429, undefined],
    ['a plan that takes requests', 429, { ...limits, status: 'allowed' }],
    ['a limit without a name', 429, { heardAt: NOW, status: 'rejected', windows: {} }],
    ['overage that pays', 429, { ...limits, overage: { isInUse: true } }],
  ])('is none for %s', (_what, status, told) => {
    expect(asPlanLimit(refused(status), told)).toEqual(refused(status));
  });
});
