import type { PlanLimits, PlanWindow } from '../spec/plan-limits.ts';

/**
 * What is known of a plan's limits: the newest that any process has told. Each process tells only what has changed since it
 * told the last time, so each window keeps its own newest values.
 */
export class KnownLimits {
  #known: PlanLimits | undefined;

  hear(heard: PlanLimits): void {
    const windows = { ...this.#known?.windows };
    for (const [name, window] of Object.entries(heard.windows)) windows[name] = merged(windows[name], window);
    this.#known = { ...heard, windows };
  }

  /**
   * What is still known at a time. Of what has reset since nothing is known, not even that it is unused: the plan's owner may
   * have used it elsewhere.
   *
   * @param now Unix time in milliseconds
   * @returns undefined when nothing was heard
   */
  at(now: number): PlanLimits | undefined {
    if (!this.#known) return undefined;
    const { heardAt, status, claim, resetsAt, windows, overage } = this.#known;
    const hasReset = isPast(resetsAt, now);
    return {
      heardAt,
      ...(!hasReset && { ...(status && { status }), ...(claim && { claim }), ...(resetsAt && { resetsAt }) }),
      windows: Object.fromEntries(
        Object.entries(windows).map(([name, window]) => [
          name,
          isPast(window.resetsAt, now) ? { heardAt: window.heardAt } : window,
        ]),
      ),
      ...(overage && !isPast(overage.resetsAt, now) && { overage }),
    };
  }
}

/** A window that was told in part keeps what else is known of it, until it resets. */
function merged(known: PlanWindow | undefined, heard: PlanWindow): PlanWindow {
  return known?.resetsAt === heard.resetsAt ? { ...known, ...heard } : heard;
}

function isPast(time: number | undefined, now: number): boolean {
  return time !== undefined && time <= now;
}
