/** The limits of a model, in tokens. */
export interface ModelLimits {
  contextWindow: number;
  maxTokens: number;
}

const row = (contextWindow: number, maxTokens: number): ModelLimits => ({ contextWindow, maxTokens });

/**
 * Models that work by their exact id, also where Claude Code does not offer them, with their limits.
 *
 * Source: the catalog inside Claude Code 2.1.330 (`context.window`, `max_output_tokens.upper`), read on 26 November 2026.
 */
export const MODEL_TABLE: Readonly<Record<string, ModelLimits>> = {
  'claude-fable-5': row(1_000_000, 128_000),
  'claude-fable-5-1': row(1_000_000, 128_000),
  'claude-fable-5-2': row(1_000_000, 128_000),
  'claude-mythos-5': row(1_000_000, 128_000),
  'claude-mythos-5-1': row(1_000_000, 128_000),
  'claude-mythos-5-2': row(1_000_000, 128_000),
  'claude-opus-5-5': row(1_000_000, 128_000),
  'claude-opus-5': row(1_000_000, 128_000),
  'claude-opus-4-8': row(1_000_000, 128_000),
  'claude-opus-4-7': row(1_000_000, 128_000),
  'claude-opus-4-6': row(200_000, 128_000),
  'claude-opus-4-5': row(200_000, 64_000),
  'claude-opus-4-1': row(200_000, 32_000),
  'claude-opus-4-0': row(200_000, 32_000),
  'claude-opus-4': row(200_000, 32_000),
  'claude-sonnet-5-5': row(1_000_000, 128_000),
  'claude-sonnet-5': row(1_000_000, 128_000),
  'claude-sonnet-4-6': row(200_000, 128_000),
  'claude-sonnet-4-5': row(200_000, 64_000),
  'claude-sonnet-4-0': row(200_000, 64_000),
  'claude-sonnet-4': row(200_000, 64_000),
  'claude-haiku-5-5': row(1_000_000, 128_000),
  'claude-haiku-4-5': row(200_000, 64_000),
};

/** The limits of a model by its id, with or without the date of its snapshot; undefined when not known. */
export function tableLimits(id: string): ModelLimits | undefined {
  const name = id.replace(/-20\d{6}$/, '');
  return Object.hasOwn(MODEL_TABLE, name) ? MODEL_TABLE[name] : undefined;
}
