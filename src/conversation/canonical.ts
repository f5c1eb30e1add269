import type { ContentBlock, JsonObject, Message } from '../spec/messages.ts';
import { isThinking } from './carried-form.ts';

/**
 * A message as the lineage compares it, in parts: equal texts when the model would see the same. A long string of the message is a
 * part by itself, so that nothing copies it.
 *
 * `cache_control` does not count (clients move it every turn), nor do thinking blocks (many clients drop them), a block's
 * fields that are null, nor the order of object keys. A tool result's string content equals one text block. Nor does where an
 * assistant's text is cut into blocks: some clients of OpenAI's APIs glue the texts of an answer.
 *
 * @param message an assistant's in its carried form
 */
export function canonicalMessage(message: Message): string[] {
  const parts: string[] = [message.role];
  const content = message.content.filter((block) => !isThinking(block));
  for (const block of message.role === 'assistant' ? withoutCuts(content) : content) addBlock(parts, block);
  return parts;
}

/** The blocks, with those of plain text that follow each other as one. */
function withoutCuts(content: readonly ContentBlock[]): ContentBlock[] {
  const whole: ContentBlock[] = [];
  for (const block of content) {
    const last = whole.at(-1);
    if (last && isPlainText(last) && isPlainText(block)) {
      whole.splice(-1, 1, { type: 'text', text: `${last.text}${block.text}` });
    } else whole.push(block);
  }
  return whole;
}

function isPlainText(block: ContentBlock): boolean {
  return block.type === 'text' && hasOnly(block, TEXT_KEYS);
}

/** Adds the block's type, then its parts. Each part has its length in front, so that different blocks never give the same text. */
function addBlock(parts: string[], block: ContentBlock): void {
  if (isPlainText(block)) {
    const text = String(block.text);
    parts.push(`T${text.length}:`, text);
    return;
  }
  if (block.type === 'tool_result' && hasOnly(block, TOOL_RESULT_KEYS)) {
    const content = toolResultContent(block);
    parts.push(`${block.is_error === true ? 'E' : 'R'}${content.length}:${sized(String(block.tool_use_id))}`);
    for (const inner of content) addBlock(parts, inner);
    return;
  }
  const { cache_control: _, ...rest } = block;
  const said = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
  const long: string[] = [];
  parts.push(`J${sized(JSON.stringify(withSortedKeys(said, long)))}`, ...long);
}

const TEXT_KEYS: ReadonlySet<string> = new Set(['type', 'text', 'cache_control']);
const TOOL_RESULT_KEYS: ReadonlySet<string> = new Set(['type', 'tool_use_id', 'content', 'is_error', 'cache_control']);

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

/** A longer string, such as an image, is not copied into JSON, in characters. */
const LONGEST_IN_JSON = 16 * 1024;
/** In front of the length of a string that stands elsewhere, and of a string that begins with this character itself. */
const ELSEWHERE = '\u0001';

/** @param long takes the long strings, in their order; without it all strings stay in their place */
function withSortedKeys(value: unknown, long?: string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => withSortedKeys(item, long));
  if (typeof value === 'string' && long) {
    if (value.startsWith(ELSEWHERE)) return `${ELSEWHERE}${value}`;
    if (value.length <= LONGEST_IN_JSON) return value;
    long.push(value);
    return `${ELSEWHERE}${value.length}`;
  }
  if (!isObject(value)) return value;
  // Without a prototype, so that `__proto__` is a key like any other.
  const sorted: JsonObject = Object.create(null);
  for (const key of Object.keys(value).sort()) sorted[key] = withSortedKeys(value[key], long);
  return sorted;
}

/** The content of a tool_result block as a list of blocks; the client may send a list, a string or nothing. */
export function toolResultContent(block: ContentBlock): ContentBlock[] {
  if (typeof block.content === 'string') return block.content === '' ? [] : [{ type: 'text', text: block.content }];
  return Array.isArray(block.content) ? (block.content as ContentBlock[]) : [];
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
