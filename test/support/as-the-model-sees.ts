/**
 * What the model must see of a client's messages, written independently of the product: the same blocks, where a string
 * is one text block, messages of one role in a row are one, and `cache_control` and key order do not count.
 */

export type Block = { type: string; [field: string]: unknown };
export interface WireMessage {
  role: string;
  content: string | Block[];
}

export interface Seen {
  role: string;
  content: Block[];
}

export function asTheModelSees(messages: readonly WireMessage[], options: { withThinking: boolean }): Seen[] {
  const seen: Seen[] = [];
  for (const { role, content } of messages) {
    const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
    const kept = blocks.filter((block) => options.withThinking || !isThinking(block)).map(seenBlock);
    const last = seen.at(-1);
    if (last && last.role === role) last.content.push(...kept);
    else seen.push({ role, content: kept });
  }
  return seen;
}

function seenBlock(block: Block): Block {
  const { cache_control: _, ...rest } = block;
  if (rest.type === 'tool_result') {
    const { content, is_error, ...result } = rest;
    const inner =
      typeof content === 'string' ? (content === '' ? [] : [{ type: 'text', text: content }]) : (content ?? []);
    return { ...result, ...(is_error ? { is_error } : {}), content: (inner as Block[]).map(seenBlock) };
  }
  return rest as Block;
}

/** The bytes of each message without `cache_control`, for comparing prompt prefixes. */
export function messageBytes(messages: readonly WireMessage[], { withThinking }: { withThinking: boolean }): string[] {
  return messages.map(({ role, content }) => {
    const blocks =
      typeof content === 'string' ? content : content.filter((block) => withThinking || !isThinking(block));
    return JSON.stringify({ role, content: blocks }, (key, value) => (key === 'cache_control' ? undefined : value));
  });
}

function isThinking(block: Block): boolean {
  return block.type === 'thinking' || block.type === 'redacted_thinking';
}
