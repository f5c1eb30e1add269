import { expect, test } from 'vitest';
import { CANNOT_START } from './exit-code.ts';
import { type ChildEnd, RestartPolicy } from './restart-policy.ts';

const CRASH: ChildEnd = { code: null, signal: 'SIGKILL', ranMs: 1_000 };

test.each([0, CANNOT_START])('an end with %j is final', (code) => {
  expect(new RestartPolicy().judge({ code, signal: null, ranMs: 1_000 })).toEqual({ kind: 'end' });
});

test('crashes in a row are followed by ever later starts, and at last by none', () => {
  const policy = new RestartPolicy();
  const waits = [1_000, 2_000, 4_000, 8_000, 16_000];
  for (const afterMs of waits) expect(policy.judge(CRASH)).toEqual({ kind: 'restart', afterMs });
  expect(policy.judge(CRASH)).toEqual({ kind: 'gives-up', crashes: 6 });
});

test('a gateway that ran for a minute begins a new row, and any code but the two is a crash', () => {
  const policy = new RestartPolicy();
  for (let crash = 0; crash < 5; crash += 1) policy.judge(CRASH);
  expect(policy.judge({ code: 1, signal: null, ranMs: 60_000 })).toEqual({ kind: 'restart', afterMs: 1_000 });
  expect(policy.judge({ ...CRASH, ranMs: 59_999 })).toEqual({ kind: 'restart', afterMs: 2_000 });
});

test('no wait is longer than the longest', () => {
  const policy = new RestartPolicy({ firstMs: 1_000, longestMs: 3_000, restarts: 9, steadyMs: 60_000 });
  const waits = Array.from({ length: 9 }, () => policy.judge(CRASH)).map((verdict) =>
    verdict.kind === 'restart' ? verdict.afterMs : verdict.kind,
  );
  expect(waits).toEqual([1_000, 2_000, ...Array(7).fill(3_000)]);
});
