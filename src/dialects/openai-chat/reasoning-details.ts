import type { ContentBlock, JsonObject } from '../../spec/messages.ts';

/** Names the model's form of thinking among those of other vendors. */
const FORMAT = 'anthropic-claude-v1';

/** A thinking block as an entry of `reasoning_details`, which clients send back as they got it. */
export function detailOfThinking(block: ContentBlock, index: number): JsonObject {
  return block.type === 'redacted_thinking'
    ? { type: 'reasoning.encrypted', data: block.data, format: FORMAT, index }
    : { type: 'reasoning.text', text: block.thinking, signature: block.signature, format: FORMAT, index };
}

/** The thinking blocks of `reasoning_details`. What is of another vendor, or has no signature, is no thinking of the model. */
export function thinkingOfDetails(details: unknown): ContentBlock[] {
  if (!Array.isArray(details)) return [];
  return details.flatMap((detail: JsonObject | null): ContentBlock[] => {
    if (detail?.format !== FORMAT) return [];
    if (detail.type === 'reasoning.encrypted' && typeof detail.data === 'string') {
      return [{ type: 'redacted_thinking', data: detail.data }];
    }
    const { type, text, signature } = detail;
    const isSigned =
      type === 'reasoning.text' && typeof text === 'string' && typeof signature === 'string' && signature !== '';
    return isSigned ? [{ type: 'thinking', thinking: text, signature }] : [];
  });
}
