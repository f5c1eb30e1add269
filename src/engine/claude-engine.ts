import type { BegunTurn, Engine, Introduction, ProcessListener, Spare } from '../spec/engine.ts';
import type { MessagesRequest } from '../spec/messages.ts';
import type { ProcessRules } from './process/claude-process.ts';
import { ClaudeSpare } from './process/claude-spare.ts';
import { ProcessMaker, type ProcessMakerOptions } from './process/process-maker.ts';
import { countTokens } from './questions/count-tokens.ts';
import { introduce } from './questions/introduce.ts';
import { replayInNewProcess } from './replay/replay-process.ts';

export interface ClaudeEngineOptions extends ProcessMakerOptions {
  /** Silence after which a turn is given up, in milliseconds. */
  stallMs: number;
  /** Who repeats a model call that failed or met a busy API. */
  retries: 'client' | 'gateway';
}

/** The engine over the Claude Agent SDK: each conversation is a `claude` process. */
export class ClaudeEngine implements Engine {
  readonly #maker: ProcessMaker;
  readonly #rules: ProcessRules;

  constructor({ stallMs, retries, ...options }: ClaudeEngineOptions) {
    this.#maker = new ProcessMaker(options);
    this.#rules = { directory: options.directory, stallMs, failsAtFirstRetry: retries === 'client' };
  }

  /** The history becomes a transcript that the process resumes; works for any history, and for none. */
  replay(request: MessagesRequest, listener: ProcessListener): BegunTurn {
    return replayInNewProcess(this.#maker, this.#rules, request, listener);
  }

  spawnSpare(): Promise<Spare> {
    return ClaudeSpare.spawn(this.#maker, this.#rules);
  }

  introduction(): Promise<Introduction> {
    return introduce(this.#maker);
  }

  countTokens(request: MessagesRequest, onSpawned: () => void, signal: AbortSignal): Promise<number | undefined> {
    return countTokens(this.#maker, request, onSpawned, signal);
  }

  endAll(): void {
    this.#maker.endAll();
  }

  allGone(): Promise<void> {
    return this.#maker.allGone();
  }

  abandonAll(): void {
    this.#maker.abandonAll();
  }
}
