import type { JsonObject } from '../../spec/messages.ts';

/** What an answer used, in tokens. OpenAI counts cached tokens among those of the prompt, the model's API beside them. */
export interface OpenAiUsage {
  prompt: number;
  cached: number;
  cacheWrites: number;
  completion: number;
  total: number;
}

/** @param usage of the model's API */
export function usageOf(usage: JsonObject): OpenAiUsage {
  const [input, cached, cacheWrites, completion] = [
    usage.input_tokens,
    usage.cache_read_input_tokens,
    usage.cache_creation_input_tokens,
    usage.output_tokens,
  ].map((count) => (typeof count === 'number' ? count : 0)) as [number, number, number, number];
  const prompt = input + cached + cacheWrites;
  return { prompt, cached, cacheWrites, completion, total: prompt + completion };
}
