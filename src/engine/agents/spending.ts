import type { SDKResultMessage } from '@anthropic-ai/claude-agent-sdk';
import type { JsonObject } from '../../spec/messages.ts';

/** The API's names of what Claude Code counts for each model. */
const COUNTS = {
  input_tokens: 'inputTokens',
  output_tokens: 'outputTokens',
  cache_read_input_tokens: 'cacheReadInputTokens',
  cache_creation_input_tokens: 'cacheCreationInputTokens',
} as const;

type Counts = Record<keyof typeof COUNTS, number>;

const NONE: Counts = { input_tokens: 0, output_tokens: 0, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 };

/** What one process has spent, of which Claude Code tells the sum over all models and turns. */
export class Spending {
  #before = NONE;

  /**
   * What the subagents of a turn have spent: all of the turn's tokens but those of the agent itself.
   *
   * @param own the usage of the agent's own answers in this turn
   */
  ofSubagents({ modelUsage }: Pick<SDKResultMessage, 'modelUsage'>, own: JsonObject): Counts {
    const models = Object.values(modelUsage ?? {});
    const now = counts((name) => models.reduce((sum, model) => sum + (model[COUNTS[name]] ?? 0), 0));
    const before = this.#before;
    this.#before = now;
    return counts((name) => Math.max(0, now[name] - before[name] - Number(own[name] ?? 0)));
  }
}

function counts(countOf: (name: keyof Counts) => number): Counts {
  const names = Object.keys(COUNTS) as Array<keyof Counts>;
  return Object.fromEntries(names.map((name) => [name, countOf(name)])) as Counts;
}
