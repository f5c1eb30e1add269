import { DEEPEST } from '../../spec/body-depth.ts';
import type { JsonObject } from '../../spec/messages.ts';

/**
 * The input of a call from OpenAI's text of it. What is no JSON object, as of a call that was cut, becomes one that holds the text:
 * a 400 would end such a conversation for ever. So does one that is deeper than a body may be.
 *
 * @returns `isWhole` false where the text stands in the place of an input
 */
export function inputOfArguments(text: string): { input: JsonObject; isWhole: boolean } {
  if (text.trim() === '') return { input: {}, isWhole: true };
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && !isTooDeep(value, text))
      return { input: value as JsonObject, isWhole: true };
  } catch {
    // It is kept as text.
  }
  return { input: { arguments: text }, isWhole: false };
}

/** @param text of the value; most are too short to be deep, and cost no walk */
function isTooDeep(value: object, text: string): boolean {
  return text.length > 2 * DEEPEST && depthOf(value) > DEEPEST;
}

/** How many lists and objects stand inside each other; no more than one too many. */
function depthOf(value: unknown, above = 0): number {
  if (typeof value !== 'object' || value === null || above > DEEPEST) return above;
  return Object.values(value).reduce((most: number, inner) => Math.max(most, depthOf(inner, above + 1)), above + 1);
}
