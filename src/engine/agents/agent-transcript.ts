import { randomUUID } from 'node:crypto';
import { isThinking } from '../../conversation/carried-form.ts';
import type { Expansion } from '../../spec/agent.ts';
import type { Message } from '../../spec/messages.ts';
import { TESTED } from '../environment/executable.ts';
import { ToolNames } from '../parameters/tool-names.ts';
import { type EntryContent, toEntry } from '../replay/transcript.ts';
import { blocksOf, type Entry, entriesOf, hasMessage, hasOtherPrompt, type Prompt } from './expansion.ts';

/** A conversation of an agent as a session that the SDK can resume. */
export interface AgentTranscript {
  sessionId: string;
  entries: Entry[];
}

/** An agent has no tools of the client. */
export const NAMES = new ToolNames([]);

/**
 * Builds the transcript of a conversation's history. An answer whose steps are known has all of them; behind the first one whose
 * are not, no thinking stays: it is bound to what was before it. Nothing stays that brings an earlier system prompt back.
 *
 * @param history ends with an answer
 * @param expansions by the index of the answer
 * @param prompt of the process
 * @param before stands in front
 */
export function toAgentTranscript(
  history: readonly Message[],
  expansions: ReadonlyMap<number, Expansion>,
  { model, prompt, cwd, before }: { model: string; prompt: Prompt; cwd: string; before: readonly EntryContent[] },
): AgentTranscript {
  const chain = new Chain(cwd);
  chain.add(before);
  let isExact = true;
  for (const [index, message] of history.entries()) {
    // A question stands in the expansion of its answer.
    if (message.role === 'user') {
      if (!expansions.has(index + 1)) chain.add([toEntry(message, model, NAMES)]);
      continue;
    }
    const expansion = expansions.get(index);
    if (expansion) {
      const entries = entriesOf(expansion).filter((entry) => !hasOtherPrompt(entry, prompt));
      chain.addTurn(isExact ? entries : withoutThinking(entries));
    } else {
      isExact = false;
      const content = message.content.filter((block) => !isThinking(block));
      chain.add([toEntry({ role: 'assistant', content }, model, NAMES)]);
    }
  }
  return chain;
}

/**
 * Builds the transcript of a first turn behind entries that must stand in front of it: its process goes on from the message by
 * itself. See `toTranscript` for the empty message at the end.
 */
export function toFirstTranscript(
  message: Message,
  { model, cwd, before }: { model: string; cwd: string; before: readonly EntryContent[] },
): AgentTranscript {
  const chain = new Chain(cwd);
  const closing: Message = { role: 'user', content: [] };
  chain.add([...before, toEntry(message, model, NAMES), toEntry(closing, model, NAMES)]);
  return chain;
}

/** Entries, each behind another. */
class Chain implements AgentTranscript {
  readonly sessionId = randomUUID();
  readonly entries: Entry[] = [];
  readonly #cwd: string;

  constructor(cwd: string) {
    this.#cwd = cwd;
  }

  /** Adds entries in a row. */
  add(contents: readonly EntryContent[]): void {
    for (const content of contents) this.#push(content, this.#last);
  }

  /**
   * Adds the entries of a turn. They keep their parents, since parallel results have parents of their own; one whose parent was
   * not kept goes behind the entry before it.
   */
  addTurn(entries: readonly Entry[]): void {
    const ids = new Map<unknown, string>();
    for (const entry of entries) {
      ids.set(entry.uuid, this.#push(entry, ids.get(entry.parentUuid) ?? this.#last));
    }
  }

  get #last(): string | null {
    return this.entries.at(-1)?.uuid ?? null;
  }

  #push(content: EntryContent, parentUuid: string | null): string {
    const uuid = randomUUID();
    this.entries.push({
      isSidechain: false,
      timestamp: new Date().toISOString(),
      userType: 'external',
      version: TESTED.claudeCode,
      ...content,
      cwd: this.#cwd,
      uuid,
      parentUuid,
      sessionId: this.sessionId,
    });
    return uuid;
  }
}

/** The blocks of one answer are entries of their own, so that one with nothing but thinking goes. */
function withoutThinking(entries: readonly Entry[]): Entry[] {
  const gone = new Map<unknown, unknown>();
  const kept: Entry[] = [];
  for (const entry of entries) {
    const parentUuid = gone.get(entry.parentUuid) ?? entry.parentUuid;
    const content = hasMessage(entry) ? blocksOf(entry) : [];
    const rest = content.filter((block) => !isThinking(block));
    if (content.length > 0 && rest.length === 0) gone.set(entry.uuid, parentUuid);
    else if (rest.length < content.length) {
      kept.push({ ...entry, parentUuid, message: { ...(entry.message as object), content: rest } } as Entry);
    } else kept.push({ ...entry, parentUuid } as Entry);
  }
  return kept;
}
