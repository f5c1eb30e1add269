import type { Engine } from '../spec/engine.ts';
import { type Failure, isUnauthenticated } from '../spec/failures.ts';

/** `missing`: its user has signed out. `refused`: the latest turn that came so far was refused for want of it. */
export type CredentialState = 'ok' | 'missing' | 'refused';

/**
 * How long a refusal counts where nothing shows that it is over, in milliseconds: a turn must be able to find that out, and some
 * senders give none to a gateway that is not ready.
 */
const REFUSAL_MS = 5 * 60_000;

/** Whether anybody would pay for a turn, as far as turns and the sign-in tell. */
export class CredentialHealth {
  readonly #engine: Pick<Engine, 'signIn'>;
  #refusal: { at: number; signIn: string | undefined } | undefined;

  constructor(engine: Pick<Engine, 'signIn'>) {
    this.#engine = engine;
  }

  /** A turn has failed. */
  failed(failure: Failure): void {
    if (isUnauthenticated(failure)) this.#refusal = { at: performance.now(), signIn: this.#engine.signIn };
  }

  /** A turn was answered. */
  works(): void {
    this.#refusal = undefined;
  }

  get state(): CredentialState {
    const { signIn } = this.#engine;
    if (signIn === 'gone') return 'missing';
    const isOver =
      !this.#refusal || this.#refusal.signIn !== signIn || performance.now() - this.#refusal.at > REFUSAL_MS;
    return isOver ? 'ok' : 'refused';
  }
}
