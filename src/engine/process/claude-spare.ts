import { prewarm, type SDKUserMessage, type SessionStore, type SpareProcess } from '@anthropic-ai/claude-agent-sdk';
import { EventQueue } from '../../async/event-queue.ts';
import type { BegunTurn, ProcessListener, Spare } from '../../spec/engine.ts';
import type { MessagesRequest } from '../../spec/messages.ts';
import type { ProcessEnd } from '../../spec/process-end.ts';
import { BARE } from '../announcements/silence.ts';
import { NO_VARIABLES } from '../parameters/request-variables.ts';
import { KnownMessages } from '../reuse/known-messages.ts';
import { reuseKey } from '../reuse/reuse-key.ts';
import { logReuseFailed } from '../reuse/reuse-log.ts';
import type { Child } from './child.ts';
import { ClaudeProcess, forTurns, type ProcessRules } from './claude-process.ts';
import { processMemory } from './memory.ts';
import type { ProcessMaker } from './process-maker.ts';
import { partsFor } from './request-parts.ts';
import { spawnFailure } from './spawn-failure.ts';

/** A `claude` process that was spawned ahead; it has no model and no conversation yet. */
export class ClaudeSpare implements Spare {
  readonly exited: Promise<ProcessEnd | undefined>;
  readonly #spare: SpareProcess;
  readonly #child: Child;
  readonly #rules: ProcessRules;
  readonly #listen: (process: ClaudeProcess) => void;
  #isClaimed = false;

  /** @param listen passes the transcript on to this process */
  private constructor(
    spare: SpareProcess,
    child: Child,
    rules: ProcessRules,
    listen: (process: ClaudeProcess) => void,
  ) {
    this.#listen = listen;
    this.#spare = spare;
    this.#child = child;
    this.#rules = rules;
    this.exited = new Promise((resolve) => {
      child.onExit = () => void child.gone.then(() => resolve(child.ended));
    });
  }

  /**
   * Spawns one; resolves when it can be claimed.
   *
   * @throws FailureError `process_spawn_failed` when its process ended; the SDK's error otherwise
   */
  static async spawn(maker: ProcessMaker, rules: ProcessRules): Promise<ClaudeSpare> {
    const made = maker.create();
    let hear: ClaudeProcess['hear'] = () => undefined;
    const store: SessionStore = {
      append: async (key, entries) => {
        made.child.transcript = key;
        hear(entries);
      },
      load: async () => null,
    };
    try {
      const profile = maker.profile(made);
      const environment = { ...profile.environment, ...forTurns(rules) };
      const spare = await prewarm({ options: maker.options(made, { ...profile, environment, session: { store } }) });
      spare.claimed.catch(() => undefined);
      return new ClaudeSpare(spare, made.child, rules, (process) => {
        hear = (entries) => process.hear(entries);
      });
    } catch (error) {
      const why = await spawnFailure(made.child, error);
      made.child.end();
      throw why;
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async claim(
    request: MessagesRequest,
    listener: ProcessListener,
    signal: AbortSignal,
  ): Promise<BegunTurn | undefined> {
    const child = this.#child;
    this.#isClaimed = true;
    const input = new EventQueue<SDKUserMessage>();
    try {
      const query = this.#spare.claim({
        prompt: input,
        options: {
          cwd: this.#rules.directory.work,
          model: request.model,
          ...(request.system === '' ? {} : { appendSystemPrompt: request.system }),
        },
      });
      const process = new ClaudeProcess({
        ...partsFor({ ...request, tools: [], via: [] }),
        ...this.#rules,
        variables: NO_VARIABLES,
        query,
        input,
        child,
        listener,
        known: new KnownMessages(),
        reuseKey: reuseKey(request),
        staleness: BARE.staleness,
      });
      this.#listen(process);
      const events = await process.beginEmpty(request, this.#spare.claimed, signal);
      return events && { process, events };
    } catch (error) {
      logReuseFailed(this.#rules.log, 'claim', error);
      child.end();
      return undefined;
    }
  }

  end(): void {
    if (this.#isClaimed) return;
    this.#child.end();
    this.#spare.close();
  }

  measureMemory(): Promise<number | undefined> {
    return processMemory(this.pid);
  }
}
