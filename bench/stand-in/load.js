// @ts-check
import { randomUUID } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Sends requests over kept connections; opens as many as it needs at a time. */
export class Load {
  #url;
  #agent;

  /**
   * @param {string} url
   * @param {number} connections at most
   * @param {string} [path] of the dialect
   */
  constructor(url, connections, path = '/v1/messages') {
    this.#url = new URL(path, url);
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /**
   * @param {Buffer} body
   * @param {(chunk: Buffer) => void} [onChunk]
   * @returns {Promise<{ ms: number; path: string }>} from the sending to the end of the answer
   */
  send(body, onChunk) {
    return new Promise((resolve, reject) => {
      const sentAt = performance.now();
      const request = httpRequest(this.#url, {
        method: 'POST',
        agent: this.#agent,
        headers: { 'content-type': 'application/json', 'content-length': body.length, 'x-api-key': 'any' },
      });
      request.once('error', reject);
      request.once('response', (response) => {
        let size = 0;
        response.on('data', (chunk) => {
          size += chunk.length;
          onChunk?.(chunk);
        });
        response.once('error', reject);
        response.once('end', () => {
          if (response.statusCode !== 200 || size === 0) reject(new Error(`the answer was ${response.statusCode}`));
          else resolve({ ms: performance.now() - sentAt, path: String(response.headers['isthmus-path']) });
        });
      });
      request.end(body);
    });
  }

  /**
   * Sends at a steady pace, even if the answers do not keep up.
   *
   * @param {readonly Buffer[]} bodies
   * @param {number} perSecond
   */
  async paced(bodies, perSecond) {
    const startedAt = performance.now();
    const answers = [];
    for (const [index, body] of bodies.entries()) {
      const early = startedAt + (index * 1000) / perSecond - performance.now();
      if (early > 0) await sleep(early);
      answers.push(this.send(body));
    }
    return Promise.all(answers);
  }

  /**
   * Keeps so many requests under way: sends the next as soon as one is answered.
   *
   * @param {readonly Buffer[]} bodies
   * @param {number} atATime
   */
  async pressed(bodies, atATime) {
    const left = bodies.values();
    const sendOn = async () => {
      const answers = [];
      for (const body of left) answers.push(await this.send(body));
      return answers;
    };
    return (await Promise.all(Array.from({ length: atATime }, sendOn))).flat();
  }

  /** Drops the connections. */
  close() {
    this.#agent.destroy();
  }
}

const NONCE = '00000000-0000-0000-0000-000000000000';

/**
 * Makes bodies that differ only in a nonce, without serialising each.
 *
 * @param {(nonce: string) => object} request
 * @returns {(nonce: string) => Buffer}
 */
export function bodyMaker(request) {
  const template = Buffer.from(JSON.stringify(request(NONCE)));
  const at = template.indexOf(NONCE);
  return (nonce) => {
    const body = Buffer.from(template);
    body.write(nonce, at);
    return body;
  };
}

/** @param {number} count */
export function nonces(count) {
  return Array.from({ length: count }, () => randomUUID());
}
