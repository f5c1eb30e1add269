import { expect, test } from 'vitest';
import { MissingModels } from './missing-models.ts';

test('a name is missing for a minute, and from its newest asking on', () => {
  const missing = new MissingModels();
  expect(missing.has('m', 0)).toBe(false);
  missing.add('m', 0);
  missing.add('m', 50_000);
  expect([missing.has('m', 109_999), missing.has('m', 110_000), missing.has('n', 50_000)]).toEqual([
    true,
    false,
    false,
  ]);
});

test('so many names are remembered and no more; the oldest go', () => {
  const missing = new MissingModels();
  for (let index = 0; index < 1_001; index += 1) missing.add(`m${index}`, 0);
  expect([missing.has('m0', 1), missing.has('m1', 1), missing.has('m1000', 1)]).toEqual([false, true, true]);
});
