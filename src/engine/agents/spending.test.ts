import { expect, test } from 'vitest';
import { Spending } from './spending.ts';

const model = (inputTokens: number, outputTokens: number) => ({
  inputTokens,
  outputTokens,
  cacheReadInputTokens: 0,
  cacheCreationInputTokens: 0,
});

/** As the SDK tells it, with more fields. */
function told(models: Record<string, ReturnType<typeof model>>) {
  return { modelUsage: models } as never;
}

test('subagents have spent what the agent itself has not, in this turn', () => {
  const spending = new Spending();
  expect(spending.ofSubagents(told({ a: model(100, 10) }), { input_tokens: 100, output_tokens: 10 })).toMatchObject({
    input_tokens: 0,
    output_tokens: 0,
  });
  const second = told({ a: model(250, 30), b: model(40, 4) });
  expect(spending.ofSubagents(second, { input_tokens: 100, output_tokens: 10 })).toMatchObject({
    input_tokens: 90,
    output_tokens: 14,
  });
});

test('what is told too late counts for nobody', () => {
  expect(new Spending().ofSubagents(told({}), { input_tokens: 5 })).toMatchObject({ input_tokens: 0 });
});
