import { type Query, query, type SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import { EventQueue } from '../../async/event-queue.ts';
import type { BegunTurn, ProcessListener, Spare, SpareLikeness } from '../../spec/engine.ts';
import type { MessagesRequest } from '../../spec/messages.ts';
import type { ProcessEnd } from '../../spec/process-end.ts';
import type { Silence } from '../announcements/silence.ts';
import { type RequestVariables, toRequestVariables } from '../parameters/request-variables.ts';
import { ToolNames } from '../parameters/tool-names.ts';
import { FORGOTTEN, toForgottenTranscript } from '../replay/transcript.ts';
import { KnownMessages } from '../reuse/known-messages.ts';
import { reuseKey } from '../reuse/reuse-key.ts';
import type { Child } from './child.ts';
import { ClaudeProcess, forTurns, type ProcessRules } from './claude-process.ts';
import { processMemory } from './memory.ts';
import type { ProcessMaker } from './process-maker.ts';
import { partsFor } from './request-parts.ts';
import { spawnFailure } from './spawn-failure.ts';

/** What a spare in full mode is made of. */
interface SpareParts {
  query: Query;
  input: EventQueue<SDKUserMessage>;
  child: Child;
  rules: ProcessRules;
  silence: Silence;
  variables: RequestVariables;
  /** The uuid of the message that it forgets. */
  first: string;
  /** Passes the transcript on to this process. */
  listen: (process: ClaudeProcess) => void;
}

/**
 * A spare in full mode: a process that resumes a transcript which silences Claude Code's announcements, and has its model and its
 * system prompt from the beginning.
 */
export class SilentSpare implements Spare {
  readonly exited: Promise<ProcessEnd | undefined>;
  readonly #parts: SpareParts;
  #isClaimed = false;

  private constructor(parts: SpareParts) {
    const { child } = parts;
    this.#parts = parts;
    this.exited = new Promise((resolve) => {
      child.onExit = () => void child.gone.then(() => resolve(child.ended));
    });
  }

  /**
   * Spawns one; resolves when it can be claimed.
   *
   * @param likeness what the requests have in common that it can serve
   * @throws FailureError `files_not_written`, `machine_at_limit`; `process_spawn_failed` when its process ended
   */
  static async spawn(
    maker: ProcessMaker,
    rules: ProcessRules,
    silence: Silence,
    { model, system, betas }: SpareLikeness,
  ): Promise<SilentSpare> {
    const names = new ToolNames([]);
    const variables = toRequestVariables({ parameters: {}, tools: [], betas }, names);
    const own = { ...forTurns(rules), ...silence.variables };
    const made = maker.create({ requested: { ...variables, ...own }, system });
    const { child } = made;
    try {
      const profile = maker.profile(made);
      const transcript = toForgottenTranscript(model, profile.workingDirectory, names, silence.announced);
      let hear: ClaudeProcess['hear'] = () => undefined;
      const options = maker.options(made, {
        ...profile,
        environment: { ...profile.environment, ...own },
        session: {
          resumes: transcript.sessionId,
          store: {
            append: async (_key, entries) => {
              silence.hear(entries);
              hear(entries);
            },
            load: async () => transcript.entries,
          },
        },
      });
      const input = new EventQueue<SDKUserMessage>();
      const spare = query({ prompt: input, options: { ...options, model } });
      await spare.initializationResult();
      const listen = (process: ClaudeProcess) => {
        hear = (entries) => process.hear(entries);
      };
      return new SilentSpare({
        query: spare,
        input,
        child,
        rules,
        silence,
        variables,
        first: transcript.first,
        listen,
      });
    } catch (error) {
      const why = await spawnFailure(child, error);
      child.end();
      throw why;
    }
  }

  get pid(): number | undefined {
    return this.#parts.child.pid;
  }

  async claim(
    request: MessagesRequest,
    listener: ProcessListener,
    signal: AbortSignal,
  ): Promise<BegunTurn | undefined> {
    const { silence, rules, first, listen, ...parts } = this.#parts;
    this.#isClaimed = true;
    if (silence.staleness() !== undefined) {
      parts.child.end();
      parts.query.close();
      return undefined;
    }
    const known = new KnownMessages();
    known.addTurn(FORGOTTEN, 0, first);
    const process = new ClaudeProcess({
      ...partsFor({ ...request, tools: [], via: [] }),
      ...rules,
      ...parts,
      listener,
      known,
      reuseKey: reuseKey(request),
      staleness: silence.staleness,
    });
    listen(process);
    const events = await process.beginEmpty(request, Promise.resolve(), signal);
    return events && { process, events };
  }

  end(): void {
    if (this.#isClaimed) return;
    this.#parts.child.end();
    this.#parts.query.close();
  }

  measureMemory(): Promise<number | undefined> {
    return processMemory(this.pid);
  }
}
