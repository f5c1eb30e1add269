import { describe, expect, test } from 'vitest';
import type { ModelListing } from '../spec/model-listing.ts';
import { KnownModels } from './known-models.ts';

const OFFERED = [
  { id: 'claude-opus-5-5', aliases: ['opus'] },
  { id: 'claude-later-9', aliases: ['later'] },
];

function knowing(offered: readonly ModelListing[]): KnownModels {
  const models = new KnownModels();
  models.offer(offered);
  return models;
}

describe('a model is found', () => {
  const models = knowing(OFFERED);
  models.hear({ id: 'us.anthropic.claude-opus-6-v1:0', contextWindow: 300_000 });

  test.each([
    ['that Claude Code offers', 'claude-opus-5-5', { maxInputTokens: 1_000_000, maxTokens: 128_000 }],
    ['that the table has', 'claude-sonnet-4-5', { maxInputTokens: 200_000, maxTokens: 64_000 }],
    ['by the id of its snapshot', 'claude-sonnet-4-5-20250929', { maxInputTokens: 200_000, maxTokens: 64_000 }],
    ['that has answered', 'us.anthropic.claude-opus-6-v1:0', { maxInputTokens: 300_000 }],
    ['with the long context', 'claude-sonnet-4-5[1m]', { maxInputTokens: 1_000_000, maxTokens: 64_000 }],
    ['of unknown limits', 'claude-later-9', {}],
  ])('%s', (_how, id, limits) => {
    const { aliases: _, ...found } = models.find(id) ?? { aliases: [] };
    expect(found).toEqual({ id, ...limits });
  });

  test('by its alias', () => {
    expect(models.find('opus')?.id).toBe('claude-opus-5-5');
  });

  test.each(['claude-nobody', 'constructor', '', '[1m]', 'claude-nobody[1m]'])('but not %j', (name) => {
    expect(models.find(name)).toBeUndefined();
  });
});

test('the list has what is offered and what has answered, each once, and what was heard is newer than the table', () => {
  const models = knowing(OFFERED);
  models.hear({ id: 'claude-opus-5-5', contextWindow: 500_000 });
  models.hear({ id: 'claude-sonnet-4-5', contextWindow: 200_000 });
  expect(models.list.map(({ id, maxInputTokens }) => [id, maxInputTokens])).toEqual([
    ['claude-opus-5-5', 500_000],
    ['claude-later-9', undefined],
    ['claude-sonnet-4-5', 200_000],
  ]);
});

test('no more than some hundred models are remembered', () => {
  const models = knowing([]);
  for (let index = 0; index < 1_000; index += 1) models.hear({ id: `m${index}`, contextWindow: 1 });
  expect(models.list.length).toBeLessThan(500);
});
