import { DEEPEST } from '../../spec/body-depth.ts';
import type { ContentBlock, JsonObject } from '../../spec/messages.ts';
import { freeTextOf } from './free-text.ts';

/**
 * What a call is made with that was cut before anything of its input came. A client must not take it for an input: some take an
 * empty text for `{}`, and would run the tool.
 */
const CUT_AT_ONCE = '{';

/**
 * The text with which a model calls a tool, as the client gets it. Of a cut call it is what came, which is no JSON, so that no
 * client runs it.
 *
 * @param json what came of the input; the block's own input says it, where nothing came
 * @param isCut whether the answer breaks off in this call
 */
export function textOfCall(
  { input }: ContentBlock,
  json: string,
  { isCustom, isCut }: { isCustom: boolean; isCut: boolean },
): string {
  if (isCut && json === '') return CUT_AT_ONCE;
  if (isCustom) return freeTextOf(json, input);
  return json === '' ? JSON.stringify(input ?? {}) : json;
}

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
