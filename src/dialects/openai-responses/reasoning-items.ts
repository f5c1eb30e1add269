import type { ContentBlock, JsonObject } from '../../spec/messages.ts';

/** Before what this gateway has made; what others encrypt is nothing that the model could read. */
const PREFIX = 'isthmus1.';

/**
 * Thinking as `encrypted_content`, which clients send back byte for byte. It is in no way secret: the model's API checks the
 * signatures in it.
 *
 * @param model that the request asked for
 */
export function encryptedThinking(model: string, blocks: readonly ContentBlock[]): string {
  return PREFIX + Buffer.from(JSON.stringify({ m: model, b: blocks })).toString('base64url');
}

/** The thinking of the model in `encrypted_content`; undefined where it is another model's or somebody else's. */
export function thinkingIn(encrypted: unknown, model: string): ContentBlock[] | undefined {
  if (typeof encrypted !== 'string' || !encrypted.startsWith(PREFIX)) return undefined;
  try {
    const { m, b } = JSON.parse(Buffer.from(encrypted.slice(PREFIX.length), 'base64url').toString()) as JsonObject;
    if (m !== model || !Array.isArray(b)) return undefined;
    const blocks = b.map(thinkingBlock);
    return blocks.every((block) => block !== undefined) ? blocks : undefined;
  } catch {
    return undefined;
  }
}

function thinkingBlock(given: unknown): ContentBlock | undefined {
  const { type, thinking, signature, data } = (given ?? {}) as JsonObject;
  if (type === 'redacted_thinking') return typeof data === 'string' ? { type, data } : undefined;
  const isThinking = type === 'thinking' && typeof thinking === 'string' && typeof signature === 'string';
  return isThinking ? { type, thinking, signature } : undefined;
}

/** The part of a thinking block that goes back to the model. */
export function carriedThinking(block: ContentBlock): ContentBlock {
  return block.type === 'redacted_thinking'
    ? { type: block.type, data: block.data }
    : { type: block.type, thinking: block.thinking ?? '', signature: block.signature ?? '' };
}
