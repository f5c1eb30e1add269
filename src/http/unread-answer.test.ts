import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from 'vitest';
import { cutWhenUnread } from './unread-answer.ts';

/** An answer to a client that reads nothing. */
async function unreadAnswer(write: (response: ServerResponse) => void) {
  const server = createServer((_request, response) => {
    cutWhenUnread(response, 30);
    write(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  socket.on('error', () => undefined).write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  const [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
  return {
    response,
    async end() {
      socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('an answer that nobody reads is cut, whole or not', async () => {
  for (const isWhole of [true, false]) {
    const { response, end } = await unreadAnswer((answer) => {
      answer.write('x'.repeat(30_000_000));
      if (isWhole) answer.end();
    });
    await once(response, 'close');
    expect(response.destroyed).toBe(true);
    await end();
  }
});

test('an answer may be silent for long', async () => {
  const { response, end } = await unreadAnswer((answer) => answer.write('x'));
  await once(response, 'timeout');
  await once(response.setTimeout(1), 'timeout');
  expect(response.destroyed).toBe(false);
  await end();
});
