import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { isatty } from 'node:tty';

const SIGNALS = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'] as const;
/** Keys of the terminal send these to every program in its foreground, so that the client has them already. */
const OF_KEYS: readonly string[] = ['SIGINT', 'SIGQUIT'];

/** Takes the signals of this process for a client's: they are the client's to act on, this process ends when it has ended. */
export class ClientSignals {
  #client: ChildProcess | undefined;
  #early: NodeJS.Signals | undefined;
  readonly #hasTerminal = [0, 1, 2].some(isatty);

  constructor() {
    for (const signal of SIGNALS) process.on(signal, (name) => this.#take(name));
  }

  /** The exit code for a signal that came before there was a client; undefined if none came. */
  get early(): number | undefined {
    return this.#early && codeOfSignal(this.#early);
  }

  /** From now on signals go to this client. */
  passTo(client: ChildProcess): void {
    this.#client = client;
  }

  #take(signal: NodeJS.Signals): void {
    if (this.#client) {
      if (!this.#hasTerminal || !OF_KEYS.includes(signal)) this.#client.kill(signal);
    } else if (this.#early) {
      process.exit(codeOfSignal(signal));
    } else {
      this.#early = signal;
    }
  }
}

/** What a shell gives as the exit code of a program that a signal has ended. */
export function codeOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
