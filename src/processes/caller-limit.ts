import type { Caller } from '../spec/caller.ts';
import { failed } from '../spec/failures.ts';

/**
 * Counts each caller's open turns. Here the gateway's own 429 is decided: the caller has as many as its limit allows. A 429 of
 * the model's API comes through `engine/turn/upstream-failure` or `read-limits`.
 */
export class CallerTurns {
  readonly #open = new Map<Caller['id'], number>();

  /**
   * Opens a turn.
   *
   * @returns ends the turn; a second call does nothing
   * @throws FailureError `caller_at_limit`, a 429
   */
  enter({ id, limits }: Caller): () => void {
    const open = this.#open.get(id) ?? 0;
    if (open >= limits.turns) throw failed('caller_at_limit', { turns: limits.turns });
    this.#open.set(id, open + 1);
    let hasLeft = false;
    return () => {
      if (hasLeft) return;
      hasLeft = true;
      const left = (this.#open.get(id) ?? 1) - 1;
      if (left > 0) this.#open.set(id, left);
      else this.#open.delete(id);
    };
  }
}
