import { expect, test } from 'vitest';
import type { PlanLimits } from '../spec/plan-limits.ts';
import { KnownLimits } from './known-limits.ts';
import { usageBody } from './usage-body.ts';

const NOON = Date.UTC(2026, 10, 25, 12);
const HOUR = 3_600_000;
const FIRST: PlanLimits = {
  heardAt: NOON,
  status: 'allowed',
  claim: 'five_hour',
  resetsAt: NOON + HOUR,
  windows: {
    five_hour: { heardAt: NOON, utilization: 0.4, resetsAt: NOON + HOUR },
    seven_day: { heardAt: NOON, utilization: 0.1, resetsAt: NOON + 50 * HOUR },
  },
  overage: { status: 'rejected', disabledReason: 'org_level_disabled', isInUse: false },
};

function knowing(...heard: PlanLimits[]): KnownLimits {
  const known = new KnownLimits();
  for (const each of heard) known.hear(each);
  return known;
}

test('nothing is known until something is heard', () => {
  expect(knowing().at(NOON)).toBeUndefined();
  expect(usageBody(undefined, 'bare')).toEqual({ limits: null, reason: expect.stringContaining('API key') });
  expect(usageBody(undefined, 'full')).toEqual({ limits: null, reason: expect.stringContaining('No answer') });
});

test('each window keeps its newest values', () => {
  const later: PlanLimits = {
    heardAt: NOON + 60,
    status: 'allowed_warning',
    claim: 'five_hour',
    windows: { five_hour: { heardAt: NOON + 60, utilization: 0.9, resetsAt: NOON + HOUR } },
  };
  expect(knowing(FIRST, later).at(NOON + 100)).toEqual({
    ...later,
    windows: { five_hour: later.windows.five_hour, seven_day: FIRST.windows.seven_day },
  });
});

test('a window that is told in part keeps the rest of it, but not beyond its reset', () => {
  const told = (resetsAt: number): PlanLimits => ({
    heardAt: NOON + 60,
    status: 'rejected',
    windows: { five_hour: { heardAt: NOON + 60, resetsAt } },
  });
  expect(knowing(FIRST, told(NOON + HOUR)).at(NOON)?.windows.five_hour).toEqual({
    heardAt: NOON + 60,
    utilization: 0.4,
    resetsAt: NOON + HOUR,
  });
  expect(knowing(FIRST, told(NOON + 5 * HOUR)).at(NOON)?.windows.five_hour).not.toHaveProperty('utilization');
});

test('of what has reset since nothing is known', () => {
  const known = knowing(FIRST);
  expect(known.at(NOON + HOUR - 1)).toEqual(FIRST);
  expect(known.at(NOON + HOUR)).toEqual({
    heardAt: NOON,
    windows: { five_hour: { heardAt: NOON }, seven_day: FIRST.windows.seven_day },
    overage: FIRST.overage,
  });
  const inOverage = knowing({ ...FIRST, overage: { isInUse: true, resetsAt: NOON + 2 } });
  expect(inOverage.at(NOON + 1)?.overage).toBeDefined();
  expect(inOverage.at(NOON + 2)).not.toHaveProperty('overage');
});

test('the body says what is known, since when, in ISO 8601', () => {
  expect(usageBody(knowing(FIRST).at(NOON + HOUR), 'full')).toEqual({
    limits: {
      as_of: '2026-11-25T12:00:00.000Z',
      status: null,
      claim: null,
      resets_at: null,
      windows: {
        five_hour: { utilization: null, resets_at: null, as_of: '2026-11-25T12:00:00.000Z' },
        seven_day: {
          utilization: 0.1,
          resets_at: '2026-11-27T14:00:00.000Z',
          as_of: '2026-11-25T12:00:00.000Z',
        },
      },
      overage: { status: 'rejected', in_use: false, disabled_reason: 'org_level_disabled', resets_at: null },
    },
  });
});
