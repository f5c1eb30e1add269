import { expect, test } from 'vitest';
import { PATIENT, request, tool, user } from '../../test/support/engine.ts';
import type { CountedPlaces, PlaceCounts } from '../spec/counted-part.ts';
import { TokenCounter } from './token-counter.ts';

const LIMITS = { processes: 1, queueLength: 10 };
const ASKED = request([user('hi')], { system: 'word '.repeat(400), tools: [tool('read')] });

/** Counts over an API that counts these places alone. */
function count(api: PlaceCounts) {
  const pool = {
    countTokens: async (_for: unknown, take: () => CountedPlaces) => {
      const places = take();
      return Object.fromEntries(Object.keys(places).map((place) => [place, api[place as keyof PlaceCounts]]));
    },
  };
  return new TokenCounter(pool, LIMITS).count(ASKED, 'one', PATIENT);
}

test('the parts that the API counts are added up', async () => {
  const counted = await count({ prompt: 1_000_000, conversation: 8, tools: 10_000_000 });
  expect(counted).toEqual({ inputTokens: 11_000_008, source: 'sdk' });
});

test('a part that could not be counted is guessed, and the others stay', async () => {
  const { inputTokens, source } = await count({ conversation: 8, tools: 10_000_000 });
  expect(source).toBe('estimate');
  expect(inputTokens - 10_000_008).toBeGreaterThan(400);
  expect(inputTokens - 10_000_008).toBeLessThan(650);
});
