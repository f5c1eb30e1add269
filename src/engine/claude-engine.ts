import { query } from '@anthropic-ai/claude-agent-sdk';
import type { BegunTurn, Engine, Introduction, ProcessListener, Spare } from '../spec/engine.ts';
import type { MessagesRequest } from '../spec/messages.ts';
import { CLIENT_TOOLS_SERVER } from './held-calls/client-tools.ts';
import { ClaudeProcess, type ProcessRules, partsFor } from './process/claude-process.ts';
import { ClaudeSpare } from './process/claude-spare.ts';
import { ProcessMaker, type ProcessMakerOptions } from './process/process-maker.ts';
import { countTokens } from './questions/count-tokens.ts';
import { introduce } from './questions/introduce.ts';
import { toTranscript } from './replay/transcript.ts';

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
    const parts = partsFor(request);
    const { input, clientTools, names, variables } = parts;
    const made = this.#maker.create({ settings: JSON.stringify({ env: variables }), system: request.system });
    const { child, files } = made;
    try {
      const clientToolsOnly = this.#maker.clientTools(made);
      const transcript = toTranscript(request.messages, request.model, clientToolsOnly.workingDirectory, names);
      let hear: ClaudeProcess['hear'] = () => undefined;
      const options = this.#maker.options(made, {
        ...clientToolsOnly,
        environment: { ...clientToolsOnly.environment, CLAUDE_CODE_RESUME_INTERRUPTED_TURN: '1' },
        session: {
          id: transcript.sessionId,
          store: { append: async (_key, entries) => hear(entries), load: async () => transcript.entries },
        },
      });
      const sdkQuery = query({
        prompt: input,
        options: {
          ...options,
          ...(files.settings && { settings: files.settings }),
          model: request.model,
          extraArgs: {
            ...options.extraArgs,
            ...(files.system && { 'append-system-prompt-file': files.system }),
          },
          ...(request.tools.length > 0 ? { mcpServers: { [CLIENT_TOOLS_SERVER]: clientTools.config } } : {}),
        },
      });
      const process = new ClaudeProcess({ ...parts, ...this.#rules, query: sdkQuery, child, listener, hasStore: true });
      hear = (entries) => process.hear(entries);
      return { process, events: process.begin() };
    } catch (error) {
      child.end();
      throw error;
    }
  }

  prestart(): Promise<Spare> {
    return ClaudeSpare.start(this.#maker, this.#rules);
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
