import { statSync } from 'node:fs';
import { join } from 'node:path';
import { configurationFolder, type Environment } from '../environment/environment.ts';

/** Milliseconds between renewals of a sign-in that is in use. Claude Code renews it only when it is about to run out. */
const USED_MS = 4 * 60_000;
/** The same for one that is not in use. After the machine has slept, the renewal comes at once. */
const UNUSED_MS = 60 * 60_000;
/** The version where there is no file. */
const NONE = 'none';

/**
 * The `claude login` that pays. A replay gets a copy of it that cannot be renewed, so something else must renew it: Claude Code
 * does so in any process with the user's own configuration, from five minutes before it runs out.
 *
 * The sign-in itself is never read; only whether its file has changed is looked at. On macOS it lies in the keychain, and there
 * is no file.
 */
export class SignIn {
  readonly #file: string;
  readonly #renew: () => Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #renewing: Promise<void> | undefined;
  #renewedAt = Date.now();
  #tickedAt = Date.now();
  #isUsed = false;
  #wasThere = false;

  /**
   * @param variables of the processes
   * @param renew has a process renew the sign-in if that is due
   */
  constructor(variables: Environment, renew: () => Promise<void>) {
    this.#file = join(configurationFolder(variables), '.credentials.json');
    this.#renew = renew;
    this.#wasThere = this.version !== NONE;
    this.#timer = setInterval(() => this.#tick(), USED_MS).unref();
  }

  /** Another value means another sign-in, a renewed one, or none. */
  get version(): string {
    try {
      const { mtimeMs, size } = statSync(this.#file);
      this.#wasThere = true;
      return `${mtimeMs} ${size}`;
    } catch {
      return NONE;
    }
  }

  /** Whether the user has signed out. Where no file has ever been, nobody knows. */
  get isGone(): boolean {
    return this.version === NONE && this.#wasThere;
  }

  /** The version, for a turn that needs it. */
  get versionInUse(): string {
    this.use();
    return this.version;
  }

  /** Tells that something needs it. */
  use(): void {
    this.#isUsed = true;
  }

  /** Renews it if that is due; one renewal at a time. Never rejects: the next turn shows whether it helped. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew()
      .catch(() => undefined)
      .finally(() => {
        this.#renewing = undefined;
        this.#renewedAt = Date.now();
      });
    return this.#renewing;
  }

  /** Renews it by itself no more. */
  close(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = Date.now();
    const hasSlept = now - this.#tickedAt > 2 * USED_MS;
    this.#tickedAt = now;
    if (!this.#isUsed && !hasSlept && now - this.#renewedAt < UNUSED_MS) return;
    this.#isUsed = false;
    void this.renew();
  }
}
