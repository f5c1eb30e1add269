import { promisify } from 'node:util';
import { gunzipSync, gzip } from 'node:zlib';
import type { SessionStoreEntry } from '@anthropic-ai/claude-agent-sdk';
import type { Expansion } from '../../spec/agent.ts';
import type { ContentBlock } from '../../spec/messages.ts';

/** An entry of a transcript that is a part of the conversation. */
export type Entry = SessionStoreEntry & { uuid: string };

/** An entry with a message. */
export type MessageEntry = Entry & { message: { id?: string; role: string; content: ContentBlock[] | string } };

/** Who owns the account, and its organisation: no store ever has them. */
const PERSONAL: ReadonlySet<unknown> = new Set(['session_context', 'credential_org']);

/** Whether an announcement tells who owns the account. */
export function isPersonal({ type }: { type: unknown }): boolean {
  return PERSONAL.has(type);
}

/** Whether an entry is a part of the agent's own conversation, and may be kept. */
export function isKept(entry: SessionStoreEntry): entry is Entry {
  if (typeof entry.uuid !== 'string' || entry.isSidechain === true) return false;
  return !isPersonal((entry.attachment ?? {}) as { type: unknown });
}

/** The system prompt of a process. */
export interface Prompt {
  system: string;
  /** Whether Claude Code's own long prompt stands in front. */
  usesPreset: boolean;
}

/**
 * Whether an entry would put another system prompt in the place of the one that its process gets: Claude Code writes down which one
 * it has used, and uses that again.
 */
export function hasOtherPrompt({ attachment }: Entry, { system, usesPreset }: Prompt): boolean {
  const { type, systemPrompt } = (attachment ?? {}) as { type?: unknown; systemPrompt?: unknown };
  if (type !== 'prompt_snapshot' || !Array.isArray(systemPrompt)) return false;
  const last = String(systemPrompt.findLast((text) => text !== '') ?? '');
  return usesPreset ? !last.endsWith(system) : last !== system;
}

export function hasMessage(entry: Entry): entry is MessageEntry {
  return (entry.type === 'user' || entry.type === 'assistant') && entry.message !== undefined;
}

/** The blocks of an entry's message; none of a text. */
export function blocksOf({ message }: MessageEntry): ContentBlock[] {
  return Array.isArray(message.content) ? message.content : [];
}

// Images make some of them large, and other turns would wait for it.
const compress = promisify<string, Buffer>(gzip);

/** The entries of one turn, from its user message on, as bytes. */
export function toExpansion(entries: readonly Entry[]): Promise<Expansion> {
  return compress(JSON.stringify(entries));
}

export function entriesOf(expansion: Expansion): Entry[] {
  return JSON.parse(gunzipSync(expansion).toString('utf8'));
}

/**
 * The entries without calls that have no result, and without what follows them: a process that resumed such a call would go on
 * by itself.
 */
export function withoutOpenCalls(entries: readonly Entry[]): Entry[] {
  const done = new Set(
    entries
      .filter(hasMessage)
      .flatMap(blocksOf)
      .filter(({ type }) => type === 'tool_result')
      .map(({ tool_use_id }) => tool_use_id),
  );
  const open = entries.find(
    (entry) => hasMessage(entry) && blocksOf(entry).some(({ type, id }) => type === 'tool_use' && !done.has(id)),
  );
  if (!open || !hasMessage(open)) return [...entries];
  // The blocks of one answer are entries of their own.
  const first = entries.findIndex((entry) => hasMessage(entry) && entry.message.id === open.message.id);
  return entries.slice(0, first);
}
