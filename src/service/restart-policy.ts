import { CANNOT_START } from './exit-code.ts';

/** How the gateway that is supervised ended. */
export interface ChildEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** How long it ran, in milliseconds. */
  ranMs: number;
}

/** What the supervisor does then. */
export type Verdict = { kind: 'restart'; afterMs: number } | { kind: 'end' } | { kind: 'gives-up'; crashes: number };

/** How often and how soon the gateway is started again. */
export interface RestartLimits {
  /** The wait after the first crash; each next one is twice as long. */
  firstMs: number;
  /** The longest wait. */
  longestMs: number;
  /** So many crashes in a row are followed by another start. */
  restarts: number;
  /** A gateway that ran so long was sound: what crashes later begins a new row. */
  steadyMs: number;
}

/** A crash loop ends after some 30 seconds of waiting. */
const LIMITS: RestartLimits = { firstMs: 1_000, longestMs: 30_000, restarts: 5, steadyMs: 60_000 };

/** Decides what follows on the end of a gateway that nobody has told to stop. */
export class RestartPolicy {
  readonly #limits: RestartLimits;
  #crashes = 0;

  constructor(limits: RestartLimits = LIMITS) {
    this.#limits = limits;
  }

  judge({ code, ranMs }: ChildEnd): Verdict {
    if (code === 0 || code === CANNOT_START) return { kind: 'end' };
    const { firstMs, longestMs, restarts, steadyMs } = this.#limits;
    if (ranMs >= steadyMs) this.#crashes = 0;
    this.#crashes += 1;
    if (this.#crashes > restarts) return { kind: 'gives-up', crashes: this.#crashes };
    return { kind: 'restart', afterMs: Math.min(longestMs, firstMs * 2 ** (this.#crashes - 1)) };
  }
}
