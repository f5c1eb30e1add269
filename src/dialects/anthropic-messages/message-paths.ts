import type { MessagePaths } from '../../conversation/check-messages.ts';

/** The paths of the message at an index, in a body of the Messages API. Made on demand: most requests need none. */
export class IndexedPaths implements MessagePaths {
  readonly #index: number;

  constructor(index: number) {
    this.#index = index;
  }

  get message(): string {
    return `messages.${this.#index}`;
  }

  get content(): string {
    return `${this.message}.content`;
  }

  block(at: number, ...inner: Array<string | number>): string {
    return [this.content, at, ...inner].join('.');
  }
}
