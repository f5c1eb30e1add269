import type { Query, SDKAPIRetryMessage, SDKMessage, SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import { EventQueue } from '../../async/event-queue.ts';
import { within } from '../../async/within.ts';
import { stableJson } from '../../conversation/canonical.ts';
import { clientGone, type Failure } from '../../spec/failure.ts';
import type { ClientTool, Message, MessagesRequest } from '../../spec/messages.ts';
import type { TurnEvent } from '../../spec/turn-events.ts';
import type { ClientTools } from '../held-calls/client-tools.ts';
import type { ToolNames } from '../held-calls/tool-names.ts';
import { toModelContent } from '../replay/transcript.ts';
import { AnswerFold, type RawEvent } from '../turn/answer-fold.ts';
import {
  failureOfAssistant,
  failureOfRetry,
  inWordsOfPromptTooLong,
  upstreamCut,
  upstreamStalled,
} from '../turn/map-upstream-failure.ts';
import { type RequestSettings, toRequestSettings } from '../turn/request-variables.ts';
import { inUpstreamWords, type UpstreamErrors } from '../turn/upstream-words.ts';
import type { Child } from './child.ts';
import { processFailure } from './map-process-end.ts';
import { fileFailure } from './process-files.ts';
import type { RunDirectory } from './run-directory.ts';

/**
 * - `streaming`: a turn is under way
 * - `held`: the model turn is paused on the client's tools
 * - `idle`: the last answer is complete
 * - `ended`: gone, or going
 */
export type ProcessState = 'streaming' | 'held' | 'idle' | 'ended';

export interface ProcessParts {
  query: Query;
  child: Child;
  input: EventQueue<SDKUserMessage>;
  clientTools: ClientTools;
  tools: readonly ClientTool[];
  betas: readonly string[];
  names: ToolNames;
  /** As they stand in the process's environment. */
  settings: RequestSettings;
  /** Where the API's own words come from, for a process that tells them. */
  upstreamErrors?: UpstreamErrors;
  /** Where the SDK writes the files that a replay begins from. */
  directory: RunDirectory;
  /** Silence after which a turn is given up, in milliseconds. */
  stallMs: number;
  /** Whether a call that the CLI would repeat is told to the client instead. */
  failsAtFirstRetry: boolean;
  onSpawned: () => void;
  onEnded: (process: ClaudeProcess) => void;
  onParked: (process: ClaudeProcess) => void;
}

/** How long the CLI may take until it is ready for the next turn. */
const SETTLE_MS = 10_000;
/** How long the API's own words may take after the news of a failure. */
const WORDS_MS = 1_000;
/** How long the result of a failed turn may take. */
const RESULT_MS = 1_000;

let nextId = 1;

/** One `claude` process that serves one conversation, from its first turn to its end. */
export class ClaudeProcess {
  readonly id = nextId++;
  /** Equal keys: the same list of tools. */
  readonly toolsKey: string;
  /** Equal keys: the same betas; a process keeps those of its first turn. */
  readonly betasKey: string;
  /** Turns answered or under way. */
  turns = 1;
  /** `performance.now()` of the last change of state. */
  changedAt = performance.now();
  #state: ProcessState = 'streaming';
  #heldIds: string[] = [];
  #settings: RequestSettings;
  #turn: EventQueue<TurnEvent> | undefined;
  #fold = new AnswerFold();
  /** The end of a block, until the stream goes on: Claude Code ends the open block of a stream that was cut, too. */
  #blockStop: RawEvent | undefined;
  /** Resolves when the CLI has settled the turn before and reads its input again. */
  #settled: Promise<void>;
  #settle: () => void = () => undefined;
  /** The failure of the open turn, while more is being learnt of it. */
  #failing: Failure | undefined;
  #hasSpoken = false;
  #lastHeardAt = performance.now();
  #stall: NodeJS.Timeout | undefined;
  readonly #declared: ReadonlySet<string>;
  readonly #parts: ProcessParts;

  constructor(parts: ProcessParts) {
    this.#parts = parts;
    this.toolsKey = stableJson(parts.tools);
    this.betasKey = stableJson(parts.betas);
    this.#declared = new Set(parts.tools.map((tool) => parts.names.toModel(tool.name)));
    this.#settings = parts.settings;
    this.#settled = this.#newSettled();
    parts.child.onExit = () => this.#lose();
  }

  get state(): ProcessState {
    return this.#state;
  }

  get pid(): number | undefined {
    return this.#parts.child.pid;
  }

  /** The tool_use ids that wait for results, in the order of the calls. */
  get heldIds(): readonly string[] {
    return this.#heldIds;
  }

  /** The events of the turn that the process was made for. */
  begin(): AsyncIterable<TurnEvent> {
    const turn = this.#openTurn();
    void this.#pump();
    return turn;
  }

  /** Ends the turn that {@link begin} opened, when the process could not even be given its prompt. */
  fail(failure: Failure): void {
    this.#finish({ type: 'failure', failure });
    this.end();
  }

  /**
   * Takes the conversation's next turn: a user message on an idle process, the tool results on one that holds calls.
   * The caller has made sure that the process carries it unaltered.
   *
   * @param signal aborts when the client has gone, which ends the process
   * @returns the turn's events; or undefined if the process ended before it had taken anything, and a replay is safe
   */
  async continue(request: MessagesRequest, signal: AbortSignal): Promise<AsyncIterable<TurnEvent> | undefined> {
    const newest = request.messages.at(-1) as Message;
    const wasHeld = this.#state === 'held';
    if (this.#state !== 'held' && this.#state !== 'idle') return undefined;
    this.#setState('streaming');
    this.turns += 1;
    this.#heldIds = [];
    this.#fold = new AnswerFold();
    try {
      await within(this.#ready(request, wasHeld), SETTLE_MS, signal);
    } catch {
      this.end();
    }
    if (this.#hasEnded()) return undefined;
    const turn = this.#openTurn();
    if (wasHeld) for (const result of newest.content) this.#parts.clientTools.complete(result);
    else {
      this.#settled = this.#newSettled();
      this.#parts.input.push(toUserMessage(newest, this.#parts.names));
    }
    return turn;
  }

  /** Ends the process at once, without a further model call. An open turn ends with the failure. */
  end(failure: Failure = clientGone()): void {
    if (this.#state === 'ended') return;
    this.#setState('ended');
    this.#parts.child.end();
    this.#parts.input.close();
    this.#settle();
    this.#finish({ type: 'failure', failure });
    // Frees the transcript that the SDK wrote for a replay; the process itself is already dead.
    this.#parts.query.close();
    this.#parts.onEnded(this);
  }

  /** As the type checker cannot know that awaiting may change the state. */
  #hasEnded(): boolean {
    return this.#state === 'ended';
  }

  /** Resolves when the process has settled its last turn and has taken the settings of the next one. */
  async #ready(request: MessagesRequest, wasHeld: boolean): Promise<void> {
    if (!wasHeld) await this.#settled;
    if (!this.#hasEnded()) await this.#applySettings(toRequestSettings(request, this.#parts.names));
  }

  async #applySettings(wanted: RequestSettings): Promise<void> {
    if (stableJson(wanted) === stableJson(this.#settings)) return;
    await this.#parts.query.applyFlagSettings({ env: wanted });
    this.#settings = wanted;
  }

  /** Leaving a `for await` would close the query: iterate by hand. */
  async #pump(): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await this.#parts.query.next();
        if (done || this.#state === 'ended') break;
        this.#receive(value);
      }
    } catch (error) {
      // A failed call throws here after it has been told as a message; a dead process throws here alone.
      this.#failing ??= this.#hasSpoken ? undefined : fileFailure(error, this.#parts.directory);
    }
    this.#lose();
  }

  #lose(): void {
    this.#finish({
      type: 'failure',
      failure: this.#failing ?? processFailure(this.#parts.child.ended, this.#hasSpoken),
    });
    this.end();
  }

  #receive(message: SDKMessage): void {
    const silentMs = performance.now() - this.#lastHeardAt;
    this.#lastHeardAt = performance.now();
    this.#hasSpoken = true;
    this.#stall?.refresh();
    switch (message.type) {
      case 'stream_event':
        if (message.parent_tool_use_id === null && !this.#failing)
          this.#receiveEvent(message.event as unknown as RawEvent | { type: 'message_stop' });
        return;
      case 'assistant': {
        const failure = failureOfAssistant(message, silentMs);
        if (failure) this.#failAtResult(failure);
        return;
      }
      case 'system':
        if (message.subtype === 'api_retry') this.#receiveRetry(message);
        else if (message.subtype === 'init') {
          this.#parts.onSpawned();
          this.#checkTools(message.tools);
        }
        return;
      case 'result':
        if (this.#failing) this.#failInUpstreamWords(message.terminal_reason);
        // A turn still open here has had no answer and no error message either.
        else if (this.#turn) this.#lose();
        else this.#settle();
        return;
    }
  }

  /** Once a part of the answer has been passed on, it cannot begin anew. */
  #receiveRetry(message: SDKAPIRetryMessage): void {
    if (!this.#parts.failsAtFirstRetry && !this.#fold.hasStarted) return;
    this.#failing = failureOfRetry(message);
    // The CLI repeats the call when the delay is over.
    const deadlineMs = Math.min(WORDS_MS, message.retry_delay_ms / 2);
    if (this.#parts.upstreamErrors)
      void this.#parts.upstreamErrors.wait(deadlineMs).then(() => this.#failInUpstreamWords());
    else this.#failInUpstreamWords();
  }

  /** The result that follows says more of a failure than its message. */
  #failAtResult(failure: Failure): void {
    if (this.#failing) return;
    this.#failing = failure;
    setTimeout(() => this.#failInUpstreamWords(), RESULT_MS).unref();
  }

  #failInUpstreamWords(terminalReason?: string): void {
    if (!this.#failing || this.#state === 'ended') return;
    const failure = inUpstreamWords(this.#failing, this.#parts.upstreamErrors?.latest);
    this.fail(inWordsOfPromptTooLong(failure, terminalReason));
  }

  #receiveEvent(event: RawEvent | { type: 'message_stop' }): void {
    switch (event.type) {
      case 'message_start':
        // A second answer in one turn is the CLI going on by itself.
        if (this.#fold.hasStarted) this.fail(upstreamCut());
        else this.#relay(event);
        return;
      case 'content_block_start':
        this.#relayBlockStop();
        this.#relay(event);
        return;
      case 'content_block_delta':
        this.#relay(event);
        return;
      case 'content_block_stop':
        this.#blockStop = event;
        return;
      case 'message_delta':
        if (event.delta.stop_reason === null) return;
        this.#relayBlockStop();
        this.#relay(event);
        // The last moment at which the CLI can be kept from calling the model again.
        if (this.#fold.wouldGoOn(this.#declared)) {
          this.#complete();
          this.end();
        }
        return;
      case 'message_stop':
        if (this.#fold.message?.stop_reason == null) {
          this.fail(upstreamCut());
          return;
        }
        this.#park();
        this.#complete();
        return;
    }
  }

  #relayBlockStop(): void {
    if (this.#blockStop) this.#relay(this.#blockStop);
    this.#blockStop = undefined;
  }

  #relay(event: RawEvent): void {
    // What has no beginning is no answer.
    if (event.type !== 'message_start' && !this.#fold.hasStarted) {
      this.fail(upstreamCut());
      return;
    }
    this.#fold.add(event);
    this.#turn?.push(this.#toClient(event));
  }

  #toClient(event: RawEvent): RawEvent {
    if (event.type !== 'content_block_start' || event.content_block.type !== 'tool_use') return event;
    const name = this.#parts.names.toClient(String(event.content_block.name));
    return name === event.content_block.name ? event : { ...event, content_block: { ...event.content_block, name } };
  }

  #park(): void {
    const answer = this.#fold.message;
    this.#heldIds = (answer?.content ?? []).flatMap((block) => (block.type === 'tool_use' ? [String(block.id)] : []));
    this.#setState(this.#heldIds.length > 0 ? 'held' : 'idle');
  }

  #complete(): void {
    const answer = this.#fold.message;
    if (!answer) return;
    const content = answer.content.map((block) =>
      block.type === 'tool_use' ? { ...block, name: this.#parts.names.toClient(String(block.name)) } : block,
    );
    this.#finish({
      type: 'message_stop',
      answer: { ...answer, content },
      ...(this.#fold.isUnfoldable ? { unfoldable: upstreamCut() } : {}),
    });
    if (this.#state !== 'streaming') this.#parts.onParked(this);
  }

  #checkTools(names: readonly string[]): void {
    const missing = [...this.#declared].filter((name) => !names.includes(name));
    if (missing.length === 0 || !this.#turn) return;
    this.fail({
      code: 'process_tools_missing',
      status: 400,
      type: 'invalid_request_error',
      message: `tools: Claude Code does not take tools with the names ${missing.join(', ')}; give them other names.`,
    });
  }

  #openTurn(): EventQueue<TurnEvent> {
    const turn = new EventQueue<TurnEvent>();
    this.#turn = turn;
    this.#lastHeardAt = performance.now();
    this.#parts.upstreamErrors?.clear();
    this.#stall = setTimeout(() => this.fail(upstreamStalled(this.#parts.stallMs)), this.#parts.stallMs).unref();
    return turn;
  }

  /** Gives the open turn, if there is one, its one terminal event. */
  #finish(event: TurnEvent): void {
    const turn = this.#turn;
    this.#turn = undefined;
    clearTimeout(this.#stall);
    turn?.push(event);
    turn?.close();
  }

  #setState(state: ProcessState): void {
    this.#state = state;
    this.changedAt = performance.now();
  }

  #newSettled(): Promise<void> {
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }
}

export function toUserMessage(message: Message, names: ToolNames): SDKUserMessage {
  return {
    type: 'user',
    message: {
      role: 'user',
      content: toModelContent(message, names) as unknown as SDKUserMessage['message']['content'],
    },
    parent_tool_use_id: null,
  } as SDKUserMessage;
}
