import type { JsonObject } from '../../spec/messages.ts';

/**
 * The free text with which a model calls a custom tool.
 *
 * @param json what came of the input; one that was cut is its own text
 * @param input the whole of it, where nothing came
 */
export function freeTextOf(json: string, input: unknown): string {
  if (json === '') return textIn(input);
  try {
    return textIn(JSON.parse(json));
  } catch {
    return json;
  }
}

function textIn(input: unknown): string {
  const { input: text } = (input ?? {}) as JsonObject;
  return typeof text === 'string' ? text : JSON.stringify(input ?? {});
}
