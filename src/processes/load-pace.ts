/** What takes a load: a process that had a conversation, or a spare. */
export type Onto = 'used' | 'spare';

/** The averages before the first measure, in milliseconds: what a machine of two cores took. */
const FIRST_GUESS = { new: 300, used: 20, spare: 70, message: 8 };
/** No process is up sooner, in milliseconds. */
const LEAST_NEW_MS = 50;
/** How much of an average the latest measure is. */
const WEIGHT = 0.1;
/** A measure counts as no more than so many times the average, so that one slow load does not decide. */
const MOST_TIMES = 4;
/**
 * The part of the way back to the first guess that the average goes each time it argues against a load. Otherwise one slow
 * phase would rule loads out for ever: what is never made is never measured.
 */
const FORGETTING = 0.02;

/** Measures how long loads and new processes take of late, to tell which is quicker for a request. */
export class LoadPace {
  readonly #ms = { ...FIRST_GUESS };

  /** A new process is up. */
  cameUp(ms: number): void {
    this.#learn('new', ms);
  }

  /** A load has been made. */
  loaded(onto: Onto, messages: number, ms: number): void {
    if (messages === 0) this.#learn(onto, ms);
    else this.#learn('message', Math.max(0, ms - this.#ms[onto]) / messages);
  }

  /** Whether a load of so many messages is expected to be quicker than a new process. */
  isQuicker(onto: Onto, messages: number): boolean {
    const isQuicker = this.#ms[onto] + messages * this.#ms.message < Math.max(this.#ms.new, LEAST_NEW_MS);
    if (!isQuicker) {
      this.#fade(onto);
      this.#fade('message');
    }
    return isQuicker;
  }

  #learn(what: keyof typeof FIRST_GUESS, ms: number): void {
    const average = this.#ms[what];
    // An average near nothing could never grow by a multiple of itself.
    const most = MOST_TIMES * Math.max(average, FIRST_GUESS[what] / MOST_TIMES);
    this.#ms[what] = average + WEIGHT * (Math.min(ms, most) - average);
  }

  #fade(what: keyof typeof FIRST_GUESS): void {
    this.#ms[what] += FORGETTING * (FIRST_GUESS[what] - this.#ms[what]);
  }
}
