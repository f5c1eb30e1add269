import { isDeepStrictEqual } from 'node:util';
import type { ContentBlock, ModelRequest } from '../../scripted-model/script.ts';

/*
 * Whether the model saw what a client sent.
 *
 * This has its own idea of equality, written apart from the gateway's, so that a mistake there is not repeated here.
 */

interface ComparableMessage {
  role: string;
  content: ContentBlock[];
}

/** A request that a client sent, and the one that the model saw for it. */
export interface Pair {
  sent: ModelRequest;
  seen: ModelRequest;
}

/** One side of a comparison: what is looked at in the request that was sent, and in the one that was seen. */
interface Aspect {
  sent: (request: ModelRequest) => unknown;
  seen: (request: ModelRequest) => unknown;
}

/** What must be the same in both. */
const ASPECTS = {
  messages: { sent: comparableMessages, seen: comparableMessages },
  'system prompt': {
    sent: (request) => systemTexts(request).join('\n\n'),
    // The SDK puts two blocks of its own in front.
    seen: (request) => systemTexts(request).slice(2).join('\n\n'),
  },
  tools: { sent: comparableTools, seen: comparableTools },
  parameters: { sent: comparableParameters, seen: comparableParameters },
} as const satisfies Record<string, Aspect>;

export type AspectName = keyof typeof ASPECTS;
export const ASPECT_NAMES = Object.keys(ASPECTS) as AspectName[];

/** What differs between the two requests of a pair, one line for each difference; empty when nothing does. */
export function compare(aspect: AspectName, pair: Pair): string[] {
  const sent: unknown = ASPECTS[aspect].sent(pair.sent);
  const seen: unknown = ASPECTS[aspect].seen(pair.seen);
  if (isDeepStrictEqual(sent, seen)) return [];
  const lines = [...differences(sent, seen, aspect)];
  return lines.length > 0 ? lines : [`${aspect}: they differ in a way that JSON does not show`];
}

/** Body fields that have an aspect of their own, or do not decide what the model answers. */
const OTHER_FIELDS = new Set(['messages', 'system', 'tools', 'stream', 'metadata']);

/** What the API takes an absent field for, so that a field that says just that equals an absent one. */
const DEFAULTS: Record<string, unknown> = { temperature: 1, thinking: { type: 'disabled' } };

/**
 * A request's messages without the differences that do not matter: a string is one text block, `cache_control`, thinking
 * and `is_error: false` do not count, and consecutive user messages are one.
 */
export function comparableMessages(request: ModelRequest): ComparableMessage[] {
  const messages: ComparableMessage[] = [];
  for (const { role, content, ...rest } of request.messages) {
    const blocks = blocksOf(content)
      .filter(({ type }) => type !== 'thinking' && type !== 'redacted_thinking')
      .map(comparableBlock);
    const previous = messages.at(-1);
    if (role === 'user' && previous?.role === 'user') {
      previous.content.push(...blocks);
      Object.assign(previous, rest);
    } else if (blocks.length > 0) messages.push({ role, content: blocks, ...rest });
  }
  return messages;
}

/** The texts of a request's system prompt, one for each block. */
export function systemTexts({ system }: ModelRequest): string[] {
  if (system === undefined) return [];
  return typeof system === 'string' ? [system] : system.map(({ text }) => text ?? '');
}

/** One line for each message: its role and the types of its blocks. */
export function outline(request: ModelRequest): string[] {
  return comparableMessages(request).map(
    ({ role, content }) => `${role}: ${content.map(({ type }) => type).join(' ')}`,
  );
}

/** Every tool_result block of a request, in order. */
export function toolResults(request: ModelRequest | undefined): ContentBlock[] {
  if (!request) return [];
  return comparableMessages(request).flatMap(({ content }) => content.filter(({ type }) => type === 'tool_result'));
}

/** Every text, tool result text and tool_use id of a request, its system prompt included. */
export function allTexts(request: ModelRequest): Set<string> {
  const inBlock = (block: ContentBlock): string[] => {
    if (block.type === 'tool_result') return [String(block.tool_use_id), ...blocksOf(block.content).flatMap(inBlock)];
    return [block.text, block.id].filter((text) => typeof text === 'string');
  };
  const inMessages = comparableMessages(request).flatMap(({ content }) => content.flatMap(inBlock));
  return new Set([...systemTexts(request), ...inMessages]);
}

/** The same, one behind the other. */
export function textsOf(request: ModelRequest): string {
  return [...allTexts(request)].join('\n');
}

/**
 * Finds, for each request that was sent, the one that the model saw: those that are equal first, then those that are most
 * alike, so that a difference shows up as a difference and not as a missing request.
 */
export function pairUp(sent: readonly ModelRequest[], seen: readonly ModelRequest[]): Pair[] {
  const candidates = sent
    .flatMap((one) => seen.map((other) => ({ sent: one, seen: other, likeness: likeness(one, other) })))
    .sort((one, other) => other.likeness - one.likeness);
  const taken = new Set<ModelRequest>();
  const found = new Map<ModelRequest, ModelRequest>();
  for (const candidate of candidates) {
    if (found.has(candidate.sent) || taken.has(candidate.seen)) continue;
    found.set(candidate.sent, candidate.seen);
    taken.add(candidate.seen);
  }
  return sent.flatMap((one) => {
    const other = found.get(one);
    return other ? [{ sent: one, seen: other }] : [];
  });
}

function likeness(sent: ModelRequest, seen: ModelRequest): number {
  const [one, other] = [comparableMessages(sent).map(sortedJson), comparableMessages(seen).map(sortedJson)];
  const equal = one.filter((message, index) => message === other[index]).length;
  const haveSameLength = one.length === other.length;
  const haveSameTools = (sent.tools ?? []).length === (seen.tools ?? []).length;
  const areEqual = haveSameLength && equal === one.length;
  return (areEqual ? 1_000_000 : 0) + (haveSameTools ? 10_000 : 0) + (haveSameLength ? 1_000 : 0) + equal;
}

function comparableTools(request: ModelRequest): object[] {
  const tools: Array<{ name: string; cache_control?: unknown }> = request.tools ?? [];
  return tools.map(({ cache_control: _, ...tool }) => tool).sort((one, other) => (one.name < other.name ? -1 : 1));
}

function comparableParameters(request: ModelRequest): Record<string, unknown> {
  const given = Object.entries(request).filter(([name, value]) => !OTHER_FIELDS.has(name) && value != null);
  return { ...DEFAULTS, ...Object.fromEntries(given) };
}

/** A message's or a result's content as a list. */
export function blocksOf(content: unknown): ContentBlock[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return Array.isArray(content) ? content : [];
}

function comparableBlock({ cache_control: _, ...block }: ContentBlock): ContentBlock {
  if (block.type !== 'tool_result') return block as ContentBlock;
  const { is_error, content, ...result } = block;
  return {
    ...result,
    ...(is_error === true ? { is_error } : {}),
    content: blocksOf(content).map(comparableBlock),
  } as ContentBlock;
}

function* differences(sent: unknown, seen: unknown, path: string): Generator<string> {
  if (isDeepStrictEqual(sent, seen)) return;
  if (isContainer(sent) && isContainer(seen) && Array.isArray(sent) === Array.isArray(seen)) {
    const keys = new Set([...Object.keys(sent), ...Object.keys(seen)]);
    for (const key of keys) yield* differences(sent[key], seen[key], `${path}.${key}`);
    return;
  }
  const [one, other] = [JSON.stringify(sent) ?? 'nothing', JSON.stringify(seen) ?? 'nothing'];
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  const start = Math.max(0, at - 40);
  const clipped = (text: string) =>
    `${start > 0 ? '…' : ''}${text.slice(start, at + 40)}${text.length > at + 40 ? '…' : ''}`;
  yield `${path}, from character ${at}: sent ${clipped(one)} seen ${clipped(other)}`;
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
