import type { ContentBlock, Message } from '../spec/messages.ts';
import { toolResultContent } from './canonical.ts';

/**
 * What a held call, an idle process, a load and a replay carry unaltered. What a live process would alter goes by replay; what a
 * replay would alter is refused.
 *
 * Each row was seen with the pinned Agent SDK; the tests of its facts hold them.
 */

/** The CLI writes a longer tool result to a file and cuts it, in characters. */
const LONGEST_LIVE_RESULT = 400_000;
/** The CLI cuts a longer error result, in characters. */
const LONGEST_LIVE_ERROR = 9_000;

/** No load was seen with more images and documents in a conversation. */
const MOST_LOADED_MEDIA = 100;

/** Why a live process cannot take this turn, in a few words for a log line; `undefined` when it can. */
export type Obstacle = string | undefined;

/** Of a turn that begins with words of the assistant. */
export const NOT_FROM_USER = 'the newest message is not from the user';

const TEXT_FIELDS: ReadonlySet<string> = new Set(['type', 'text', 'cache_control']);
/** The fields of a tool result that a held call takes. `cache_control` is one: Claude Code sets its own breakpoints. */
const RESULT_FIELDS: ReadonlySet<string> = new Set(['type', 'tool_use_id', 'content', 'is_error', 'cache_control']);

interface Row<Subject> {
  obstacle: string;
  applies: (subject: Subject) => boolean;
}

const RESULT_ROWS: ReadonlyArray<Row<ContentBlock>> = [
  { obstacle: 'empty tool result', applies: (block) => toolResultContent(block).length === 0 },
  {
    obstacle: 'tool result with something else than text',
    applies: (block) => toolResultContent(block).some((inner) => inner.type !== 'text' || hasExtras(inner)),
  },
  {
    obstacle: 'tool result with other fields',
    applies: (block) => Object.keys(block).some((key) => !RESULT_FIELDS.has(key)),
  },
  {
    obstacle: 'tool result with blank text',
    applies: (block) => toolResultContent(block).some((inner) => isBlank(String(inner.text))),
  },
  { obstacle: 'long tool result', applies: (block) => textLength(block) > LONGEST_LIVE_RESULT },
  {
    obstacle: 'error result of several blocks',
    applies: (block) => block.is_error === true && toolResultContent(block).length > 1,
  },
  {
    obstacle: 'error result with white space at its ends',
    applies: (block) =>
      block.is_error === true && toolResultContent(block).some(({ text }) => text !== String(text).trim()),
  },
  {
    obstacle: 'long error result',
    applies: (block) => block.is_error === true && textLength(block) > LONGEST_LIVE_ERROR,
  },
];

const USER_ROWS: ReadonlyArray<Row<ContentBlock>> = [
  {
    obstacle: 'user turn with something else than text',
    applies: (block) => block.type !== 'text' || hasExtras(block),
  },
];

/** What a load writes, the newest message included. */
const LOADED_ROWS: ReadonlyArray<Row<ContentBlock>> = [
  // Claude Code puts a label of its own behind it.
  { obstacle: 'an image in a user message', applies: ({ type }) => type === 'image' },
  { obstacle: 'text with other fields', applies: (block) => block.type === 'text' && hasExtras(block) },
  {
    obstacle: 'long tool result',
    applies: (block) => block.type === 'tool_result' && textLength(block) > LONGEST_LIVE_RESULT,
  },
];

/** Whether an idle process can take this user message as its next turn. */
export function obstacleToIdle(newest: Message): Obstacle {
  return firstObstacle(USER_ROWS, newest.content);
}

/** Whether a process that holds these tool_use ids, in this order, can take this user message as their results. */
export function obstacleToHeld(newest: Message, heldIds: readonly string[]): Obstacle {
  const results = newest.content.filter((block) => block.type === 'tool_result');
  if (results.length < newest.content.length) return 'content beside the tool results';
  const ids = results.map((block) => block.tool_use_id);
  if (ids.length !== heldIds.length || heldIds.some((id, index) => ids[index] !== id)) {
    return 'tool results in another order than the calls';
  }
  return firstObstacle(RESULT_ROWS, results);
}

/**
 * Whether a process can take these messages by a load.
 *
 * @param messages all of the request
 * @param toLoad how many of those before the newest are written into it: the last ones
 */
export function obstacleToLoad(messages: readonly Message[], toLoad: number): Obstacle {
  const newest = messages.at(-1);
  if (newest?.role !== 'user') return NOT_FROM_USER;
  const media = messages.reduce((sum, { content }) => sum + mediaIn(content), 0);
  if (media > MOST_LOADED_MEDIA) return `more than ${MOST_LOADED_MEDIA} images and documents`;
  for (const { content } of messages.slice(messages.length - 1 - toLoad)) {
    const obstacle = firstObstacle(LOADED_ROWS, content);
    if (obstacle !== undefined) return obstacle;
  }
  return undefined;
}

/** What no path carries, and why. */
export interface ReplayObstacle {
  /** The index of the block and the way within it, such as `[2, 'content', 0]`; empty for the content as a whole. */
  at: [] | [block: number, ...inner: Array<string | number>];
  problem: string;
}

/**
 * Why a replay, the most capable way, cannot carry a message; undefined if it can.
 *
 * @param isLast whether the model answers this message
 */
export function obstacleToReplay(message: Message, isLast: boolean): ReplayObstacle | undefined {
  if (message.role === 'user') return imageInErrorResult(message);
  return isLast ? lastWordsNotText(message) : undefined;
}

function imageInErrorResult({ content }: Message): ReplayObstacle | undefined {
  for (const [at, block] of content.entries()) {
    if (block.type !== 'tool_result' || block.is_error !== true) continue;
    const image = toolResultContent(block).findIndex((inner) => inner.type === 'image');
    if (image >= 0) return { at: [at, 'content', image], problem: 'an error result cannot hold an image' };
  }
  return undefined;
}

function lastWordsNotText({ content }: Message): ReplayObstacle | undefined {
  if (content.every((block) => block.type === 'text')) return undefined;
  return { at: [], problem: 'a final assistant message may hold text only; end with a user message' };
}

/** Models for which Claude Code carries 600 images and documents; for all others it drops the oldest beyond 100. */
const MANY_MEDIA = /^claude-(opus-4-[78]|opus-5|sonnet-5|haiku-5-5|fable-5)/;

/** The most images and documents that one request can carry to this model, with those in tool results. */
export function mostMedia(model: string): number {
  return MANY_MEDIA.test(model) ? 600 : 100;
}

export function isMedia({ type }: ContentBlock): boolean {
  return type === 'image' || type === 'document';
}

/** How many images and documents a message has, with those in its tool results. */
function mediaIn(content: readonly ContentBlock[]): number {
  const inner = content.flatMap((block) => (block.type === 'tool_result' ? toolResultContent(block) : [block]));
  return inner.filter(isMedia).length;
}

function firstObstacle(rows: ReadonlyArray<Row<ContentBlock>>, blocks: ContentBlock[]): Obstacle {
  return rows.find((row) => blocks.some(row.applies))?.obstacle;
}

function textLength(block: ContentBlock): number {
  return toolResultContent(block).reduce((length, inner) => length + String(inner.text ?? '').length, 0);
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}

function hasExtras(block: ContentBlock): boolean {
  return extrasOfText(block).length > 0;
}

/** The fields of a text block that not every path carries. */
export function extrasOfText(block: ContentBlock): string[] {
  return Object.keys(block).filter((key) => !TEXT_FIELDS.has(key));
}
