import type { Message } from '../../spec/messages.ts';

/** A user message to which a process can be rewound. */
export interface Point {
  /** Its index in the conversation. */
  at: number;
  uuid: string;
  /** The uuid of the last assistant line before it; null before the first message, undefined where it is not known. */
  behind: string | null | undefined;
}

/** A user message that a process was given. */
interface Given extends Point {
  /** Whether the process can be rewound to it: not to tool results alone, which belong to the calls before them. */
  isPoint: boolean;
}

/** The way to a conversation: what to rewind, and from which message on to load. */
export interface Way {
  /** The user message that goes, with all that follows it; absent when nothing has to go. */
  rewindTo?: Point;
  /** The index of the first message to load. */
  from: number;
}

/** The uuids of the messages of a process's conversation. A rewind names the message by its uuid. */
export class KnownMessages {
  #given: Given[] = [];
  /** The uuid of the line that the process was given after the last message, if any. That line is not a message. */
  #closing: string | undefined;
  /** The uuid of the last assistant line; undefined if it is not known. */
  #spoken: string | undefined;
  /** How many messages it holds, the model's answers included. */
  #held = 0;

  /** The uuid of the user message that it was given last. */
  get lastGiven(): string | undefined {
    return this.#closing ?? this.#given.at(-1)?.uuid;
  }

  /** The last user message to which it can be rewound; undefined if there is none. */
  get lastPoint(): Point | undefined {
    return this.#given.findLast(({ isPoint }) => isPoint);
  }

  /** It was given the message with this index as history. */
  addHistory({ role, content }: Message, at: number, uuid: string): void {
    this.#held = at + 1;
    this.#closing = undefined;
    if (role === 'user') {
      const behind = at === 0 ? null : this.#spoken;
      this.#given.push({ at, uuid, behind, isPoint: content.some(({ type }) => type !== 'tool_result') });
    } else this.#spoken = uuid;
  }

  /** It was given the message with this index, and answers it. */
  addTurn(message: Message, at: number, uuid: string): void {
    this.addHistory(message, at, uuid);
    this.#held = at + 2;
  }

  /** It answers the message with this index, which it gets as results of held calls and not as a line of its input. */
  addResults(at: number): void {
    this.#held = at + 2;
  }

  /** It has written a line of an answer, or one of which the uuid says nothing. */
  addSpoken(uuid: string | undefined): void {
    this.#spoken = uuid;
  }

  /** It was given a line after the last message that is not a message. */
  close(uuid: string): void {
    this.#closing = uuid;
  }

  /**
   * The shortest way to a conversation.
   *
   * @param shared how many of its first messages the process holds
   * @param isHolding whether it holds calls: then its last answer has to go, too, and only a rewind gives them up
   * @returns undefined if there is none
   */
  wayTo(shared: number, isHolding = false): Way | undefined {
    if (shared === this.#held && !isHolding) return { from: shared };
    const rewindTo = this.#given.findLast(({ at, isPoint }) => isPoint && at <= shared);
    return rewindTo && { rewindTo, from: rewindTo.at };
  }

  /** It was rewound to the user message with this index, which is gone. */
  cutBack(at: number): void {
    this.#spoken = this.#given.find((given) => given.at === at)?.behind ?? undefined;
    this.#given = this.#given.filter((given) => given.at < at);
    this.#closing = undefined;
    this.#held = at;
  }
}
