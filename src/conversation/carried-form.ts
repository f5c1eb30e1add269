import type { ContentBlock } from '../spec/messages.ts';

/** An assistant message's blocks as the model gets them, from a live process and from a replay alike. */
export interface CarriedForm {
  content: ContentBlock[];
  /** What was left out: a block by its index, or a field of it. */
  left: Array<[at: number, ...field: string[]]>;
  /** The indices of blocks that the model gets in another place, or in other words. */
  converted: number[];
}

/** The fields of a call that Claude Code sends on, and those of a text that the API knows. */
const FIELDS: Record<string, ReadonlySet<string>> = {
  tool_use: new Set(['type', 'id', 'name', 'input', 'cache_control']),
  text: new Set(['type', 'text', 'cache_control']),
};
/** The one kind of citation that Claude Code sends back. */
const CARRIED_CITATION = 'web_search_result_location';

/**
 * An assistant message as Claude Code sends it to the model, whatever the way.
 *
 * @param content of the whole message, which consecutive ones make up
 */
export function carriedForm(content: readonly ContentBlock[]): CarriedForm {
  const answered = new Set(content.map(({ tool_use_id: id }) => id));
  const isThought = (at: number) => content[at] !== undefined && isThinking(content[at]);
  const left: CarriedForm['left'] = [];
  const converted: number[] = [];
  const kept: number[] = [];
  const carried = content.map((block, at) => {
    const isBetweenThoughts = isThought(at - 1) && isThought(at + 1);
    if ((isBlank(block) && !isBetweenThoughts) || isDropped(block) || isUnanswered(block, answered)) left.push([at]);
    else kept.push(at);
    // Two blocks of thinking stay apart: Claude Code writes something into an empty text between them.
    if (isBetweenThoughts && block.text === '') converted.push(at);
    return carriedBlock(block, (field) => left.push([at, field]));
  });
  const moved = staysInOrder(kept.map((at) => content[at] as ContentBlock)) ? [] : behindCalls(kept, content);
  const isCall = (at: number) => content[at]?.type === 'tool_use';
  const order = moved.length === 0 ? kept : [...kept.filter((at) => !isCall(at)), ...kept.filter(isCall)];
  return { content: order.map((at) => carried[at] as ContentBlock), left, converted: [...converted, ...moved] };
}

function behindCalls(indices: readonly number[], content: readonly ContentBlock[]): number[] {
  const first = indices.find((at) => content[at]?.type === 'tool_use') ?? Number.POSITIVE_INFINITY;
  return indices.filter((at) => at > first && content[at]?.type !== 'tool_use');
}

/** Claude Code puts calls last, unless calls alone stand between two blocks of thinking: those it leaves as they are. */
function staysInOrder(content: readonly ContentBlock[]): boolean {
  let before: ContentBlock | undefined;
  let isBehindCall = false;
  for (const block of content) {
    if (block.type === 'tool_use') {
      isBehindCall = true;
      continue;
    }
    if (isBehindCall && before !== undefined && isThinking(before) && isThinking(block)) return true;
    before = block;
    isBehindCall = false;
  }
  return false;
}

/** @param leave hears the name of each field that is left out and asked for something */
function carriedBlock(block: ContentBlock, leave: (field: string) => void): ContentBlock {
  const known = Object.hasOwn(FIELDS, block.type) ? FIELDS[block.type] : undefined;
  const others = known ? Object.keys(block).filter((field) => !known.has(field)) : [];
  if (others.length === 0) return block;
  const kept = { ...block };
  for (const field of others) {
    const { [field]: value } = block;
    delete kept[field];
    if (field !== 'citations' || block.type !== 'text') {
      if (value !== null) leave(field);
      continue;
    }
    const given = Array.isArray(value) ? value : [];
    const carried = given.filter(isCarriedCitation);
    if (carried.length > 0) kept.citations = carried;
    if (carried.length < given.length) leave(field);
  }
  return kept;
}

function isCarriedCitation(citation: unknown): boolean {
  return (citation as { type?: unknown } | null)?.type === CARRIED_CITATION;
}

export function isBlank({ type, text }: ContentBlock): boolean {
  return type === 'text' && String(text).trim() === '';
}

/** What Claude Code drops: marks of a fallback to another model, and what the API's advisor has said. */
function isDropped({ type, name }: ContentBlock): boolean {
  return type === 'fallback' || type === 'advisor_tool_result' || (type === 'server_tool_use' && name === 'advisor');
}

/** A call that the API would have answered in the same message, and has not. */
function isUnanswered({ type, id }: ContentBlock, answered: ReadonlySet<unknown>): boolean {
  return (type === 'server_tool_use' || type === 'mcp_tool_use') && !answered.has(id);
}

export function isThinking({ type }: ContentBlock): boolean {
  return type === 'thinking' || type === 'redacted_thinking';
}
