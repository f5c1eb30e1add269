import type { ContentBlock, JsonObject, Message } from '../spec/messages.ts';

/**
 * What counts when two messages are compared: what the model would see, not the bytes.
 *
 * `cache_control` does not count (clients move it every turn), nor do thinking blocks (many clients drop them), nor the
 * order of object keys; a tool result's string content equals one text block.
 */
export function canonicalMessage(message: Message): string {
  const content = message.content.filter((block) => !isThinking(block)).map(canonicalBlock);
  return stableJson({ role: message.role, content });
}

/** JSON with sorted keys, so that equal values give equal strings. */
export function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(byKey)) : inner,
  );
}

function canonicalBlock(block: ContentBlock): JsonObject {
  const { cache_control: _, ...rest } = block;
  if (block.type === 'tool_result') {
    const { is_error, content, ...result } = rest;
    return {
      ...result,
      ...(is_error === true ? { is_error } : {}),
      content: toolResultContent(block).map(canonicalBlock),
    };
  }
  if (block.type === 'text' && Array.isArray(rest.citations) && rest.citations.length === 0) {
    const { citations: __, ...text } = rest;
    return text;
  }
  return rest;
}

/** The content of a tool_result block as a list of blocks, whichever of its three forms the client used. */
export function toolResultContent(block: ContentBlock): ContentBlock[] {
  if (typeof block.content === 'string') return block.content === '' ? [] : [{ type: 'text', text: block.content }];
  return Array.isArray(block.content) ? (block.content as ContentBlock[]) : [];
}

export function isThinking(block: ContentBlock): boolean {
  return block.type === 'thinking' || block.type === 'redacted_thinking';
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
