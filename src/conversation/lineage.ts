import { createHash, hash } from 'node:crypto';
import type { Message, MessagesRequest } from '../spec/messages.ts';
import { canonicalMessage, stableJson } from './canonical.ts';
import { carriedForm } from './carried-form.ts';

/** A running hash over canonical messages: equal lineage means the same conversation up to there. */
export type Lineage = string;

/** What identifies a conversation besides its messages. `callerId` keeps callers apart. */
export interface LineageRoot {
  callerId: string;
  model: string;
  system: string;
  /** The agent that has the conversation, and where it matters which of several alike ones this is, its id. */
  agent?: string | undefined;
}

/** The lineage of a conversation that has no messages yet. */
export function rootLineage(root: LineageRoot): Lineage {
  const { callerId, model, system, agent } = root;
  return digest([stableJson([callerId, model, system, ...(agent === undefined ? [] : [agent])])]);
}

/** The lineage after one more message. */
export function extendLineage(lineage: Lineage, message: Message): Lineage {
  return digest([lineage, '\n', ...canonicalMessage(message)]);
}

/**
 * The lineage after an answer, which the client will send back, and which then has its carried form.
 *
 * @param request that it answers
 */
export function extendLineageByAnswer(
  lineage: Lineage,
  { role, content }: Message,
  { agent }: Pick<MessagesRequest, 'agent'>,
): Lineage {
  const carried = { role, content: carriedForm(content).content };
  return extendLineage(lineage, agent ? asOneText(carried) : carried);
}

/**
 * An agent's answer as the lineage compares it. It has a text for each call of the model, and a client that only chats keeps one,
 * joined by whatever it likes: spaces and line breaks do not count.
 */
function asOneText({ role, content }: Message): Message {
  if (role !== 'assistant') return { role, content };
  const texts = content.flatMap(({ type, text }) => (type === 'text' ? [String(text)] : []));
  const others = content.filter(({ type }) => type !== 'text');
  return { role, content: [{ type: 'text', text: texts.join('').replaceAll(/\s+/g, '') }, ...others] };
}

/**
 * The lineages of a request's beginnings, in one pass: before its first message, behind its first, …, behind its newest, which is
 * that of the whole. The last but one is that of its history.
 *
 * @param session of an agent's conversation: others that look alike have other lineages then
 */
export function requestLineages(request: MessagesRequest, callerId: string, session?: string): Lineage[] {
  const { model, system, agent } = request;
  const name = agent && (session === undefined ? agent.name : stableJson([agent.name, session]));
  let lineage = rootLineage({ callerId, model, system, agent: name });
  const lineages = [lineage];
  for (const message of request.messages) {
    lineage = extendLineage(lineage, agent ? asOneText(message) : message);
    lineages.push(lineage);
  }
  return lineages;
}

/**
 * The lineages under which an agent's steps are kept. The system prompt is not in them: clients write the day's date into it, and
 * a conversation goes on tomorrow.
 */
export function stepLineages(request: MessagesRequest, callerId: string): Lineage[] {
  return requestLineages({ ...request, system: '' }, callerId);
}

/** How many messages two conversations have in common, from the first on; -1 if not even their beginning. */
export function sharedMessages(one: readonly Lineage[], other: readonly Lineage[]): number {
  // Each lineage hashes the one before, so that all are equal up to some place, and none behind it.
  let equal = -1;
  let different = Math.min(one.length, other.length);
  while (different - equal > 1) {
    const middle = (equal + different) >> 1;
    if (one[middle] === other[middle]) equal = middle;
    else different = middle;
  }
  return equal;
}

/** A longer text is hashed in slices: whole, it would be copied three times, in characters. */
const SLICE = 64 * 1024;

function digest(parts: readonly string[]): Lineage {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length <= SLICE) return hash('sha256', parts.join(''), 'base64url');
  const hasher = createHash('sha256');
  let short = '';
  for (const part of parts) {
    if (part.length <= SLICE) short += part;
    if (part.length > SLICE || short.length > SLICE) {
      hasher.update(short);
      short = '';
    }
    if (part.length > SLICE) for (const slice of slicesOf(part)) hasher.update(slice);
  }
  return hasher.update(short).digest('base64url');
}

/** Slices of about the length; none ends within a surrogate pair. */
function* slicesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const end = at + SLICE;
    const isInPair = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
    yield text.slice(at, isInPair ? end + 1 : end);
    at = isInPair ? end + 1 : end;
  }
}
