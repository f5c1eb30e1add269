import { badRequest } from '../spec/failure.ts';
import type { ContentBlock, Message } from '../spec/messages.ts';
import { isThinking, toolResultContent } from './canonical.ts';

/** Messages as a dialect decoded them: roles may repeat, and nothing has been checked beyond the shape of each block. */
export interface CheckedMessages {
  messages: Message[];
  /** Paths of what had to be left out, because the SDK cannot carry it and the model does not need it. */
  ignored: string[];
}

/**
 * Checks what the API would refuse and the SDK would repair in silence, and gives the messages the form that every path
 * carries: consecutive messages of one role are one, as the API itself joins them.
 *
 * @param messages with content as lists of blocks
 * @throws FailureError `bad_request`, naming the block: `messages.2.content.0: …`
 */
export function checkMessages(messages: readonly Message[]): CheckedMessages {
  if (messages.length === 0) throw badRequest('messages', 'at least one message is required');
  checkToolPairs(messages);
  const ignored: string[] = [];
  const joined: Message[] = [];
  for (const [index, message] of messages.entries()) {
    const path = `messages.${index}`;
    checkContent(message, path, index === messages.length - 1);
    if (message.role === 'assistant') {
      if (saysNothing(message)) {
        ignored.push(path);
        continue;
      }
      checkAssistantOrder(message, path, joined.at(-1));
    }
    const content = message.content.map((block, at) => withoutCitations(block, `${path}.content.${at}`, ignored));
    const previous = joined.at(-1);
    if (previous?.role === message.role) previous.content.push(...content);
    else joined.push({ role: message.role, content });
  }
  if (joined.length === 0)
    throw badRequest('messages', 'at least one message with content other than thinking is required');
  checkResultsFirst(joined);
  return { messages: joined, ignored };
}

function checkContent(message: Message, path: string, isLast: boolean): void {
  if (message.content.length === 0) throw badRequest(`${path}.content`, 'must have at least one content block');
  for (const [at, block] of message.content.entries()) {
    if (block.type === 'tool_result' && block.is_error === true) {
      const image = toolResultContent(block).findIndex((inner) => inner.type === 'image');
      if (image >= 0)
        throw badRequest(`${path}.content.${at}.content.${image}`, 'an error result cannot hold an image');
    }
    if (block.type !== 'text') continue;
    if (block.text === '') throw badRequest(`${path}.content.${at}.text`, 'text content blocks must be non-empty');
    if (String(block.text).trim() === '') {
      throw badRequest(`${path}.content.${at}.text`, 'text content blocks must contain non-whitespace text');
    }
  }
  if (isLast && message.role === 'assistant' && message.content.some((block) => block.type !== 'text')) {
    throw badRequest(`${path}.content`, 'a final assistant message may hold text only; end with a user message');
  }
}

/** What Claude Code itself writes where an assistant message has nothing to say; it leaves such messages out. */
const PLACEHOLDER = '(no content)';

function saysNothing({ content }: Message): boolean {
  const said = content.filter((block) => !isThinking(block));
  return said.length === 0 || (said.length === 1 && String(said[0]?.text).trim() === PLACEHOLDER);
}

/** Every tool_use has its one tool_result in the next user turn, every tool_result its tool_use, and ids are unique. */
function checkToolPairs(messages: readonly Message[]): void {
  const seen = new Set<string>();
  let open = new Map<string, string>();
  const assertClosed = () => {
    for (const [id, path] of open) {
      throw badRequest(path, `tool_use \`${id}\` has no tool_result in the user message after it`);
    }
  };
  for (const [index, message] of messages.entries()) {
    if (message.role === 'assistant') {
      const continues = messages[index - 1]?.role === 'assistant';
      if (!continues) {
        assertClosed();
        open = new Map();
      }
    }
    for (const [at, block] of message.content.entries()) {
      const path = `messages.${index}.content.${at}`;
      if (block.type === 'tool_use') {
        const id = String(block.id);
        if (message.role !== 'assistant') throw badRequest(path, 'tool_use blocks belong in assistant messages');
        if (seen.has(id)) throw badRequest(`${path}.id`, `tool_use ids must be unique, \`${id}\` was used before`);
        seen.add(id);
        open.set(id, path);
      } else if (block.type === 'tool_result') {
        const id = String(block.tool_use_id);
        if (message.role !== 'user') throw badRequest(path, 'tool_result blocks belong in user messages');
        if (!open.delete(id)) {
          throw badRequest(
            `${path}.tool_use_id`,
            `no tool_use \`${id}\` waits for a result in the assistant message before`,
          );
        }
      }
    }
  }
  assertClosed();
}

/** The SDK would move text behind a tool_use in front of it, also that of an assistant message that follows one. */
function checkAssistantOrder(message: Message, path: string, previous: Message | undefined): void {
  const isAfterToolUse = previous?.role === 'assistant' && previous.content.at(-1)?.type === 'tool_use';
  const firstToolUse = isAfterToolUse ? -1 : message.content.findIndex((block) => block.type === 'tool_use');
  if (firstToolUse < 0 && !isAfterToolUse) return;
  const at = message.content.findIndex((block, index) => index > firstToolUse && block.type !== 'tool_use');
  if (at >= 0) {
    throw badRequest(`${path}.content.${at}`, 'nothing but tool_use blocks can follow a tool_use; put it before');
  }
}

/** The API takes tool results at the head of a user turn only. */
function checkResultsFirst(messages: readonly Message[]): void {
  for (const [index, message] of messages.entries()) {
    const firstOther = message.content.findIndex((block) => block.type !== 'tool_result');
    if (message.role !== 'user' || firstOther < 0) continue;
    if (message.content.some((block, at) => at > firstOther && block.type === 'tool_result')) {
      throw badRequest(`messages.${index}.content`, 'tool_result blocks must come before all other content');
    }
  }
}

function withoutCitations(block: ContentBlock, path: string, ignored: string[]): ContentBlock {
  if (block.type !== 'text' || !Array.isArray(block.citations)) return block;
  const { citations, ...text } = block;
  if (block.citations.length > 0) ignored.push(`${path}.citations`);
  return text;
}
