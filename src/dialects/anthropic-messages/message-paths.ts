import type { MessagePaths } from '../../conversation/check-messages.ts';

/** Where the message at an index stands in a body of the Messages API; most requests ask for no path at all. */
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
