// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { newestToolResults, newestUserText } from '../dist/scripted-model/script.js';
import { startScriptedModel } from '../dist/scripted-model/testing.js';

/** @typedef {import('../scripted-model/testing.ts').RecordedRequest} RecordedRequest */
/** @typedef {import('../dist/scripted-model/testing.js').ScriptedModel} ScriptedModel */
/** @typedef {import('../scripted-model/script.ts').ModelRequest} ModelRequest */
/** @typedef {import('../scripted-model/script.ts').Reply} Reply */

/** In the newest turn, asks the model for a tool call. */
export const CALL_A_TOOL = '(call a tool)';
/** In the newest turn, asks for an answer after which the gateway keeps no process. */
export const LEAVE_NO_PROCESS = '(leave no process)';
/** In the newest turn, asks for an answer that does not come: a client has time to leave before its first event. */
export const ANSWER_LATE = '(answer late)';
/** In the newest turn, asks for an answer that begins after {@link MODEL_MS}. */
export const THINK_FIRST = '(think first)';
/** What a quick model takes until its answer begins, in milliseconds. */
export const MODEL_MS = 150;
/** In the newest turn, asks for an answer that takes long to write: a client has time to leave in its midst. */
export const ANSWER_SLOWLY = '(answer slowly)';

/** In the newest turn, asks for a call of Claude Code's own tool that reads the file whose path follows, up to a `)`. */
export const READ_THE_FILE = '(read the file ';

/** How long a step may take before the run is given up, in milliseconds. */
const DEADLINE_MS = 60_000;

/**
 * The scripted model in this process, so that one clock reads both ends of every measured time. A marker in the system
 * prompt, or in the first message, tells conversations apart.
 */
export class ObservedModel {
  #model;
  /** @type {Map<string, (request: RecordedRequest) => void>} */
  #waiting = new Map();
  /** @type {Map<string, number>} */
  #calls = new Map();
  /** @type {string[]} */
  #unasked = [];

  /** @param {ScriptedModel} model */
  constructor(model) {
    this.#model = model;
  }

  /** Starts listening on a free port of 127.0.0.1. */
  static async start() {
    /** @type {ObservedModel | undefined} */
    let observed;
    const model = await startScriptedModel({
      script: [reply],
      onRequest: (/** @type {RecordedRequest} */ request) => observed?.receive(request),
    });
    observed = new ObservedModel(model);
    return observed;
  }

  get url() {
    return this.#model.url;
  }

  /**
   * Resolves to the next request of a conversation. Call it before the step that causes the request.
   *
   * @param {string} marker
   * @returns {Promise<RecordedRequest>}
   */
  next(marker) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`the model was not called for ${marker} within ${DEADLINE_MS} ms`)),
        DEADLINE_MS,
      ).unref();
      this.#waiting.set(marker, (request) => {
        clearTimeout(timer);
        resolve(request);
      });
    });
  }

  /**
   * Counts the requests of conversations whose marker has this prefix.
   *
   * @param {string} prefix
   */
  calls(prefix) {
    return [...this.#calls].reduce((sum, [marker, calls]) => sum + (marker.startsWith(prefix) ? calls : 0), 0);
  }

  /**
   * Resolves when the caller of a request has hung up before the end of its answer.
   *
   * @param {RecordedRequest} request
   * @returns {Promise<number>} as `performance.now()` tells it
   */
  async hungUp(request) {
    const until = performance.now() + DEADLINE_MS;
    while (request.outcome === 'open' && performance.now() < until) await sleep(2);
    if (request.outcome !== 'aborted') throw new Error(`the call was to be aborted, but is ${request.outcome}`);
    return request.endedAt ?? Number.NaN;
  }

  /** The requests since the last call that no turn asked for: each is paid for, and nobody reads its answer. */
  takeUnasked() {
    return this.#unasked.splice(0);
  }

  /** @param {RecordedRequest} request */
  receive(request) {
    const marker = markerOf(request.body) ?? '';
    this.#calls.set(marker, (this.#calls.get(marker) ?? 0) + 1);
    const waiting = this.#waiting.get(marker);
    if (!waiting && !marker.startsWith('bare')) {
      const { messages } = request.body;
      this.#unasked.push(
        `${marker || 'a request without a marker'}: ${messages.length} messages, the last ${JSON.stringify(messages.at(-1)).slice(0, 200)}`,
      );
    }
    this.#waiting.delete(marker);
    waiting?.(request);
    // Megabytes of bodies would otherwise stay until the end of the run.
    this.#model.requests.length = 0;
  }

  close() {
    return this.#model.close();
  }
}

let lastMarker = 0;

/**
 * A marker of its own for one conversation, to be put into its system prompt.
 *
 * @param {'gateway' | 'bare' | 'agent-gateway' | 'agent-bare'} side
 */
export function newMarker(side) {
  lastMarker += 1;
  return `${side}-${lastMarker}`;
}

/**
 * The sentence that carries the marker.
 *
 * @param {string} marker
 */
export function markerSentence(marker) {
  return `This is conversation <${marker}> of the benchmark.`;
}

/**
 * The marker in a text, if it has one.
 *
 * @param {string} text
 */
export function findMarker(text) {
  return /This is conversation <([\w-]+)> of the benchmark/.exec(text)?.[1];
}

/** Conversations that share a system prompt have it in their first message. @param {ModelRequest} request */
function markerOf({ system, messages }) {
  const own = typeof system === 'string' ? system : (system ?? []).map((block) => block.text ?? '').join('\n');
  return findMarker(own) ?? findMarker(JSON.stringify(messages[0]));
}

/**
 * @param {ModelRequest} request
 * @returns {Reply}
 */
function reply(request) {
  const newest = `${newestUserText(request)}\n${JSON.stringify(newestToolResults(request))}`;
  const text = /** @type {const} */ ({ type: 'text', text: 'I have looked at what you asked for and will go on.' });
  // An answer cut by its limit: the gateway ends such a process, because the CLI would call the model again.
  if (newest.includes(LEAVE_NO_PROCESS)) return { content: [text], stop_reason: 'max_tokens' };
  if (newest.includes(THINK_FIRST)) return { content: [text], delay_ms: MODEL_MS };
  if (newest.includes(ANSWER_LATE)) return { content: [text], delay_ms: 2 * DEADLINE_MS };
  if (newest.includes(ANSWER_SLOWLY)) return { content: [text], delta_length: 1, gap_ms: DEADLINE_MS / 20 };
  const [, path] = newest.split(READ_THE_FILE);
  if (path !== undefined) {
    const input = { file_path: path.slice(0, path.indexOf(')')) };
    return { content: [{ type: 'tool_use', id: 'toolu_read', name: 'Read', input }] };
  }
  if (!newest.includes(CALL_A_TOOL)) return { content: [text] };
  return { content: [text, { type: 'tool_use', name: 'read', input: { path: 'src/index.ts', limit: 200 } }] };
}
