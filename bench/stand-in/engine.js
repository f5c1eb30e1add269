// @ts-check

import { EventQueue } from '../../dist/src/async/event-queue.js';
import { stableJson } from '../../dist/src/conversation/canonical.js';
import { failure } from '../../dist/src/spec/failures.js';
import { ANSWER, answerEvents, readWish, stampedDelta } from './answers.js';

/** @typedef {import('../../src/spec/engine.ts').ProcessListener} ProcessListener */
/** @typedef {import('../../src/spec/messages.ts').MessagesRequest} MessagesRequest */

/**
 * In the engine's place it answers at once, or at a steady pace, without a process: what is left is the gateway's own
 * work. What the gateway and its pool do with an engine, and no more.
 */
export class StandInEngine {
  /**
   * @param {MessagesRequest} request
   * @param {ProcessListener} listener
   */
  replay(request, listener) {
    const process = new StandInProcess(request, listener);
    listener.onSpawned();
    return { process, events: process.answer(request) };
  }
}

let nextId = 1;

/** A conversation that ends after its second turn: as many of them live as are going to be continued. */
class StandInProcess {
  id = nextId++;
  toolsKey;
  betasKey;
  turns = 1;
  changedAt = performance.now();
  pid = undefined;
  /** @type {readonly string[]} */
  heldIds = [];
  /** @type {import('../../src/spec/engine.ts').ProcessState} */
  state = 'streaming';
  #listener;
  /** @type {EventQueue<any> | undefined} */
  #turn;
  /** @type {NodeJS.Timeout | undefined} */
  #pace;

  /**
   * @param {MessagesRequest} request
   * @param {ProcessListener} listener
   */
  constructor({ tools, betas }, listener) {
    this.toolsKey = stableJson(tools);
    this.betasKey = stableJson(betas);
    this.#listener = listener;
  }

  /** @param {MessagesRequest} request */
  async continue(request) {
    this.state = 'streaming';
    this.turns += 1;
    return this.answer(request);
  }

  /** @param {MessagesRequest} request */
  answer(request) {
    /** @type {EventQueue<any>} */
    const turn = new EventQueue();
    this.#turn = turn;
    const [head, deltas, tail] = answerEvents(request.model);
    const { stream } = readWish(request.system);
    for (const event of head) turn.push(event);
    if (stream) {
      let left = stream.events;
      this.#pace = setInterval(() => {
        turn.push(stampedDelta());
        left -= 1;
        if (left > 0) return;
        clearInterval(this.#pace);
        this.#complete(tail);
      }, stream.everyMs);
    } else {
      for (const event of deltas) turn.push(event);
      this.#complete(tail);
    }
    return turn;
  }

  /** @param {unknown[]} tail */
  #complete(tail) {
    const turn = this.#turn;
    this.#turn = undefined;
    for (const event of tail) turn?.push(event);
    this.state = 'idle';
    this.changedAt = performance.now();
    if (this.turns > 1) this.end();
    turn?.push({ type: 'message_stop', answer: ANSWER });
    turn?.close();
    if (this.state === 'idle') this.#listener.onParked(/** @type {any} */ (this));
  }

  end(why = failure('client_gone')) {
    if (this.state === 'ended') return;
    this.state = 'ended';
    clearInterval(this.#pace);
    this.#turn?.push({ type: 'failure', failure: why });
    this.#turn?.close();
    this.#listener.onEnded(/** @type {any} */ (this));
  }
}
