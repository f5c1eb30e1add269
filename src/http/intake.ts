/** The bytes of a body that no other body can keep out: so much small requests may hold while large ones are received. */
const FREE_BYTES = 256 * 1024;

/** Counts the bytes of all bodies that are being received, so that many of them cannot fill the memory. */
export class Intake {
  readonly #most: number;
  #held = 0;

  /** @param most bytes of all bodies together, beside the first 256 KB of each */
  constructor(most: number) {
    this.#most = most;
  }

  /** Begins a body. */
  open(): BodyShare {
    let size = 0;
    let counted = 0;
    return {
      take: (bytes) => {
        size += bytes;
        const more = Math.max(0, size - FREE_BYTES) - counted;
        if (more > 0 && this.#held + more > this.#most) return false;
        counted += more;
        this.#held += more;
        return true;
      },
      release: () => {
        this.#held -= counted;
        counted = 0;
      },
    };
  }
}

/** What one body takes of an {@link Intake}. */
export interface BodyShare {
  /** Whether there is room for so many bytes more; if so, they are taken. */
  take(bytes: number): boolean;
  /** Gives back all that was taken. */
  release(): void;
}
