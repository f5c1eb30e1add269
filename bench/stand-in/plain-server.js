// @ts-check
import { createServer } from 'node:http';
import { StreamEncoder } from '../../dist/src/dialects/anthropic-messages/encode-answer.js';
import { ANSWER, answerEvents, readWish, stampedDelta } from './answers.js';

/**
 * The least that any server must do with such a request: read it, parse it, write the same events. Its times are the share of
 * the machine and of the measuring client.
 *
 * @returns {Promise<string>} its URL
 */
export async function startPlainServer() {
  const server = createServer(async (incoming, response) => {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { model, system } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const encoder = new StreamEncoder('plain');
    const write = (/** @type {import('../../src/spec/turn-events.ts').TurnEvent} */ event) =>
      response.write(encoder.encode(event));
    const [head, deltas, tail] = answerEvents(model);
    const complete = () => {
      for (const event of tail) write(event);
      write({ type: 'message_stop', answer: ANSWER });
      response.end();
    };
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'isthmus-path': 'plain' });
    for (const event of head) write(event);
    const { stream } = readWish(system);
    if (!stream) {
      for (const event of deltas) write(event);
      complete();
      return;
    }
    let left = stream.events;
    const pace = setInterval(() => {
      write(stampedDelta());
      left -= 1;
      if (left > 0) return;
      clearInterval(pace);
      complete();
    }, stream.everyMs);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  return `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`;
}
