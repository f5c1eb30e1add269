import type {
  SDKAPIRetryMessage,
  SDKMessage,
  SDKRateLimitEvent,
  SDKResultMessage,
  SessionStoreEntry,
} from '@anthropic-ai/claude-agent-sdk';
import { type Failure, failure } from '../../spec/failures.ts';
import type { JsonObject } from '../../spec/messages.ts';
import type { HeardModel } from '../../spec/model-listing.ts';
import type { PlanLimits } from '../../spec/plan-limits.ts';
import type { ProcessEnd } from '../../spec/process-end.ts';
import type { TurnEvent } from '../../spec/turn-events.ts';
import type { ToolNames } from '../parameters/tool-names.ts';
import { AnswerFold, type RawEvent } from './answer-fold.ts';
import type { AnswerStrategy, TurnView } from './answer-strategy.ts';
import { asPlanLimit, readLimits } from './read-limits.ts';
import {
  type AssistantMessage,
  failureOfAssistant,
  failureOfRetry,
  inWordsOfPromptTooLong,
  isFailedCall,
  PROMPT_TOO_LONG,
} from './upstream-failure.ts';
import { inUpstreamWords, readUpstreamWords, type UpstreamWords } from './upstream-words.ts';
import { WholeAnswer } from './whole-answer.ts';

/** What to do after a message of the SDK. */
export type Reading =
  /** Pass the event on; `message_stop` and `failure` end the turn. */
  | { type: 'event'; event: TurnEvent }
  /** The process is up and about to call the model. */
  | { type: 'spawned' }
  /** The API has told of the plan's limits: behind an answer, also when its turn is over, or before a refusal. */
  | { type: 'limits'; limits: PlanLimits }
  /** A model has answered, and Claude Code tells its context window. */
  | { type: 'model'; model: HeardModel }
  /** The CLI has finished its turn and reads its input again. */
  | { type: 'settled' }
  /** More of the turn's answer, or words about its failure, may come: call {@link MessageReader.waited} after this time. */
  | { type: 'wait'; milliseconds: number }
  /** End the process at once: it is of no more use, or would call the model by itself. */
  | { type: 'end' };

export interface ReaderOptions {
  names: ToolNames;
  /** The names of the tools that the model was given. */
  declaredTools: ReadonlySet<string>;
  /** Whether a failed call becomes the answer instead of being repeated by the CLI. */
  failsAtFirstRetry: boolean;
  strategy: AnswerStrategy;
  /** Unix time in milliseconds, for what is told of limits. */
  now: () => number;
}

/** How long the API's own words may take after a failure is announced, in milliseconds. */
const WORDS_MS = 1_000;
/** How long the result of a failed turn may take, in milliseconds. */
const RESULT_MS = 1_000;
/** How long the next block of an answer that came whole may take, in milliseconds: they come in one go. */
const BLOCK_MS = 1_000;

/**
 * Reads the SDK's messages of one process: messages in, events of the turn and the state of the conversation out. It has no
 * process, no timer and no clock of its own: its owner passes the times in and does what the readings say.
 */
export class MessageReader {
  #options: ReaderOptions;
  #isOpen = false;
  /** Whether its turn was given up, and what comes is the rest of it. */
  #isAbandoned = false;
  #heldIds: string[] | undefined;
  /** The model's latest answer. */
  #fold = new AnswerFold();
  /** What the client sees of the open turn. */
  #view: TurnView;
  /** Whether the model's last answer is complete and the SDK runs tools. */
  #runsTools = false;
  /** The end of a block, held back until the stream goes on: Claude Code also ends the open block of a cut stream. */
  #blockStop: RawEvent | undefined;
  /** What the answer's `message_delta` events have said. */
  #said: JsonObject = {};
  /** The answer, while it comes whole. */
  #whole: WholeAnswer | undefined;
  /** The id of the last one that was complete. */
  #lastWhole: string | undefined;
  /** How many waits for a next block go on. */
  #blockWaits = 0;
  /** The failure of the open turn, while more words about it may come. */
  #failing: Failure | undefined;
  #waitsForWords = false;
  #terminalReason: string | undefined;
  #words: UpstreamWords | undefined;
  /** What was heard of the plan's limits in this turn. */
  #limits: PlanLimits | undefined;
  #hasSpoken = false;
  #lastHeardAt = 0;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#view = options.strategy.view();
  }

  /** Whether tools of the SDK's own run, so that silence means nothing. */
  get runsTools(): boolean {
    return this.#runsTools;
  }

  /** The tool_use ids of the last answer's calls, in order; undefined until an answer is complete. */
  get heldIds(): readonly string[] | undefined {
    return this.#heldIds;
  }

  /** The process gets another conversation, with these tools. */
  turnTo(tools: Pick<ReaderOptions, 'names' | 'declaredTools'>): void {
    this.#options = { ...this.#options, ...tools };
  }

  /** A turn begins: the reader takes what follows as its answer. */
  open(at: number): void {
    this.#isOpen = true;
    this.#isAbandoned = false;
    this.#heldIds = undefined;
    this.#fold = new AnswerFold();
    this.#view = this.#options.strategy.view();
    this.#runsTools = false;
    this.#blockStop = undefined;
    this.#whole = undefined;
    this.#terminalReason = undefined;
    this.#words = undefined;
    this.#limits = undefined;
    this.#lastHeardAt = at;
  }

  /** @param at when the message came, in milliseconds of one monotonic clock */
  read(message: SDKMessage, at: number): Reading[] {
    const silentMs = at - this.#lastHeardAt;
    this.#lastHeardAt = at;
    this.#hasSpoken = true;
    if (this.#isAbandoned) return this.#readRest(message);
    const seen = () => (this.#isOpen ? this.#view.hear(message).map(asReading) : []);
    if (isAnswerBlock(message)) return [...this.#readBlock(message), ...seen()];
    // Whatever else comes, the last block has come.
    const before = PASSES_BETWEEN_BLOCKS.has(message.type) ? [] : this.#completeWhole();
    return [...before, ...seen(), ...this.#readMessage(message, silentMs)];
  }

  /** The process may be faster than its rewind: what would make it call the model by itself still ends it. */
  #readRest(message: SDKMessage): Reading[] {
    if (message.type === 'result') return [{ type: 'settled' }];
    if (message.type !== 'stream_event' || message.parent_tool_use_id !== null) return [];
    const event = message.event as unknown as RawEvent | { type: 'message_stop' };
    if (event.type === 'message_stop' || !this.#fold.hasStarted) return [];
    this.#fold.add(event);
    if (event.type !== 'message_delta' || event.delta.stop_reason == null) return [];
    const { strategy, declaredTools } = this.#options;
    return strategy.mustEndAfter(this.#fold, declaredTools) ? [{ type: 'end' }] : [];
  }

  #readMessage(message: SDKMessage, silentMs: number): Reading[] {
    switch (message.type) {
      case 'stream_event':
        return message.parent_tool_use_id === null && !this.#failing
          ? this.#readEvent(message.event as unknown as RawEvent | { type: 'message_stop' })
          : [];
      case 'assistant': {
        const found = failureOfAssistant(message, silentMs);
        if (!found || this.#failing) return [];
        // The result that follows says more about the failure.
        this.#failing = found;
        return [{ type: 'wait', milliseconds: RESULT_MS }];
      }
      case 'system':
        if (message.subtype === 'api_retry') return this.#readRetry(message);
        return message.subtype === 'init' ? [{ type: 'spawned' }, ...this.#checkTools(message.tools)] : [];
      case 'rate_limit_event':
        return this.#readLimits(message);
      case 'result':
        return [...modelsOf(message), ...this.#readResult(message)];
      default:
        return [];
    }
  }

  /** Takes entries that the CLI added to its transcript, the only place with the API's own words. */
  hear(entries: readonly SessionStoreEntry[]): Reading[] {
    this.#view.keep(entries);
    const { found, words } = readUpstreamWords(entries);
    if (!found) return [];
    this.#words = words;
    return this.#waitsForWords ? this.waited() : [];
  }

  /** The time of a `wait` is over: what was waited for goes out as far as it is known. */
  waited(): Reading[] {
    if (this.#failing) return this.#failInUpstreamWords();
    if (this.#blockWaits > 0) this.#blockWaits -= 1;
    return this.#blockWaits === 0 ? this.#completeWhole() : [];
  }

  /**
   * The process has ended or will say nothing more.
   *
   * @param end how it ended, if known
   * @param cause what kept it from coming up, if known
   */
  lose(end: ProcessEnd | undefined, cause?: Failure): Reading[] {
    const why = this.#hasSpoken ? failure('process_lost', end) : (cause ?? failure('process_spawn_failed', end));
    return this.fail(this.#failing ?? why);
  }

  /** Ends the open turn, if there is one, with this failure. The process must end too. */
  fail(found: Failure): Reading[] {
    this.#failing = undefined;
    return [...this.#finish({ type: 'failure', failure: this.#view.failing(found) }), { type: 'end' }];
  }

  /**
   * Ends the open turn as far as it has come, and with it the process.
   *
   * @param otherwise how it fails where there is no answer yet
   */
  cut(otherwise: Failure): Reading[] {
    const readings = this.#complete(true);
    return readings.length > 0 ? [...readings, { type: 'end' }] : this.fail(otherwise);
  }

  /** Ends the open turn, if there is one, with this failure; the process is about to be rewound. */
  abandon(why: Failure): Reading[] {
    this.#failing = undefined;
    this.#isAbandoned = this.#isOpen;
    return this.#finish({ type: 'failure', failure: why });
  }

  /** An answer of which a part went out cannot begin anew, so its retry is a failure in any mode. */
  #readRetry(message: SDKAPIRetryMessage): Reading[] {
    if (!this.#options.failsAtFirstRetry && !this.#fold.hasStarted) return [];
    this.#failing = failureOfRetry(message);
    if (this.#words) return this.#failInUpstreamWords();
    this.#waitsForWords = true;
    // The CLI repeats the call when the delay is over.
    return [{ type: 'wait', milliseconds: Math.min(WORDS_MS, message.retry_delay_ms / 2) }];
  }

  #readResult({ subtype, terminal_reason: terminalReason }: SDKResultMessage): Reading[] {
    if (this.#failing) {
      this.#terminalReason = terminalReason;
      const isTold = this.#words?.status === this.#failing.status;
      if (terminalReason !== PROMPT_TOO_LONG || isTold) return this.#failInUpstreamWords();
      this.#waitsForWords = true;
      return [{ type: 'wait', milliseconds: WORDS_MS }];
    }
    if (!this.#isOpen) return [{ type: 'settled' }];
    if (this.#options.strategy.result === 'completes' && COMPLETE.has(subtype)) {
      this.#heldIds = [];
      const readings = this.#complete();
      // Behind another result the SDK gives the process up.
      if (readings.length > 0) return [...readings, { type: subtype === 'success' ? 'settled' : 'end' }];
    }
    // The turn got neither an answer nor an error message.
    return this.fail(failure('process_lost', undefined));
  }

  #failInUpstreamWords(): Reading[] {
    if (!this.#failing) return [];
    this.#waitsForWords = false;
    const inWords =
      inUpstreamWords(this.#failing, this.#words) ?? inWordsOfPromptTooLong(this.#failing, this.#terminalReason);
    const told = asPlanLimit(inWords, this.#limits);
    return this.fail(this.#terminalReason === PROMPT_TOO_LONG ? { ...told, exceedsContext: true } : told);
  }

  #readLimits(message: SDKRateLimitEvent): Reading[] {
    const limits = readLimits(message.rate_limit_info, this.#options.now());
    if (!limits) return [];
    this.#limits = limits;
    return [{ type: 'limits', limits }];
  }

  /** A block of an answer without a stream; the blocks of a stream have come as events. */
  #readBlock(message: AssistantMessage): Reading[] {
    const { id } = message.message;
    // The client has not got this block, and the process has.
    if (id === this.#lastWhole) return [{ type: 'end' }];
    const isWhole = id === this.#whole?.id || id !== this.#fold.message?.id;
    if (!isWhole || !this.#isOpen || this.#failing) return [];
    const begun: Reading[] = [];
    if (this.#whole?.id !== id) {
      this.#whole = new WholeAnswer(message);
      begun.push(...this.#readEvent(this.#whole.start()));
    }
    const readings = this.#whole.blocks(message).flatMap((event) => this.#readEvent(event));
    this.#blockWaits += 1;
    return [...begun, ...readings, { type: 'wait', milliseconds: BLOCK_MS }];
  }

  #completeWhole(): Reading[] {
    const whole = this.#whole;
    if (!whole || !this.#isOpen || this.#failing) return [];
    this.#whole = undefined;
    this.#lastWhole = whole.id;
    const delta = this.#readEvent(whole.end());
    return delta.some(({ type }) => type === 'end') ? delta : [...delta, ...this.#readEvent({ type: 'message_stop' })];
  }

  #readEvent(event: RawEvent | { type: 'message_stop' }): Reading[] {
    const { strategy, declaredTools } = this.#options;
    switch (event.type) {
      case 'message_start':
        if (this.#fold.hasStarted) {
          if (strategy.furtherAnswer === 'is a cut') return this.fail(failure('upstream_cut', { how: 'stream' }));
          this.#fold = new AnswerFold();
        }
        this.#said = {};
        this.#runsTools = false;
        return this.#relay(event);
      case 'content_block_start':
        return [...this.#relayBlockStop(), ...this.#relay(event)];
      case 'content_block_delta':
        return this.#relay(event);
      case 'content_block_stop':
        this.#blockStop = event;
        return [];
      case 'message_delta': {
        this.#said = { ...this.#said, ...withoutNull(event.delta) };
        // A cut stream has such a delta too; what the API says in it goes with the last one.
        if (event.delta.stop_reason == null) return [];
        const whole = { ...event, delta: { ...this.#said, ...event.delta } };
        const readings = [...this.#relayBlockStop(), ...this.#relay(whole)];
        // The last moment to keep the CLI from calling the model again.
        return strategy.mustEndAfter(this.#fold, declaredTools)
          ? [...readings, ...this.#complete(true), { type: 'end' }]
          : readings;
      }
      case 'message_stop':
        if (this.#fold.message?.stop_reason == null) return this.fail(failure('upstream_cut', { how: 'stream' }));
        if (strategy.result === 'completes') {
          this.#runsTools = true;
          return [];
        }
        this.#heldIds = callsIn(this.#fold);
        return this.#complete();
    }
  }

  #relayBlockStop(): Reading[] {
    const stop = this.#blockStop;
    this.#blockStop = undefined;
    return stop ? this.#relay(stop) : [];
  }

  #relay(event: RawEvent): Reading[] {
    // An answer without its `message_start` is none.
    if (event.type !== 'message_start' && !this.#fold.hasStarted) {
      return this.fail(failure('upstream_cut', { how: 'stream' }));
    }
    this.#fold.add(event);
    return this.#isOpen ? this.#view.show(this.#toClient(event)).map(asReading) : [];
  }

  #toClient(event: RawEvent): RawEvent {
    if (event.type !== 'content_block_start' || event.content_block.type !== 'tool_use') return event;
    const name = this.#options.names.toClient(String(event.content_block.name));
    return name === event.content_block.name ? event : { ...event, content_block: { ...event.content_block, name } };
  }

  /** @param isCut whether the process ends within the model's last answer */
  #complete(isCut = false): Reading[] {
    const end = this.#isOpen ? this.#view.end(this.#fold, isCut) : undefined;
    if (!end) return [];
    const { events, answer, hidden } = end;
    const content = answer.content.map((block) =>
      block.type === 'tool_use' ? { ...block, name: this.#options.names.toClient(String(block.name)) } : block,
    );
    const stop = this.#finish({
      type: 'message_stop',
      answer: { ...answer, content },
      // An agent has answered such a call by itself.
      ...(this.#fold.isUnfoldable && !hidden ? { unfoldable: failure('upstream_cut', { how: 'stream' }) } : {}),
      ...(hidden && { hidden }),
    });
    return [...events.map(asReading), ...stop];
  }

  #checkTools(names: readonly string[]): Reading[] {
    const missing = [...this.#options.declaredTools].filter((name) => !names.includes(name));
    return missing.length > 0 && this.#isOpen ? this.fail(failure('process_tools_missing', { names: missing })) : [];
  }

  /** Gives the open turn, if there is one, its one terminal event. */
  #finish(event: TurnEvent): Reading[] {
    if (!this.#isOpen) return [];
    this.#isOpen = false;
    return [{ type: 'event', event }];
  }
}

/** The results of a turn whose answers stand: it was done, or a limit has ended it. */
const COMPLETE: ReadonlySet<SDKResultMessage['subtype']> = new Set([
  'success',
  'error_max_turns',
  'error_max_budget_usd',
]);

function asReading(event: RawEvent): Reading {
  return { type: 'event', event };
}

function withoutNull(delta: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(delta).filter(([, value]) => value !== null));
}

/** What may come between two blocks of an answer that comes whole. */
const PASSES_BETWEEN_BLOCKS: ReadonlySet<SDKMessage['type']> = new Set(['rate_limit_event']);

/** The model of a message that the CLI made by itself. */
const SYNTHETIC = '<synthetic>';

function isAnswerBlock(message: SDKMessage): message is AssistantMessage {
  if (message.type !== 'assistant' || message.parent_tool_use_id !== null) return false;
  return !isFailedCall(message) && message.message.model !== SYNTHETIC;
}

function callsIn({ message }: AnswerFold): string[] {
  return (message?.content ?? []).flatMap((block) => (block.type === 'tool_use' ? [String(block.id)] : []));
}

/** The models that a result tells of. It tells of all in the process's life; a failed call makes no entry. */
function modelsOf({ modelUsage }: SDKResultMessage): Reading[] {
  return Object.entries(modelUsage ?? {}).map(([id, { contextWindow }]) => ({
    type: 'model',
    model: { id, contextWindow },
  }));
}
