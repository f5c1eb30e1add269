import { randomUUID } from 'node:crypto';
import type { SessionStoreEntry } from '@anthropic-ai/claude-agent-sdk';
import { toolResultContent } from '../../conversation/canonical.ts';
import type { ContentBlock, Message } from '../../spec/messages.ts';
import { type Announcement, toSilentEntry } from '../announcements/announcement.ts';
import { TESTED } from '../environment/executable.ts';
import type { ToolNames } from '../parameters/tool-names.ts';

/** A whole conversation as a session that the SDK can resume. */
export interface Transcript {
  sessionId: string;
  entries: SessionStoreEntry[];
  /** Of the entries of the messages, in their order. */
  uuids: string[];
  /** Of the last entry. */
  closing: string;
}

/**
 * Builds a replay: a client's messages as a transcript, block for block. The empty user entry at its end makes the SDK go on
 * from the newest message and add no words of its own.
 *
 * @param messages no two user messages in a row
 * @param silenced the announcements that the process must not make
 */
export function toTranscript(
  messages: readonly Message[],
  model: string,
  cwd: string,
  names: ToolNames,
  silenced: readonly Announcement[] = [],
): Transcript {
  const closing: Message = { role: 'user', content: [] };
  const { sessionId, entries } = asTranscript(
    [...silenced.map(toSilentEntry), ...[...messages, closing].map((message) => toEntry(message, model, names))],
    cwd,
  );
  const uuids = entries.slice(silenced.length).map(({ uuid }) => String(uuid));
  return { sessionId, entries, uuids: uuids.slice(0, -1), closing: uuids.at(-1) as string };
}

/**
 * A client's messages as a transcript whose tokens are counted: nothing goes on from it.
 *
 * Behind a user message the SDK would put words of the assistant's. It does not where an entry follows that only people see.
 */
export function toCountedTranscript(
  messages: readonly Message[],
  model: string,
  cwd: string,
  names: ToolNames,
): Pick<Transcript, 'sessionId' | 'entries'> {
  const unseen: Message = { role: 'assistant', content: [{ type: 'text', text: '.' }] };
  return asTranscript(
    [
      ...messages.map((message) => toEntry(message, model, names)),
      { ...toEntry(unseen, model, names), isVirtual: true },
    ],
    cwd,
  );
}

/** The message that a spare forgets. */
export const FORGOTTEN: Message = { role: 'user', content: [{ type: 'text', text: '.' }] };

/**
 * A transcript with one exchange, which its process forgets before its first turn; the announcements in front of it stay.
 *
 * Without an exchange the SDK would put words of its own in front of the first turn.
 */
export function toForgottenTranscript(
  model: string,
  cwd: string,
  names: ToolNames,
  silenced: readonly Announcement[],
): Pick<Transcript, 'sessionId' | 'entries'> & { first: string } {
  const exchange: Message[] = [FORGOTTEN, { ...FORGOTTEN, role: 'assistant' }];
  const { sessionId, entries } = asTranscript(
    [...silenced.map(toSilentEntry), ...exchange.map((message) => toEntry(message, model, names))],
    cwd,
  );
  return { sessionId, entries, first: String(entries[silenced.length]?.uuid) };
}

/** What an entry of a transcript has besides its place. */
export type EntryContent = Pick<SessionStoreEntry, 'type'> & Record<string, unknown>;

export function toEntry(message: Message, model: string, names: ToolNames): EntryContent {
  return {
    type: message.role,
    message:
      message.role === 'user'
        ? { role: 'user', content: toModelContent(message, names) }
        : toAssistantMessage(message, model, names),
  };
}

function asTranscript(contents: readonly EntryContent[], cwd: string): Pick<Transcript, 'sessionId' | 'entries'> {
  const sessionId = randomUUID();
  let parentUuid: string | null = null;
  const entries: SessionStoreEntry[] = [];
  for (const content of contents) {
    const uuid = randomUUID();
    entries.push({
      parentUuid,
      isSidechain: false,
      ...content,
      uuid,
      timestamp: new Date().toISOString(),
      userType: 'external',
      cwd,
      sessionId,
      version: TESTED.claudeCode,
    });
    parentUuid = uuid;
  }
  return { sessionId, entries };
}

/** An assistant's message with what an answer of the model's has besides its blocks. */
export function toAssistantMessage(message: Message, model: string, names: ToolNames) {
  return {
    id: `msg_${randomUUID()}`,
    type: 'message',
    role: 'assistant',
    model,
    content: toModelContent(message, names),
    stop_reason: message.content.some((block) => block.type === 'tool_use') ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 0, output_tokens: 0 },
  };
}

/**
 * A message's blocks as a live process writes them, with the same order of keys. So the prompt keeps its prefix byte for byte
 * on every path, and the model's prompt cache holds.
 */
export function toModelContent(message: Message, names: ToolNames): ContentBlock[] {
  return message.content.map((block) => {
    const { cache_control: _, ...rest } = block;
    if (block.type === 'tool_use') {
      const { type, id, name, input, ...extras } = rest;
      return { type, id, name: names.toModel(String(name)), input, ...extras } as ContentBlock;
    }
    return block.type === 'tool_result' ? toModelResult(block) : (rest as ContentBlock);
  });
}

/** The CLI writes a result as a list of blocks, but an error's text as a string, with the keys in another order. */
function toModelResult(block: ContentBlock): ContentBlock {
  const { type, tool_use_id, content: given, is_error, cache_control: _, ...extras } = block;
  const content = toolResultContent(block).map(({ cache_control: __, ...inner }) => inner as ContentBlock);
  const [only] = content;
  if (is_error === true && content.length === 1 && only?.type === 'text') {
    return { type, content: only.text, is_error, tool_use_id, ...extras };
  }
  return {
    tool_use_id,
    type,
    ...(content.length > 0 || given !== undefined ? { content } : {}),
    ...(is_error === true ? { is_error } : {}),
    ...extras,
  };
}
