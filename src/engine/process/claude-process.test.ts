import { expect, test } from 'vitest';
import { forTurns, type ProcessRules } from './claude-process.ts';

test.each([
  [true, { CLAUDE_CODE_RETRY_WATCHDOG: '1' }],
  [false, {}],
])(
  'where a failed call becomes the answer at once is %s, the watchdog tells long waits: %j',
  (failsAtFirstRetry, variables) => {
    expect(forTurns({ failsAtFirstRetry } as ProcessRules)).toEqual(variables);
  },
);
