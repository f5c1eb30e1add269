import type { JsonObject } from '../../spec/messages.ts';

/**
 * The input of a call from OpenAI's text of it. What is no JSON object, as of a call that was cut, becomes one that holds the text:
 * a 400 would end such a conversation for ever.
 *
 * @returns `isWhole` false where the text stands in the place of an input
 */
export function inputOfArguments(text: string): { input: JsonObject; isWhole: boolean } {
  if (text.trim() === '') return { input: {}, isWhole: true };
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { input: value as JsonObject, isWhole: true };
  } catch {
    // It is kept as text.
  }
  return { input: { arguments: text }, isWhole: false };
}
