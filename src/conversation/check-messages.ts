import { badRequest } from '../spec/failures.ts';
import type { ContentBlock, Message } from '../spec/messages.ts';
import { isThinking, toolResultContent } from './canonical.ts';
import { isMedia, mostMedia, obstacleToReplay } from './carriage.ts';
import { foldReminders, toReminder } from './reminders.ts';

/** A message as a dialect decoded it: roles may repeat, and nothing has been checked beyond the shape of each block. */
export interface DecodedMessage {
  /** `system`: an instruction between turns, of text blocks. */
  role: Message['role'] | 'system';
  content: ContentBlock[];
}

export interface CheckedMessages {
  messages: Message[];
  /** Paths of what had to be left out, because the SDK cannot carry it and the model does not need it. */
  ignored: string[];
  /** Paths of what reaches the model in another form. */
  converted: string[];
}

/**
 * Checks what the API would refuse and the SDK would repair in silence, and gives the messages the form that every path
 * carries: consecutive messages of one role are one, as the API itself joins them.
 *
 * @param messages with content as lists of blocks
 * @param model decides how many images and documents can be carried
 * @throws FailureError `bad_request`, naming the block: `messages.2.content.0: …`
 */
export function checkMessages(messages: readonly DecodedMessage[], model: string): CheckedMessages {
  if (messages.length === 0) throw badRequest('messages', 'at least one message is required');
  checkToolPairs(messages);
  const ignored: string[] = [];
  const converted: string[] = [];
  const reminders = new Set<ContentBlock>();
  const joined: Message[] = [];
  for (const [index, message] of messages.entries()) {
    const path = `messages.${index}`;
    if (message.role !== 'system' || message.content.length > 0) checkContent(message, path);
    if (message.role === 'system') {
      converted.push(path);
      const blocks = message.content.map(toReminder);
      for (const block of blocks) reminders.add(block);
      if (blocks.length > 0) append(joined, 'user', blocks);
      continue;
    }
    const isLast = index === messages.length - 1;
    const obstacle = obstacleToReplay({ role: message.role, content: message.content }, joined.at(-1), isLast);
    if (obstacle) throw badRequest(`${path}.content${obstacle.at}`, obstacle.problem);
    if (message.role === 'assistant' && saysNothing(message)) {
      ignored.push(path);
      continue;
    }
    const content = message.content.map((block, at) =>
      withoutToolReferences(
        withoutCitations(block, `${path}.content.${at}`, ignored),
        `${path}.content.${at}`,
        converted,
      ),
    );
    append(joined, message.role, content);
  }
  if (joined.length === 0)
    throw badRequest('messages', 'at least one message with content other than thinking is required');
  for (const message of joined) message.content = foldReminders(message.content, reminders);
  checkMedia(messages, model);
  checkResultsFirst(joined);
  return { messages: joined, ignored, converted };
}

/** The first image or document too many is named. */
function checkMedia(messages: readonly DecodedMessage[], model: string): void {
  const most = mostMedia(model);
  let count = 0;
  for (const [index, { content }] of messages.entries()) {
    for (const [at, block] of content.entries()) {
      const inner = block.type === 'tool_result' ? toolResultContent(block) : [block];
      count += inner.filter(isMedia).length;
      if (count > most) {
        throw badRequest(
          `messages.${index}.content.${at}`,
          `Claude Code carries ${most} images and documents of one request to this model; leave out the older ones`,
        );
      }
    }
  }
}

/** To the last message, if it is of this role; else as a new one. */
function append(messages: Message[], role: Message['role'], content: ContentBlock[]): void {
  const last = messages.at(-1);
  if (last?.role === role) last.content = last.content.concat(content);
  else messages.push({ role, content });
}

function checkContent(message: DecodedMessage, path: string): void {
  if (message.content.length === 0) throw badRequest(`${path}.content`, 'must have at least one content block');
  for (const [at, block] of message.content.entries()) {
    if (block.type !== 'text') continue;
    if (block.text === '') throw badRequest(`${path}.content.${at}.text`, 'text content blocks must be non-empty');
    if (String(block.text).trim() === '') {
      throw badRequest(`${path}.content.${at}.text`, 'text content blocks must contain non-whitespace text');
    }
  }
}

/** What Claude Code itself writes where an assistant message has nothing to say; it leaves such messages out. */
const PLACEHOLDER = '(no content)';

function saysNothing({ content }: DecodedMessage): boolean {
  const said = content.filter((block) => !isThinking(block));
  return said.length === 0 || (said.length === 1 && String(said[0]?.text).trim() === PLACEHOLDER);
}

/** Every tool_use has its one tool_result in the next user turn, every tool_result its tool_use, and ids are unique. */
function checkToolPairs(messages: readonly DecodedMessage[]): void {
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

/** A client that searches its own tools says in a result which ones it has found; they are in the request's tools then. */
function withoutToolReferences(block: ContentBlock, path: string, converted: string[]): ContentBlock {
  const content = block.type === 'tool_result' ? toolResultContent(block) : [];
  if (!content.some(({ type }) => type === 'tool_reference')) return block;
  converted.push(path);
  return {
    ...block,
    content: content.map((inner) =>
      inner.type === 'tool_reference' ? { type: 'text', text: `The tool ${inner.tool_name} is loaded.` } : inner,
    ),
  };
}
