import type { ContentBlock, Message, MessagesRequest } from '../spec/messages.ts';
import type { LogFields } from './log.ts';

/** The most characters of the list of messages; a value of the log has no more than 500. */
const MOST = 450;

/**
 * What a request looks like without what it says: the roles of its messages, and the kinds and sizes of their blocks. The
 * newest messages come last; where not all have room, the oldest are left out.
 */
export function shapesOf({ system, tools, messages }: MessagesRequest): LogFields {
  let list = '';
  let shown = 0;
  for (const message of [...messages].reverse()) {
    const longer = shown === 0 ? shapeOf(message) : `${shapeOf(message)}, ${list}`;
    if (shown > 0 && longer.length > MOST) break;
    list = longer;
    shown += 1;
  }
  return {
    system: system.length,
    tools: tools.length,
    before: messages.length - shown || undefined,
    messages: list,
  };
}

/** `user text:12 image:90214`: the size is that of the text, else of the block as JSON, in characters. */
function shapeOf({ role, content }: Message): string {
  return [role, ...content.map((block) => `${kindOf(block)}:${sizeOf(block)}`)].join(' ');
}

/** A client can invent a kind. */
function kindOf({ type }: ContentBlock): string {
  return /^\w{1,40}$/.test(type) ? type : 'unknown';
}

function sizeOf(block: ContentBlock): number {
  const text = block.text ?? block.thinking;
  return typeof text === 'string' ? text.length : JSON.stringify(block).length;
}
