import { expect, test } from 'vitest';
import { limitHeaders } from './encode-limits.ts';

const AT = 1_800_000_000_000;

test('times are seconds, utilization is a fraction, and what is not known has no header', () => {
  expect(
    limitHeaders({
      heardAt: AT,
      status: 'rejected',
      claim: 'five_hour',
      resetsAt: AT + 7_200_000,
      windows: {
        five_hour: { heardAt: AT, utilization: 1, resetsAt: AT + 7_200_000, status: 'rejected' },
        seven_day: { heardAt: AT, utilization: 0.42, resetsAt: AT + 100_000_000, surpassedThreshold: 0.25 },
        seven_day_overage_included: { heardAt: AT, utilization: 0 },
        seven_day_opus: { heardAt: AT, utilization: 0.3 },
      },
      overage: { status: 'rejected', disabledReason: 'out_of_credits', isInUse: false },
    }),
  ).toEqual({
    'anthropic-ratelimit-unified-status': 'rejected',
    'anthropic-ratelimit-unified-reset': '1800007200',
    'anthropic-ratelimit-unified-representative-claim': 'five_hour',
    'anthropic-ratelimit-unified-5h-utilization': '1',
    'anthropic-ratelimit-unified-5h-reset': '1800007200',
    'anthropic-ratelimit-unified-5h-status': 'rejected',
    'anthropic-ratelimit-unified-7d-utilization': '0.42',
    'anthropic-ratelimit-unified-7d-reset': '1800100000',
    'anthropic-ratelimit-unified-7d-surpassed-threshold': '0.25',
    'anthropic-ratelimit-unified-7d_oi-utilization': '0',
    'anthropic-ratelimit-unified-overage-status': 'rejected',
    'anthropic-ratelimit-unified-overage-disabled-reason': 'out_of_credits',
  });
  expect(limitHeaders({ heardAt: AT, windows: { five_hour: { heardAt: AT } } })).toEqual({});
});

test('the plan’s overage and the window of that name share their headers', () => {
  expect(
    limitHeaders({
      heardAt: AT,
      windows: { overage: { heardAt: AT, utilization: 0.5, resetsAt: AT + 9_000 } },
      overage: { status: 'allowed', resetsAt: AT + 5_000, isInUse: true },
    }),
  ).toEqual({
    'anthropic-ratelimit-unified-overage-status': 'allowed',
    'anthropic-ratelimit-unified-overage-in-use': 'true',
    'anthropic-ratelimit-unified-overage-reset': '1800000005',
    'anthropic-ratelimit-unified-overage-utilization': '0.5',
  });
});

test('a name that no header can hold is escaped', () => {
  expect(limitHeaders({ heardAt: AT, claim: 'né\nw', windows: {} })).toEqual({
    'anthropic-ratelimit-unified-representative-claim': 'n%C3%A9%0Aw',
  });
});
