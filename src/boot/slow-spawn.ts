import { type Environment, usesAnthropicApi } from '../engine/environment/environment.ts';
import type { Log } from '../telemetry/log.ts';

/** From when on a start counts as slow, in milliseconds. A process that reaches its API takes a second. */
const SLOW_MS = 8_000;

const CURE =
  'Claude Code asks api.anthropic.com at each start of a process and waits for it. Let this machine reach it (HTTPS_PROXY, NODE_EXTRA_CA_CERTS); until then each new conversation waits as long.';

/** Watches whether the first process waits for an API that it cannot reach, and tells so while it waits. */
export class SlowSpawn {
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout | undefined;
  #ms = 0;

  /** @param variables of the process */
  constructor(variables: Environment, log: Log) {
    if (usesAnthropicApi(variables))
      this.#timer = setTimeout(() => log('slow spawn', { cure: CURE }, 'warn'), SLOW_MS).unref();
  }

  /** The process has started. */
  end(): void {
    clearTimeout(this.#timer);
    if (this.#timer) this.#ms = performance.now() - this.#startedAt;
  }

  /** What to do, if the start was slow. */
  get problem(): string | undefined {
    return this.#ms < SLOW_MS ? undefined : `Claude Code took ${Math.round(this.#ms / 1000)} s to start. ${CURE}`;
  }
}
