import { untilAborted } from '../async/until-aborted.ts';
import type { Agent } from '../spec/agent.ts';
import { failed } from '../spec/failures.ts';

type Leave = (isTidy?: Promise<unknown>) => void;

/**
 * Keeps turns of agents out of each other's way: the same turn does not run twice, and of those that change files, one at a time
 * runs in a workspace. An agent that only reads files may have servers of tools that do more.
 */
export class WorkspaceTurns {
  readonly #waitMs: number;
  /** Of each workspace in use, the end of the last turn that was let in or waits. */
  readonly #ends = new Map<string, Promise<void>>();
  readonly #running = new Set<string>();

  /** @param waitMs how long a turn waits for others */
  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /**
   * Lets a turn in: one that changes files when its workspace is free, any other at once.
   *
   * @param turn the whole conversation, with what tells it from others that look alike
   * @param signal aborts when the client has gone
   * @returns ends the turn; the next one is let in when what it is given resolves
   * @throws FailureError `agent_turn_running`, `workspace_busy`, `client_gone`
   */
  async enter({ name, level, workspace }: Agent, turn: string, signal: AbortSignal): Promise<Leave> {
    if (this.#running.has(turn)) throw failed('agent_turn_running', { agent: name });
    this.#running.add(turn);
    if (level === 'read') return () => void this.#running.delete(turn);
    const before = this.#ends.get(workspace) ?? Promise.resolve();
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const last = before.then(() => ended);
    this.#ends.set(workspace, last);
    const leave: Leave = (isTidy) => {
      this.#running.delete(turn);
      void isTidy?.then(end, end);
      if (!isTidy) end();
      void last.then(() => {
        if (this.#ends.get(workspace) === last) this.#ends.delete(workspace);
      });
    };
    try {
      await this.#wait(before, name, signal);
      return leave;
    } catch (error) {
      leave();
      throw error;
    }
  }

  async #wait(before: Promise<void>, agent: string, signal: AbortSignal): Promise<void> {
    const patience = AbortSignal.timeout(this.#waitMs);
    const isFree = await untilAborted(
      before.then(() => true),
      AbortSignal.any([signal, patience]),
      false,
    );
    if (signal.aborted) throw failed('client_gone');
    if (!isFree) throw failed('workspace_busy', { agent, seconds: this.#waitMs / 1000 });
  }
}
