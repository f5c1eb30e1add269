import {
  type AccountInfo,
  type Options,
  prewarm,
  type Query,
  query,
  type SDKUserMessage,
  type SpareProcess,
} from '@anthropic-ai/claude-agent-sdk';
import { EventQueue } from '../async/event-queue.ts';
import { within } from '../async/within.ts';
import type { MessagesRequest } from '../spec/messages.ts';
import type { ModelListing } from '../spec/model-listing.ts';
import type { TurnEvent } from '../spec/turn-events.ts';
import { CLIENT_TOOLS_SERVER, ClientTools, describedTools } from './held-calls/client-tools.ts';
import { ToolNames } from './held-calls/tool-names.ts';
import { Child } from './process/child.ts';
import { ClaudeProcess, toUserMessage } from './process/claude-process.ts';
import { inFolder, type ProcessEnvironment } from './process/environment.ts';
import type { ClaudeExecutable } from './process/executable.ts';
import { createProcessFiles, type ProcessFiles, type SpawnContents } from './process/process-files.ts';
import type { RunDirectory } from './process/run-directory.ts';
import { SessionRecords } from './process/session-records.ts';
import type { Launcher } from './process/spawner.ts';
import { messageTokens, toModelListings, usedTokens } from './questions/sdk-answers.ts';
import { toTranscript } from './replay/transcript.ts';
import { toRequestSettings } from './turn/request-variables.ts';
import { UpstreamErrors } from './turn/upstream-words.ts';

export type { AccountInfo };

export interface Introduction {
  /** Which credential the SDK finds, in its own words. */
  account: AccountInfo;
  models: ModelListing[];
}

/** With a spawn function of ours the SDK sends the system prompt later than a resumed turn needs it. */
const BARE_SYSTEM_PROMPT = { 'system-prompt': '' };

/** How long a process that is asked to end may take. */
const GENTLE_END_MS = 2_000;
/** How long a spare may take to become the process of a conversation. */
const CLAIM_MS = 10_000;
/** How long the first process may take to say what it is. */
const INTRODUCTION_MS = 60_000;

/** A process together with the events of its first turn. */
export interface BegunTurn {
  process: ClaudeProcess;
  events: AsyncIterable<TurnEvent>;
}

/** What the owner of processes wants to hear of them. */
export interface ProcessListener {
  /** It has started and is about to call the model. */
  onSpawned: () => void;
  /** The process is gone; called once. */
  onEnded: (process: ClaudeProcess) => void;
  /** Its turn is complete and it waits for the next. */
  onParked: (process: ClaudeProcess) => void;
}

/** A pre-started process that is no conversation yet. */
export interface Spare {
  spare: SpareProcess;
  child: Child;
  /** Resolves when its process has gone, unless it was claimed before. */
  exited: Promise<void>;
  /** Discards it; harmless after it has been claimed. */
  end(): void;
}

interface NewChild {
  child: Child;
  files: ProcessFiles;
}

export interface EngineOptions {
  executable: ClaudeExecutable;
  environment: ProcessEnvironment;
  directory: RunDirectory;
  launcher: Launcher;
  /** Silence after which a turn is given up, in milliseconds. */
  stallMs: number;
  /** Who repeats a call that the model's API was too busy for, or failed at. */
  retries: 'client' | 'gateway';
}

/** Makes `claude` processes. The one place that knows how the Agent SDK has to be set up. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #children = new Set<Child>();
  readonly #records: SessionRecords;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#records = new SessionRecords(options.environment.variables);
    this.#records.removeLeft();
  }

  /** Hands a whole request to a new process as its transcript; works for any history, and for none. */
  replay(request: MessagesRequest, listener: ProcessListener): BegunTurn {
    const { directory } = this.#options;
    const parts = partsFor(request);
    const { input, clientTools, names, settings } = parts;
    const transcript = toTranscript(request.messages, request.model, directory.work, names);
    const { child, files } = this.#newChild({ settings: JSON.stringify({ env: settings }), system: request.system });
    try {
      const base = this.#baseOptions(child, files);
      const upstreamErrors = new UpstreamErrors();
      const sdkQuery = query({
        prompt: input,
        options: {
          ...base,
          env: {
            ...base.env,
            CLAUDE_CODE_RESUME_INTERRUPTED_TURN: '1',
          },
          ...(files.settings && { settings: files.settings }),
          model: request.model,
          resume: transcript.sessionId,
          forkSession: true,
          sessionStore: {
            append: async (_key, entries) => upstreamErrors.add(entries),
            load: async () => transcript.entries,
          },
          sessionStoreFlush: 'eager',
          extraArgs: {
            ...base.extraArgs,
            // The SDK's own default for a resumed session, but not with a spawn function: else the turn begins without tools.
            'await-initialize': null,
            ...(files.system && { 'append-system-prompt-file': files.system }),
          },
          ...(request.tools.length > 0 ? { mcpServers: { [CLIENT_TOOLS_SERVER]: clientTools.config } } : {}),
        },
      });
      const process = new ClaudeProcess({
        query: sdkQuery,
        child,
        ...parts,
        upstreamErrors,
        ...this.#processOptions,
        ...listener,
      });
      return { process, events: process.begin() };
    } catch (error) {
      child.end();
      throw error;
    }
  }

  /** Starts a spare; resolves when it is ready to be claimed. */
  async prestart(): Promise<Spare> {
    const { child, files } = this.#newChild();
    try {
      const spare = await prewarm({ options: { ...this.#baseOptions(child, files), persistSession: false } });
      spare.claimed.catch(() => undefined);
      const exited = new Promise<void>((resolve) => {
        child.onExit = resolve;
      });
      return {
        spare,
        child,
        exited,
        end() {
          child.end();
          spare.close();
        },
      };
    } catch (error) {
      child.end();
      throw error;
    }
  }

  /**
   * Makes a spare the process of a new conversation.
   *
   * @param request one user message that an idle process could take
   * @param signal aborts when the client has gone
   * @returns undefined if the spare could not be claimed; it is gone then, and nothing has reached the model
   */
  async claim(
    { spare, child }: Spare,
    request: MessagesRequest,
    listener: ProcessListener,
    signal: AbortSignal,
  ): Promise<BegunTurn | undefined> {
    try {
      const parts = partsFor(request);
      const { input, clientTools, names, settings } = parts;
      const sdkQuery = spare.claim({
        prompt: input,
        options: {
          cwd: this.#options.directory.work,
          model: request.model,
          ...(request.system === '' ? {} : { appendSystemPrompt: request.system }),
        },
      });
      const claimed = new ClaudeProcess({
        query: sdkQuery,
        child,
        ...parts,
        ...this.#processOptions,
        ...listener,
      });
      const events = claimed.begin();
      const ready = Promise.all([
        spare.claimed,
        sdkQuery.applyFlagSettings({ env: settings }),
        request.tools.length > 0 ? sdkQuery.setMcpServers({ [CLIENT_TOOLS_SERVER]: clientTools.config }) : undefined,
      ]);
      await within(ready, CLAIM_MS, signal);
      for (const message of request.messages) input.push(toUserMessage(message, names));
      return { process: claimed, events };
    } catch {
      child.end();
      return undefined;
    }
  }

  /** What the SDK says of itself. Takes the start of one process; calls no model. */
  async introduction(): Promise<Introduction> {
    const started = this.#newChild();
    const sdkQuery = this.#askable(started, { persistSession: false });
    try {
      const { account, models } = await within(sdkQuery.initializationResult(), INTRODUCTION_MS);
      return { account, models: toModelListings(models) };
    } finally {
      // Killed so early it would leave a lock in the user's configuration; it has no prompt that it could call the model for.
      sdkQuery.close();
      setTimeout(() => started.child.end(), GENTLE_END_MS).unref();
    }
  }

  /**
   * The SDK's own count of a request's tokens, which asks the API that counts them. Takes the start of one process; calls
   * no model.
   *
   * @param onSpawned called when the process has started, and takes no more of the machine
   * @param signal ends the count
   * @returns undefined when nothing could be counted: where the API cannot be asked the SDK guesses, without a word of it
   */
  async countTokens(request: MessagesRequest, onSpawned: () => void, signal: AbortSignal): Promise<number | undefined> {
    const { directory } = this.#options;
    const names = new ToolNames(request.tools);
    const transcript = toTranscript(request.messages, request.model, directory.work, names);
    const started = this.#newChild({ system: request.system });
    const options: Partial<Options> = {
      model: request.model,
      resume: transcript.sessionId,
      forkSession: true,
      sessionStore: { append: async () => undefined, load: async () => transcript.entries },
      extraArgs: {
        ...BARE_SYSTEM_PROMPT,
        'await-initialize': null,
        ...(started.files.system && { 'append-system-prompt-file': started.files.system }),
      },
      mcpServers: { [CLIENT_TOOLS_SERVER]: describedTools(request.tools, names) },
    };
    const count = async (sdkQuery: Query) => {
      const guessed = await sdkQuery.getContextUsage({ detail: 'summary' });
      onSpawned();
      const counted = await sdkQuery.getContextUsage({ detail: 'full' });
      return messageTokens(counted) === messageTokens(guessed) ? undefined : usedTokens(counted);
    };
    const sdkQuery = this.#askable(started, options);
    try {
      return await Promise.race([count(sdkQuery).catch(() => undefined), aborted(signal)]);
    } finally {
      started.child.end();
      sdkQuery.close();
    }
  }

  /** Starts a process that gets no prompt. */
  #askable({ child, files }: NewChild, options: Partial<Options>): Query {
    const prompt = new EventQueue<SDKUserMessage>();
    return query({ prompt, options: { ...this.#baseOptions(child, files), ...options } });
  }

  /** Ends every process, whoever has it, and those that nobody has yet, as a spare that is starting. */
  endAll(): void {
    for (const child of this.#children) child.end();
  }

  /** Resolves when every process that has been ended is no more, and so writes no more files. */
  async allGone(): Promise<void> {
    await Promise.all([...this.#children].map(({ gone }) => gone));
  }

  /** Removes what processes that have been ended would leave; for the end of the program, which waits for nothing. */
  abandonAll(): void {
    for (const child of this.#children) child.abandon();
  }

  /** @throws FailureError `files_not_written` */
  #newChild(contents?: SpawnContents): NewChild {
    const files = createProcessFiles(this.#options.directory, contents);
    const child = new Child((pid) => {
      files.remove();
      if (pid !== undefined) this.#records.remove(pid, this.#options.directory.work);
    });
    return { child, files };
  }

  get #processOptions() {
    const { directory, stallMs, retries } = this.#options;
    return { directory, stallMs, failsAtFirstRetry: retries === 'client' };
  }

  #baseOptions(child: Child, { folder }: ProcessFiles): Options {
    const { executable, environment, directory, launcher } = this.#options;
    return {
      pathToClaudeCodeExecutable: executable.path,
      env: inFolder(environment.variables, folder),
      cwd: directory.work,
      settingSources: [],
      strictMcpConfig: true,
      tools: [],
      verbatimPrompts: true,
      permissionMode: 'dontAsk',
      allowedTools: [`mcp__${CLIENT_TOOLS_SERVER}`],
      includePartialMessages: true,
      thinking: { type: 'disabled' },
      systemPrompt: '',
      extraArgs: BARE_SYSTEM_PROMPT,
      spawnClaudeCodeProcess: (spawnOptions) => {
        const spawned = launcher.spawn(spawnOptions);
        child.adopt(spawned);
        this.#children.add(child);
        void child.gone.then(() => this.#children.delete(child));
        return spawned;
      },
    };
  }
}

/** What a process of this request works with, however it is started. */
function partsFor(request: MessagesRequest) {
  const { tools, betas } = request;
  const names = new ToolNames(tools);
  return {
    input: new EventQueue<SDKUserMessage>(),
    clientTools: new ClientTools(tools, names),
    tools,
    betas,
    names,
    settings: toRequestSettings(request, names),
  };
}

/** Resolves to nothing when the signal aborts. */
function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
