import { expect, test } from 'vitest';
import { partKey, RememberedCounts } from './remembered-counts.ts';

test('a count belongs to its caller, its model and its part', () => {
  const counts = new RememberedCounts();
  const part = { kind: 'text', text: 'hi' } as const;
  counts.set('one', partKey('m', part), 8);
  expect(counts.get('one', partKey('m', { ...part }))).toBe(8);
  expect(counts.get('another', partKey('m', part))).toBeUndefined();
  expect(counts.get('one', partKey('other', part))).toBeUndefined();
  expect(counts.get('one', partKey('m', { ...part, kind: 'system' }))).toBeUndefined();
});

test('a caller has so many counts and no more; what was used last stays', () => {
  const counts = new RememberedCounts();
  counts.set('one', 'used', 1);
  for (let index = 0; index < 5_000; index += 1) {
    counts.set('one', `part ${index}`, index);
    expect(counts.get('one', 'used')).toBe(1);
  }
  expect(counts.get('one', 'part 4999')).toBe(4999);
  expect(counts.get('one', 'part 0')).toBeUndefined();
});

test('so many callers are remembered and no more; who has asked last stays', () => {
  const counts = new RememberedCounts();
  counts.set('used', 'part', 1);
  for (let index = 0; index < 1_000; index += 1) {
    counts.set(`caller ${index}`, 'part', index);
    expect(counts.get('used', 'part')).toBe(1);
  }
  expect(counts.get('caller 999', 'part')).toBe(999);
  expect(counts.get('caller 0', 'part')).toBeUndefined();
});
