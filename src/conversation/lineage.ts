import { hash } from 'node:crypto';
import type { Message, MessagesRequest } from '../spec/messages.ts';
import { canonicalMessage, stableJson } from './canonical.ts';

/** A running hash over canonical messages: equal lineage means the same conversation up to there. */
export type Lineage = string;

/** What identifies a conversation besides its messages. `callerId` keeps callers apart. */
export interface LineageRoot {
  callerId: string;
  model: string;
  system: string;
}

/** The lineage of a conversation that has no messages yet. */
export function rootLineage(root: LineageRoot): Lineage {
  return digest(stableJson([root.callerId, root.model, root.system]));
}

/** The lineage after one more message. */
export function extendLineage(lineage: Lineage, message: Message): Lineage {
  return digest(`${lineage}\n${canonicalMessage(message)}`);
}

/** The lineages of a request: `history` before its newest message, `whole` with it. */
export function requestLineages(request: MessagesRequest, callerId: string): { history: Lineage; whole: Lineage } {
  let history = rootLineage({ callerId, model: request.model, system: request.system });
  for (const message of request.messages.slice(0, -1)) history = extendLineage(history, message);
  const newest = request.messages.at(-1);
  return { history, whole: newest ? extendLineage(history, newest) : history };
}

function digest(text: string): Lineage {
  return hash('sha256', text, 'base64url');
}
