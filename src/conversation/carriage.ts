import type { ContentBlock, Message } from '../spec/messages.ts';
import { toolResultContent } from './canonical.ts';

/**
 * What a live process carries unaltered. Everything else reaches the model by replay, which carries it exactly.
 *
 * Each row was seen with the Agent SDK that the project pins; the contract tests hold them.
 */

/** A tool result's text beyond this many characters would be written to a file and cut. */
const LONGEST_LIVE_RESULT = 400_000;
/** An error result's text beyond this many characters would be cut. */
const LONGEST_LIVE_ERROR = 9_000;

/** Why a live process cannot take this turn, in a few words for a log line; `undefined` when it can. */
export type Obstacle = string | undefined;

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

function firstObstacle(rows: ReadonlyArray<Row<ContentBlock>>, blocks: ContentBlock[]): Obstacle {
  return rows.find((row) => blocks.some(row.applies))?.obstacle;
}

function textLength(block: ContentBlock): number {
  return toolResultContent(block).reduce((length, inner) => length + String(inner.text ?? '').length, 0);
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}

/** Fields that a text block may have and the live paths would drop. */
function hasExtras(block: ContentBlock): boolean {
  return Object.keys(block).some((key) => key !== 'type' && key !== 'text' && key !== 'cache_control');
}
