import type { ClientTool, Message, MessagesRequest } from './messages.ts';

/**
 * A part of a request. Its tokens are counted apart from the rest; those of a request are the sum over its parts.
 *
 * - `messages`: all messages of a request that has nothing else
 * - `text`: the same, of one user message with one text
 * - `system`: what a system prompt adds to a request
 * - `tools`: what tools add to a request
 */
export type CountedPart =
  | { kind: 'messages'; messages: readonly Message[] }
  | { kind: 'text'; text: string }
  | { kind: 'system'; text: string }
  | { kind: 'tools'; tools: readonly ClientTool[] };

type PartOf<Kind extends CountedPart['kind']> = Extract<CountedPart, { kind: Kind }>;

/** For which model a process counts, and by which way the request has come. */
export type CountedFor = Pick<MessagesRequest, 'model' | 'via'>;

/** The places in which one process counts parts. */
export interface CountedPlaces {
  /** Its system prompt. */
  prompt?: PartOf<'system' | 'text'>;
  /** Its conversation. */
  conversation?: PartOf<'messages' | 'text'>;
  /** Its tools. */
  tools?: PartOf<'tools'>;
}

/** The tokens of the part in each place; absent where the API did not count. */
export type PlaceCounts = { [Place in keyof CountedPlaces]?: number | undefined };
