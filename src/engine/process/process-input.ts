import { randomUUID } from 'node:crypto';
import type { Query, SDKMessage, SDKUserMessage } from '@anthropic-ai/claude-agent-sdk';
import type { EventQueue } from '../../async/event-queue.ts';
import { stableJson } from '../../conversation/canonical.ts';
import type { Message, MessagesRequest } from '../../spec/messages.ts';
import { CUSTOM_HEADERS } from '../environment/custom-headers.ts';
import { type RequestVariables, toRequestVariables } from '../parameters/request-variables.ts';
import type { ToolNames } from '../parameters/tool-names.ts';
import { toHistoryLine, toUserLine } from '../reuse/history-lines.ts';
import { InputReceipts } from '../reuse/input-receipts.ts';
import type { KnownMessages, Point } from '../reuse/known-messages.ts';
import { rewind } from '../reuse/rewind.ts';
import { partsFor, type RequestParts } from './request-parts.ts';

export interface InputParts extends RequestParts {
  query: Query;
  input: EventQueue<SDKUserMessage>;
  /** What it was given before its first turn begins. */
  known: KnownMessages;
  /** The headers of a process's requests, by the gateways that the client's request came through. */
  headersFor: (via: readonly string[]) => string;
}

/** All that a process is told: messages, results of calls, tools and parameters; and what it has of them. */
export class ProcessInput {
  readonly #query: Query;
  readonly #input: EventQueue<SDKUserMessage>;
  readonly #known: KnownMessages;
  readonly #headersFor: InputParts['headersFor'];
  readonly #receipts = new InputReceipts();
  #tools: Pick<RequestParts, 'tools' | 'names' | 'heldCalls'>;
  /** How often it got other tools. */
  #toolChanges = 0;
  #variables: RequestVariables;
  #headers: string;
  /** Whether its assistant lines are those of the turn that it was given. */
  #isAnswering = false;
  #done: Promise<void> = Promise.resolve();

  constructor(parts: InputParts) {
    this.#query = parts.query;
    this.#input = parts.input;
    this.#known = parts.known;
    this.#headersFor = parts.headersFor;
    this.#tools = parts;
    this.#variables = parts.variables;
    this.#headers = parts.headersFor(parts.via);
  }

  /** The tools of its conversation. */
  get tools(): Pick<RequestParts, 'tools' | 'names'> {
    return this.#tools;
  }

  /** Resolves some milliseconds after the SDK's result, when the process can be rewound. */
  get done(): Promise<void> {
    return this.#done;
  }

  /** See `ConversationProcess.messagesToLoad`. */
  messagesToLoad({ messages }: MessagesRequest, shared: number, isHolding: boolean): number {
    const way = this.#known.wayTo(shared, isHolding);
    return way ? messages.length - 1 - way.from : Number.POSITIVE_INFINITY;
  }

  hear(message: SDKMessage): void {
    this.#receipts.hear(message);
    if (message.type !== 'assistant' || !this.#isAnswering || message.parent_tool_use_id !== null) return;
    // Words of Claude Code's own, such as an error.
    const isSynthetic = message.message.model === '<synthetic>';
    this.#known.addSpoken(isSynthetic ? undefined : message.uuid);
  }

  /** What it was given last is the turn that it makes by itself. */
  begin(): void {
    this.#isAnswering = true;
    this.#done = this.#receipts.taken(this.#known.lastGiven as string);
  }

  /** Gives it the newest message of a request, which it answers. */
  say({ messages }: MessagesRequest): void {
    const newest = messages.at(-1) as Message;
    const uuid = randomUUID();
    this.#known.addTurn(newest, messages.length - 1, uuid);
    this.#isAnswering = true;
    this.#done = this.#receipts.taken(uuid);
    this.#input.push(toUserLine(newest, this.#tools.names, uuid));
  }

  /** Completes the held calls with the results in the newest message of a request. */
  complete({ messages }: MessagesRequest): void {
    this.#known.addResults(messages.length - 1);
    for (const result of messages.at(-1)?.content ?? []) this.#tools.heldCalls.complete(result);
  }

  /** Gives it the parameters of its conversation's next request. */
  async setParameters(request: MessagesRequest, names: ToolNames = this.#tools.names): Promise<void> {
    const wanted = toRequestVariables(request, names);
    const headers = this.#headersFor(request.via ?? []);
    const hasOtherHeaders = headers !== this.#headers;
    if (!hasOtherHeaders && stableJson(wanted) === stableJson(this.#variables)) return;
    const env = hasOtherHeaders ? { ...wanted, [CUSTOM_HEADERS]: headers } : wanted;
    await this.#query.applyFlagSettings({ env });
    this.#variables = wanted;
    this.#headers = headers;
  }

  /**
   * Makes its conversation that of a request, but for the newest message.
   *
   * @param shared how many of the request's first messages it holds
   * @param isHolding whether it holds calls, which it gives up
   * @throws Error when it may not have come there: it must end then
   */
  async bringTo(request: MessagesRequest, shared: number, isHolding: boolean): Promise<void> {
    const way = this.#known.wayTo(shared, isHolding);
    if (!way) throw new Error('there is no way to this conversation');
    if (isHolding) {
      // It gives its calls up before it loses their tools.
      if (way.rewindTo) await this.#rewindTo(way.rewindTo, true);
      await this.#changeTo(request);
    } else {
      await this.#done;
      // It takes one after the other; the answers are waited for together.
      await Promise.all([way.rewindTo && this.#rewindTo(way.rewindTo, false), this.#changeTo(request)]);
    }
    for (const [index, message] of request.messages.slice(way.from, -1).entries()) {
      const uuid = randomUUID();
      const taken = this.#receipts.taken(uuid);
      this.#known.addHistory(message, way.from + index, uuid);
      this.#input.push(toHistoryLine(message, request.model, this.#tools.names, uuid));
      // Else it may take the next one first.
      await taken;
    }
  }

  /** Whether it can be rewound to a message before the turn that is under way. */
  get canCutTurn(): boolean {
    return this.#known.lastPoint !== undefined;
  }

  /**
   * Cuts its conversation back to before the newest user message, and with it the turn that is under way.
   *
   * @returns how many messages it holds then
   * @throws Error when it may not have come there: it must end then
   */
  async cutTurn(): Promise<number> {
    const { lastPoint } = this.#known;
    if (!lastPoint) throw new Error('there is no message to go back to');
    await this.#rewindTo(lastPoint, true);
    this.#done = Promise.resolve();
    return lastPoint.at;
  }

  close(): void {
    this.#input.close();
  }

  async #rewindTo({ at, uuid, behind }: Point, interrupts: boolean): Promise<void> {
    const lastSeen = this.#known.lastGiven ?? uuid;
    const { heldCalls } = this.#tools;
    this.#isAnswering = false;
    await rewind(this.#query, { target: uuid, lastSeen, behind, interrupts });
    this.#known.cutBack(at);
    heldCalls.drop();
  }

  async #changeTo(request: MessagesRequest): Promise<void> {
    const { tools, names, heldCalls } = partsFor(request);
    const changes: Array<Promise<unknown>> = [this.setParameters(request, names)];
    const isSame = heldCalls.hasSameNames(this.#tools.heldCalls);
    if (!isSame) {
      this.#toolChanges += 1;
      changes.push(this.#query.setMcpServers(heldCalls.servers(this.#toolChanges)));
    }
    await Promise.all(changes);
    this.#tools = { tools, names, heldCalls: isSame ? this.#tools.heldCalls : heldCalls };
  }
}
