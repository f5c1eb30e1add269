import type { JsonObject } from '../../spec/messages.ts';

/** What an answer used, in tokens. OpenAI counts cached tokens among those of the prompt, the model's API beside them. */
export interface OpenAiUsage {
  prompt: number;
  cached: number;
  cacheWrites: number;
  completion: number;
  /** How much of the completion is thinking, where the model's API says so. */
  reasoning: number;
  total: number;
}

/** @param usage of the model's API */
export function usageOf(usage: JsonObject): OpenAiUsage {
  const cached = countOf(usage.cache_read_input_tokens);
  const cacheWrites = countOf(usage.cache_creation_input_tokens);
  const prompt = countOf(usage.input_tokens) + cached + cacheWrites;
  const completion = countOf(usage.output_tokens);
  const { thinking_tokens } = (usage.output_tokens_details ?? {}) as JsonObject;
  return { prompt, cached, cacheWrites, completion, reasoning: countOf(thinking_tokens), total: prompt + completion };
}

function countOf(count: unknown): number {
  return typeof count === 'number' ? count : 0;
}
