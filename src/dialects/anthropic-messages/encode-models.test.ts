import { expect, test } from 'vitest';
import { encodeModelsPage } from './encode-models.ts';

const MODELS = Array.from({ length: 30 }, (_, at) => ({ id: `claude-opus-${at}`, aliases: [] }));

test('a client that knows no pages gets all models at once, in a shape for clients of either API', () => {
  const page = encodeModelsPage(MODELS, {});
  expect(page).toMatchObject({ object: 'list', has_more: false, first_id: 'claude-opus-0', last_id: 'claude-opus-29' });
  expect(page.data).toHaveLength(30);
  expect(page.data[0]).toMatchObject({ object: 'model', type: 'model', created: 0, owned_by: 'anthropic' });
  // Codex takes a list with this key for its own catalog.
  expect(page).not.toHaveProperty('models');
});

test('a client that knows pages gets those', () => {
  const page = encodeModelsPage(MODELS, { limit: '2', after_id: 'claude-opus-3' });
  expect(page.data.map(({ id }) => id)).toEqual(['claude-opus-4', 'claude-opus-5']);
  expect(page.has_more).toBe(true);
});
