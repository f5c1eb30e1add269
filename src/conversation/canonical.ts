import type { ContentBlock, JsonObject, Message } from '../spec/messages.ts';

/**
 * A message as the lineage compares it: equal texts when the model would see the same.
 *
 * `cache_control` does not count (clients move it every turn), nor do thinking blocks (many clients drop them), nor the
 * order of object keys. A tool result's string content equals one text block.
 */
export function canonicalMessage(message: Message): string {
  return message.role + message.content.map((block) => (isThinking(block) ? '' : canonicalBlock(block))).join('');
}

/** The block's type, then its parts. Each part has its length in front, so that different blocks never give the same text. */
function canonicalBlock(block: ContentBlock): string {
  if (block.type === 'text' && hasOnly(block, TEXT_KEYS) && !isCited(block)) return `T${sized(String(block.text))}`;
  if (block.type === 'tool_result' && hasOnly(block, TOOL_RESULT_KEYS)) {
    const content = toolResultContent(block);
    const head = `${block.is_error === true ? 'E' : 'R'}${content.length}:${sized(String(block.tool_use_id))}`;
    return head + content.map(canonicalBlock).join('');
  }
  const { cache_control: _, ...rest } = block;
  return `J${sized(stableJson(rest))}`;
}

const TEXT_KEYS: ReadonlySet<string> = new Set(['type', 'text', 'citations', 'cache_control']);
const TOOL_RESULT_KEYS: ReadonlySet<string> = new Set(['type', 'tool_use_id', 'content', 'is_error', 'cache_control']);

function isCited({ citations }: ContentBlock): boolean {
  return citations !== undefined && !(Array.isArray(citations) && citations.length === 0);
}

function hasOnly(block: ContentBlock, keys: ReadonlySet<string>): boolean {
  for (const key in block) if (!keys.has(key)) return false;
  return true;
}

function sized(text: string): string {
  return `${text.length}:${text}`;
}

/** JSON with sorted keys, so that equal values give equal strings. */
export function stableJson(value: unknown): string {
  return JSON.stringify(withSortedKeys(value));
}

function withSortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSortedKeys);
  if (!isObject(value)) return value;
  // Without a prototype, so that `__proto__` is a key like any other.
  const sorted: JsonObject = Object.create(null);
  for (const key of Object.keys(value).sort()) sorted[key] = withSortedKeys(value[key]);
  return sorted;
}

/** The content of a tool_result block as a list of blocks; the client may send a list, a string or nothing. */
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
