// @ts-check

/** Remembers how to undo what was started, and undoes it in reverse order, once, whatever ends the run. */
export class Cleanup {
  /** @type {Array<() => unknown>} */
  #steps = [];

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

  /** Undoes everything that is left. */
  async run() {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) await step();
  }
}
