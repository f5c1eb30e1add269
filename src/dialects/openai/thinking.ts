import type { JsonObject } from '../../spec/messages.ts';
import { generationOf, thinksByBudget } from '../../spec/model-generation.ts';

/** How much a model is to think, in OpenAI's words; `undefined` where the client asks for thinking without saying how much. */
export type Effort = (typeof EFFORTS)[number];
export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

/** For models whose thinking has a budget, in tokens. */
const BUDGETS: Readonly<Record<string, number>> = {
  low: 2_048,
  medium: 8_192,
  high: 16_000,
  xhigh: 31_999,
  max: 31_999,
};
const LEAST_BUDGET = 1_024;

/** What an effort becomes for a model. */
export interface Thinking {
  /** Fields of the model's request: `thinking`, `output_config`. */
  parameters: JsonObject;
  /** Whether the model thinks otherwise than it was asked to. */
  isConverted?: true;
}

/**
 * The thinking of a turn for which its client names an effort, or asks for a summary alone.
 *
 * @param maxTokens the budget must be below it
 */
export function thinkingFor(model: string, effort: Effort | undefined, maxTokens: number): Thinking {
  if (effort === 'none') return withoutThinking(model);
  const asked = effort === 'minimal' ? 'low' : effort;
  // Else newer models answer with empty thinking, and say between their calls nothing that a client could show.
  const display = 'summarized';
  if (thinksByBudget(model)) {
    const budget = Math.min(BUDGETS[asked ?? 'medium'] ?? LEAST_BUDGET, maxTokens - 1);
    if (budget < LEAST_BUDGET) return { parameters: {}, isConverted: true };
    return { parameters: { thinking: { type: 'enabled', budget_tokens: budget, display } } };
  }
  return {
    parameters: {
      thinking: { type: 'adaptive', display },
      ...(asked === undefined ? {} : { output_config: { effort: asked } }),
    },
  };
}

function withoutThinking(model: string): Thinking {
  const { line, version } = generationOf(model);
  const isAlwaysOn = line === 'fable' || line === 'mythos' || (line === 'opus' && version >= 5.5);
  if (isAlwaysOn) return { parameters: { output_config: { effort: 'low' } }, isConverted: true };
  // Its API refuses `disabled`.
  if (line === 'sonnet' && version >= 5.5) return { parameters: { thinking: { type: 'between_tools' } } };
  return { parameters: { thinking: { type: 'disabled' } } };
}
