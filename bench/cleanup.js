// @ts-check

/** Remembers how to undo what a run started, and undoes it once, in reverse order, whatever ends the run. */
export class Cleanup {
  /** @type {Array<() => unknown>} */
  #steps = [];
  /** @type {Promise<void> | undefined} */
  #run;

  /** Whether the undoing has begun; a failure after that comes from it. */
  get hasBegun() {
    return this.#run !== undefined;
  }

  /**
   * Call it before you start anything that must be undone.
   *
   * @throws when the undoing has begun
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

  /** Undoes everything that is left; a second call waits for the first. */
  run() {
    this.#run ??= this.#undoAll();
    return this.#run;
  }

  async #undoAll() {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) await step();
  }
}
