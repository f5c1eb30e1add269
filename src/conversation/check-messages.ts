import { badRequest, type FailureError } from '../spec/failures.ts';
import type { ContentBlock, Message } from '../spec/messages.ts';
import { toolResultContent } from './canonical.ts';
import { isMedia, mostMedia, obstacleToReplay, type ReplayObstacle } from './carriage.ts';
import { carriedForm, isBlank, isThinking } from './carried-form.ts';
import { foldReminders, toReminder } from './reminders.ts';

/** A message as a dialect decoded it: roles may repeat, and only the shape of each block has been checked. */
export interface DecodedMessage {
  /** `system`: an instruction between turns, of text blocks. */
  role: Message['role'] | 'system';
  content: ContentBlock[];
  paths: MessagePaths;
}

/** Where a message stands in the client's own body, so that an error names what the client sent. */
export interface MessagePaths {
  /** Such as `messages.2`. */
  readonly message: string;
  /** Its content as a whole, such as `messages.2.content`. */
  readonly content: string;
  /**
   * A block, such as `messages.2.content.0` or `messages.2.tool_calls.0`, or a part of it.
   *
   * @param at the block's index in `content`
   * @param inner the way to a part of the block, in the names of the Messages API: `'tool_use_id'`, or `'content', 1`
   */
  block(at: number, ...inner: Array<string | number>): string;
}

export interface CheckedMessages {
  messages: Message[];
  /** Paths of what was left out: the SDK cannot carry it, and the model does not need it. */
  ignored: string[];
  /** Paths of what reaches the model in another form. */
  converted: string[];
}

/**
 * Refuses what the API would refuse and the SDK would repair in silence. Brings the messages into the form that every path
 * carries: joins consecutive messages of one role, as the API does.
 *
 * @param path where the list of messages stands in the client's own body
 * @param model decides how many images and documents can be carried
 * @throws FailureError `bad_request`, naming the block: `messages.2.content.0: …`
 */
export function checkMessages(messages: readonly DecodedMessage[], path: string, model: string): CheckedMessages {
  if (messages.length === 0) throw badRequest(path, 'at least one message is required');
  checkToolPairs(messages);
  const ignored: string[] = [];
  const converted: string[] = [];
  const reminders = new Set<ContentBlock>();
  const joined: Message[] = [];
  /** The assistant's words since the last of somebody else, and where each block came from. */
  let said: Array<{ block: ContentBlock; at: number; paths: MessagePaths }> = [];
  const closeAssistant = () => {
    if (said.length === 0) return;
    const { content, left, converted: changed } = carriedForm(said.map(({ block }) => block));
    if (saysNothing(content)) {
      for (const message of new Set(said.map(({ paths }) => paths.message))) ignored.push(message);
    } else {
      for (const [index, ...field] of left) {
        const from = said[index];
        if (from) ignored.push(from.paths.block(from.at, ...field));
      }
      for (const message of new Set(changed.map((index) => said[index]?.paths.message))) {
        if (message !== undefined) converted.push(message);
      }
      append(joined, 'assistant', content);
    }
    said = [];
  };
  for (const [index, message] of messages.entries()) {
    const { paths } = message;
    const isLast = index === messages.length - 1;
    if (message.role === 'assistant') {
      if (isLast) checkBlankText(message);
      const obstacle = obstacleToReplay({ role: 'assistant', content: message.content }, isLast);
      if (obstacle) throw refusedAt(paths, obstacle);
      if (saysNothing(message.content)) ignored.push(paths.message);
      else for (const [at, block] of message.content.entries()) said.push({ block, at, paths });
      continue;
    }
    closeAssistant();
    if (message.role === 'system') {
      checkBlankText(message);
      converted.push(paths.message);
      const blocks = message.content.map(toReminder);
      for (const block of blocks) reminders.add(block);
      if (blocks.length > 0) append(joined, 'user', blocks);
      continue;
    }
    if (message.content.length === 0) throw badRequest(paths.content, 'must have at least one content block');
    checkBlankText(message);
    const obstacle = obstacleToReplay({ role: 'user', content: message.content }, isLast);
    if (obstacle) throw refusedAt(paths, obstacle);
    const content = message.content.map((block, at) => {
      if (hasToolReferences(block)) converted.push(paths.block(at));
      return withoutToolReferences(block);
    });
    append(joined, 'user', content);
  }
  closeAssistant();
  if (joined.length === 0) {
    throw badRequest(path, 'at least one message with content other than thinking is required');
  }
  checkMedia(messages, model);
  checkResultsFirst(messages);
  for (const message of joined) message.content = foldReminders(message.content, reminders);
  return { messages: joined, ignored, converted };
}

/** Names the first image or document beyond the limit. */
function checkMedia(messages: readonly DecodedMessage[], model: string): void {
  const most = mostMedia(model);
  let count = 0;
  for (const { content, paths } of messages) {
    for (const [at, block] of content.entries()) {
      const inner = block.type === 'tool_result' ? toolResultContent(block) : [block];
      count += inner.filter(isMedia).length;
      if (count > most) {
        throw badRequest(
          paths.block(at),
          `Claude Code carries ${most} images and documents of one request to this model; leave out the older ones`,
        );
      }
    }
  }
}

/** Joins the content to the last message if that has this role; else adds a message. */
function append(messages: Message[], role: Message['role'], content: ContentBlock[]): void {
  const last = messages.at(-1);
  if (last?.role !== role) {
    messages.push({ role, content: [...content] });
    return;
  }
  // Neither `concat`, which copies all of a growing list each time, nor a spread, whose items lie on the stack.
  for (const block of content) last.content.push(block);
}

function refusedAt(paths: MessagePaths, { at: [at, ...inner], problem }: ReplayObstacle): FailureError {
  return badRequest(at === undefined ? paths.content : paths.block(at, ...inner), problem);
}

/**
 * Refuses blank text, as the API does. Not for the assistant's earlier messages, where it is left out: models write blank lines,
 * and every answer that was handed out must be taken back.
 */
function checkBlankText({ content, paths }: DecodedMessage): void {
  for (const [at, block] of content.entries()) {
    if (!isBlank(block)) continue;
    if (block.text === '') throw badRequest(paths.block(at, 'text'), 'text content blocks must be non-empty');
    throw badRequest(paths.block(at, 'text'), 'text content blocks must contain non-whitespace text');
  }
}

/** Claude Code writes these for an assistant message with nothing to say, and leaves such messages out. */
const PLACEHOLDERS: ReadonlySet<string> = new Set(['(no content)', '[Empty text removed]']);

function saysNothing(content: readonly ContentBlock[]): boolean {
  return content.every(
    (block) =>
      isThinking(block) || isBlank(block) || (block.type === 'text' && PLACEHOLDERS.has(String(block.text).trim())),
  );
}

/** Each tool_use needs exactly one tool_result in the next user turn, each tool_result its tool_use; ids are unique. */
function checkToolPairs(messages: readonly DecodedMessage[]): void {
  const seen = new Set<string>();
  let open = new Map<string, { at: number; paths: MessagePaths }>();
  const assertClosed = () => {
    for (const [id, { at, paths }] of open) {
      throw badRequest(paths.block(at), `tool_use \`${id}\` has no tool_result in the user message after it`);
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
    const { paths } = message;
    for (const [at, block] of message.content.entries()) {
      if (block.type === 'tool_use') {
        const id = String(block.id);
        if (message.role !== 'assistant') {
          throw badRequest(paths.block(at), 'tool_use blocks belong in assistant messages');
        }
        if (seen.has(id)) {
          throw badRequest(paths.block(at, 'id'), `tool_use ids must be unique, \`${id}\` was used before`);
        }
        seen.add(id);
        open.set(id, { at, paths });
      } else if (block.type === 'tool_result') {
        const id = String(block.tool_use_id);
        if (message.role !== 'user') throw badRequest(paths.block(at), 'tool_result blocks belong in user messages');
        if (!open.delete(id)) {
          throw badRequest(
            paths.block(at, 'tool_use_id'),
            `no tool_use \`${id}\` waits for a result in the assistant message before`,
          );
        }
      }
    }
  }
  assertClosed();
}

/**
 * The API takes tool results only at the head of a user turn. Consecutive user messages are one turn; what a system message
 * says among the results may stand there.
 */
function checkResultsFirst(messages: readonly DecodedMessage[]): void {
  let hasOther = false;
  for (const { role, content, paths } of messages) {
    if (role === 'assistant') hasOther = false;
    if (role !== 'user') continue;
    for (const { type } of content) {
      if (type !== 'tool_result') hasOther = true;
      else if (hasOther) throw badRequest(paths.content, 'tool_result blocks must come before all other content');
    }
  }
}

function hasToolReferences(block: ContentBlock): boolean {
  return block.type === 'tool_result' && toolResultContent(block).some(({ type }) => type === 'tool_reference');
}

/** A result of a client's own tool search names the tools that it found; the request's tools must have them. */
function withoutToolReferences(block: ContentBlock): ContentBlock {
  if (!hasToolReferences(block)) return block;
  return {
    ...block,
    content: toolResultContent(block).map((inner) =>
      inner.type === 'tool_reference' ? { type: 'text', text: `The tool ${inner.tool_name} is loaded.` } : inner,
    ),
  };
}
