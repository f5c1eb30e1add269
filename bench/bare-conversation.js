// @ts-check

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { query } from '@anthropic-ai/claude-agent-sdk';
import { EventQueue } from '../dist/src/async/event-queue.js';
import { HeldCalls } from '../dist/src/engine/held-calls/held-calls.js';
import { toRequestVariables } from '../dist/src/engine/parameters/request-variables.js';
import { ToolNames } from '../dist/src/engine/parameters/tool-names.js';
import { Child } from '../dist/src/engine/process/child.js';
import { toUserLine } from '../dist/src/engine/reuse/history-lines.js';
import { AnswerFold } from '../dist/src/engine/turn/answer-fold.js';
import { newMarker } from './observed-model.js';
import { MODEL, PARAMETERS, systemPrompt, TOOLS } from './workload.js';

/** @typedef {import('../src/spec/messages.ts').ContentBlock} ContentBlock */
/** @typedef {import('./gateway-conversation.js').MeasuredTurn} MeasuredTurn */

/** The same conversation on the bare Agent SDK, with streaming input. It holds tool calls as the gateway does. */
export class BareConversation {
  #model;
  #sdk;
  #marker = newMarker('bare');
  #child = new Child();
  #input = new EventQueue();
  #tools;
  #names;
  #heldCalls;
  /** @type {import('@anthropic-ai/claude-agent-sdk').Query | undefined} */
  #query;

  /**
   * @param {import('./observed-model.js').ObservedModel} model
   * @param {import('./bare-sdk.js').BareSdk} sdk
   * @param {typeof TOOLS} tools
   */
  constructor(model, sdk, tools) {
    this.#model = model;
    this.#sdk = sdk;
    this.#tools = tools;
    this.#names = new ToolNames(tools);
    this.#heldCalls = new HeldCalls(tools, this.#names);
  }

  /**
   * The first turn spawns the process. A later one needs the SDK's `result` of the turn before, which {@link turn} has
   * waited for, or a call that is held.
   *
   * @param {ContentBlock[]} content
   * @param {import('../dist/src/processes/spawn-gate.js').SpawnGate} [gate] that the spawn must pass
   * @returns {Promise<MeasuredTurn>}
   */
  async turn(content, gate) {
    const called = this.#model.next(this.#marker);
    const sentAt = performance.now();
    const leaveGate = await gate?.enter();
    this.#send(content);
    let firstEventAt = 0;
    const onFirstEvent = () => {
      firstEventAt = performance.now();
      leaveGate?.();
    };
    const [request, answer] = await Promise.all([called, this.#answer(onFirstEvent)]);
    return { ms: request.arrivedAt - sentAt, firstEventMs: firstEventAt - sentAt, request, answer };
  }

  /**
   * Sends a turn and kills the process some milliseconds after the model was called.
   *
   * @param {ContentBlock[]} content whose answer takes longer
   * @param {number} afterMs
   * @returns {Promise<number>} milliseconds from the kill until the model's caller has hung up
   */
  async leave(content, afterMs) {
    const called = this.#model.next(this.#marker);
    this.#send(content);
    const answer = this.#answer(() => undefined).catch(() => undefined);
    const request = await called;
    await sleep(afterMs);
    const leftAt = performance.now();
    const gone = this.end();
    const ms = (await this.#model.hungUp(request)) - leftAt;
    await Promise.all([gone, answer]);
    return ms;
  }

  /** Kills the process; resolves when it has exited. */
  end() {
    this.#child.end();
    this.#input.close();
    this.#query?.close();
    return this.#child.gone;
  }

  /** @param {ContentBlock[]} content */
  #send(content) {
    this.#sdk.turns += 1;
    if (content.some((block) => block.type === 'tool_result')) {
      for (const block of content) this.#heldCalls.complete(block);
      return;
    }
    this.#input.push(toUserLine({ role: 'user', content }, this.#names, randomUUID()));
    this.#query ??= this.#start();
  }

  #start() {
    const base = this.#sdk.options(this.#child);
    return query({
      prompt: this.#input,
      options: {
        ...base,
        model: MODEL,
        env: {
          ...base.env,
          ...toRequestVariables({ parameters: PARAMETERS, tools: this.#tools, betas: [] }, this.#names),
        },
        extraArgs: { ...base.extraArgs, 'append-system-prompt': systemPrompt(this.#marker) },
        mcpServers: this.#heldCalls.servers(),
      },
    });
  }

  /**
   * Reads on to the end of the answer: to its tool call, or to the SDK's `result`.
   *
   * @param {() => void} onFirstEvent
   */
  async #answer(onFirstEvent) {
    const fold = new AnswerFold();
    for (;;) {
      const next = await this.#query?.next();
      if (!next || next.done) throw new Error(`the bare process ended early: ${this.#child.ended?.stderr}`);
      const message = next.value;
      if (message.type === 'stream_event') {
        const event = /** @type {any} */ (message.event);
        if (event.type === 'message_start') onFirstEvent();
        if (event.type !== 'message_stop') fold.add(event);
        else if (fold.message && fold.message.stop_reason !== 'end_turn') return fold.message;
      }
      if (message.type === 'result') {
        if (message.is_error || !fold.message) throw new Error(`the bare turn failed: ${JSON.stringify(message)}`);
        return fold.message;
      }
    }
  }
}
