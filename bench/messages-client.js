// @ts-check
import { Agent, request as httpRequest } from 'node:http';
import { AnswerFold } from '../dist/src/engine/turn/answer-fold.js';

/** @typedef {import('../src/spec/messages.ts').AnswerMessage} AnswerMessage */

/**
 * A streaming client of the Messages API, with its connection kept open as the official clients keep theirs.
 */
export class MessagesClient {
  #url;
  #agent = new Agent({ keepAlive: true });
  /** Turns that were answered to their end, or left after they had reached the model. */
  turns = 0;

  /** @param {string} url the gateway's */
  constructor(url) {
    this.#url = url;
  }

  /**
   * Sends one request and reads its answer to the end.
   *
   * @param {Buffer} body serialised by the caller, who starts the clock afterwards
   * @returns {Promise<{ answer: AnswerMessage; path: string; firstEventAt: number }>} `path` is how the gateway reached
   *   the model
   */
  async send(body) {
    const response = await this.#post(body);
    const chunks = [];
    let firstEventAt = 0;
    for await (const chunk of response) {
      // A ping is no event of the answer.
      if (firstEventAt === 0 && chunk.includes('message_start')) firstEventAt = performance.now();
      chunks.push(chunk);
    }
    const stream = Buffer.concat(chunks).toString('utf8');
    if (response.statusCode !== 200) throw new Error(`the gateway answered ${response.statusCode}: ${stream}`);
    const fold = new AnswerFold();
    let isComplete = false;
    for (const [, data] of stream.matchAll(/^data: (.*)$/gm)) {
      const event = JSON.parse(data ?? '');
      if (event.type === 'error') throw new Error(`the gateway's stream broke: ${data}`);
      if (event.type === 'message_stop') isComplete = true;
      else if (event.type !== 'ping') fold.add(event);
    }
    if (!isComplete || !fold.message) throw new Error('the gateway ended its stream without message_stop');
    this.turns += 1;
    return { answer: fold.message, path: String(response.headers['isthmus-path']), firstEventAt };
  }

  /**
   * Sends one request and hangs up before its answer is complete.
   *
   * @param {Buffer} body
   * @param {Promise<unknown>} moment hangs up when it resolves
   * @returns {Promise<number>} `performance.now()` when it hung up
   */
  async leave(body, moment) {
    const request = this.#request(body);
    request.once('response', (response) => response.on('error', () => undefined).resume());
    request.on('error', () => undefined);
    request.end(body);
    await moment;
    this.turns += 1;
    request.destroy();
    return performance.now();
  }

  /** Drops the connections. */
  close() {
    this.#agent.destroy();
  }

  /**
   * @param {Buffer} body
   * @returns {Promise<import('node:http').IncomingMessage>}
   */
  #post(body) {
    return new Promise((resolve, reject) => {
      const request = this.#request(body);
      request.once('error', reject);
      request.once('response', resolve);
      request.end(body);
    });
  }

  /** @param {Buffer} body */
  #request(body) {
    return httpRequest(`${this.#url}/v1/messages`, {
      method: 'POST',
      agent: this.#agent,
      headers: {
        'content-type': 'application/json',
        'content-length': body.length,
        'x-api-key': 'any',
        'anthropic-version': '2023-06-01',
      },
    });
  }
}
