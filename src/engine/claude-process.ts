import type { ChildProcess } from 'node:child_process';
import type { Query, SDKMessage, SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import { stableJson } from '../conversation/canonical.ts';
import { clientGone, type Failure } from '../spec/failure.ts';
import type { ClientTool, JsonObject, Message } from '../spec/messages.ts';
import type { TurnEvent } from '../spec/turn-events.ts';
import { AnswerFold, type RawEvent } from './answer.ts';
import type { ClientTools } from './client-tools.ts';
import { EventQueue } from './event-queue.ts';
import { EXTRA_BODY, toExtraBody } from './extra-body.ts';
import { failureOfAssistant, failureOfRetry, upstreamCut } from './map-upstream-failure.ts';
import type { ToolNames } from './tool-names.ts';
import { toModelContent } from './transcript.ts';

/**
 * - `streaming`: a turn is under way
 * - `held`: the model turn is paused on the client's tools
 * - `idle`: the last answer is complete
 * - `ended`: gone, or going
 */
export type ProcessState = 'streaming' | 'held' | 'idle' | 'ended';

/** The child of one SDK query. `end` kills it at once, also when it is spawned only later. */
export class Child {
  #child: ChildProcess | undefined;
  #isEnded = false;
  #stderr = '';
  /** Called once when the process has exited or could not be spawned. */
  onExit: () => void = () => undefined;
  /** Resolves when the process is no more; at once if there never was one. */
  gone: Promise<void> = Promise.resolve();

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The last words of the process, for an error that nothing else explains. */
  get stderrTail(): string {
    return this.#stderr.trim();
  }

  adopt(child: ChildProcess): void {
    this.#child = child;
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-2000);
    });
    // Written to after its end; the exit tells of that.
    child.stdin?.on('error', () => undefined);
    this.gone = new Promise((resolve) => {
      child.once('exit', resolve);
      child.once('error', resolve);
    });
    void this.gone.then(() => this.onExit());
    if (this.#isEnded) child.kill('SIGKILL');
  }

  /** SIGKILL: any gentler end lets the CLI call the model once more. */
  end(): void {
    this.#isEnded = true;
    this.#child?.kill('SIGKILL');
  }
}

export interface ProcessParts {
  query: Query;
  child: Child;
  input: EventQueue<SDKUserMessage>;
  clientTools: ClientTools;
  tools: readonly ClientTool[];
  names: ToolNames;
  /** As it stands in the process's environment, see {@link toExtraBody}. */
  extraBody: string;
  onEnded: (process: ClaudeProcess) => void;
  onParked: (process: ClaudeProcess) => void;
}

let nextId = 1;

/** One `claude` process that serves one conversation, from its first turn to its end. */
export class ClaudeProcess {
  readonly id = nextId++;
  /** Equal keys: the same list of tools. */
  readonly toolsKey: string;
  /** Turns answered or under way. */
  turns = 1;
  /** `performance.now()` of the last change of state. */
  changedAt = performance.now();
  #state: ProcessState = 'streaming';
  #heldIds: string[] = [];
  #extraBody: string;
  #turn: EventQueue<TurnEvent> | undefined;
  #fold = new AnswerFold();
  /** Resolves when the CLI has settled the turn before and reads its input again. */
  #settled: Promise<void>;
  #settle: () => void = () => undefined;
  readonly #declared: ReadonlySet<string>;
  readonly #parts: ProcessParts;

  constructor(parts: ProcessParts) {
    this.#parts = parts;
    this.toolsKey = stableJson(parts.tools);
    this.#declared = new Set(parts.tools.map((tool) => parts.names.toModel(tool.name)));
    this.#extraBody = parts.extraBody;
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
   * @returns the turn's events; or undefined if the process ended before it had taken anything, and a replay is safe
   */
  async continue(newest: Message, parameters: JsonObject): Promise<AsyncIterable<TurnEvent> | undefined> {
    const wasHeld = this.#state === 'held';
    if (this.#state !== 'held' && this.#state !== 'idle') return undefined;
    this.#setState('streaming');
    this.turns += 1;
    this.#heldIds = [];
    this.#fold = new AnswerFold();
    try {
      if (!wasHeld) await this.#settled;
      await this.#applyParameters(parameters);
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

  async #applyParameters(parameters: JsonObject): Promise<void> {
    const wanted = toExtraBody(parameters, this.#parts.tools, this.#parts.names);
    if (wanted === this.#extraBody) return;
    await this.#parts.query.applyFlagSettings({ env: { [EXTRA_BODY]: wanted } });
    this.#extraBody = wanted;
  }

  /** Leaving a `for await` would close the query: iterate by hand. */
  async #pump(): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await this.#parts.query.next();
        if (done || this.#state === 'ended') break;
        this.#receive(value);
      }
    } catch {
      // A failed call throws here after it has been told as a message; a dead process throws here alone.
    }
    this.#lose();
  }

  #lose(): void {
    const words = this.#parts.child.stderrTail;
    this.#finish({
      type: 'failure',
      failure: {
        code: 'process_lost',
        status: 500,
        type: 'api_error',
        message: `The \`claude\` process ended in the middle of the turn. Send the request again.${words ? ` Its last words: ${words}` : ''}`,
      },
    });
    this.end();
  }

  #receive(message: SDKMessage): void {
    switch (message.type) {
      case 'stream_event':
        if (message.parent_tool_use_id === null)
          this.#receiveEvent(message.event as unknown as RawEvent | { type: 'message_stop' });
        return;
      case 'assistant': {
        const failure = failureOfAssistant(message);
        if (failure) this.fail(failure);
        return;
      }
      case 'system':
        if (message.subtype === 'api_retry') this.fail(failureOfRetry(message));
        else if (message.subtype === 'init') this.#checkTools(message.tools);
        return;
      case 'result':
        // A turn still open here has had no answer and no error message either.
        if (this.#turn) this.#lose();
        else this.#settle();
        return;
    }
  }

  #receiveEvent(event: RawEvent | { type: 'message_stop' }): void {
    switch (event.type) {
      case 'message_start':
        // A second answer in one turn is the CLI going on by itself.
        if (this.#fold.hasStarted) this.fail(upstreamCut());
        else this.#relay(event);
        return;
      case 'content_block_start':
      case 'content_block_delta':
      case 'content_block_stop':
        this.#relay(event);
        return;
      case 'message_delta':
        if (event.delta.stop_reason === null) return;
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

  #relay(event: RawEvent): void {
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
    this.#finish({ type: 'message_stop', answer: { ...answer, content } });
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
    return turn;
  }

  /** Gives the open turn, if there is one, its one terminal event. */
  #finish(event: TurnEvent): void {
    const turn = this.#turn;
    this.#turn = undefined;
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
