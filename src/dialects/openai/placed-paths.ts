import type { MessagePaths } from '../../conversation/check-messages.ts';

/** The paths of a message whose blocks stand in several places of the client's body. */
export class PlacedPaths implements MessagePaths {
  readonly message: string;
  readonly content: string;
  readonly #blocks: readonly string[];

  /** @param blocks the path of each block */
  constructor(message: string, blocks: readonly string[], content = message) {
    this.message = message;
    this.content = content;
    this.#blocks = blocks;
  }

  /** A part of a block has its block's path: OpenAI's names for parts are others. */
  block(at: number): string {
    return this.#blocks[at] ?? this.message;
  }
}
