// @ts-check

/** Remembers how to undo what was started, and undoes it in reverse order, once, whatever ends the run. */
export class Cleanup {
  /** @type {Array<() => unknown>} */
  #steps = [];
  /** @type {Promise<void> | undefined} */
  #run;

  /** Whether everything is being undone, so that what fails now fails for that reason. */
  get hasBegun() {
    return this.#run !== undefined;
  }

  /**
   * Ask before anything is started that would have to be undone.
   *
   * @throws when it would be too late for that
   */
  assertOpen() {
    if (this.hasBegun) throw new Error('the run is being ended');
  }

  /**
   * @param {() => unknown} step may return a promise
   * @returns {() => Promise<void>} undoes this one now
   */
  add(step) {
    this.#steps.push(step);
    return async () => {
      const at = this.#steps.indexOf(step);
      if (at < 0) return;
      this.#steps.splice(at, 1);
      await step();
    };
  }

  /** Undoes everything that is left; who asks again waits for the same end. */
  run() {
    this.#run ??= this.#undoAll();
    return this.#run;
  }

  async #undoAll() {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) await step();
  }
}
