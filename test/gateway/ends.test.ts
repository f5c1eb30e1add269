import { connect, type Socket } from 'node:net';
import type { Anthropic, APIError } from '@anthropic-ai/sdk';
import { afterEach, describe, expect, test } from 'vitest';
import { NEVER } from '../../test-engine/faults.ts';
import type { EngineReply } from '../../test-engine/reply.ts';
import { until } from '../support/gateway.ts';
import { goOn, InProcessGateway, type InProcessOptions, resultsFor } from '../support/gateway-in-process.ts';

/** Clients that leave, and a gateway that is stopped. */

let house: InProcessGateway;
afterEach(() => house?.stop());

const TEXT: EngineReply = { content: [{ type: 'text', text: 'some words that take several deltas' }] };
const CALL: EngineReply = { content: [{ type: 'tool_use', name: 'read', input: {} }] };
const SILENT: EngineReply = { ...TEXT, pause: { after_events: 0, until: NEVER } };
const HALTING: EngineReply = { ...TEXT, cut: { after_events: 4, how: 'silence' } };
const HI: Anthropic.MessageParam[] = [{ role: 'user', content: 'hi' }];

async function setUp(replies: EngineReply[], options: InProcessOptions = {}) {
  house = await InProcessGateway.start([{ replies }], options);
  return house;
}

/** Sends a request by hand, so that it can leave in any way. */
function sendAlone(messages: Anthropic.MessageParam[], stream: boolean): { socket: Socket; heard: () => string } {
  let heard = '';
  const socket = connect(Number(new URL(house.url).port), '127.0.0.1').on('error', () => undefined);
  socket.setEncoding('utf8').on('data', (text) => {
    heard += text;
  });
  const tools = [{ name: 'read', input_schema: { type: 'object' } }];
  const body = JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 100, tools, messages, stream });
  const head = [
    'POST /v1/messages HTTP/1.1',
    'host: 127.0.0.1',
    'authorization: Bearer any',
    'content-type: application/json',
  ];
  socket.write(`${head.join('\r\n')}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  return { socket, heard: () => heard };
}

const isNothingOpen = () => house.engine.processes.every(({ state }) => state !== 'streaming');

describe.each<[string, (socket: Socket) => void]>([
  ['FIN', (socket) => socket.end()],
  ['RST', (socket) => socket.resetAndDestroy()],
])('a client that leaves by %s', (_how, leave) => {
  test.each([true, false])('before the first byte ends its turn at once (stream: %s)', async (stream) => {
    await setUp([SILENT, TEXT]);
    const { socket } = sendAlone(HI, stream);
    await until('the model is called', () => house.calls.length === 1);
    leave(socket);
    await until('its process waits', isNothingOpen);
    await until('it is logged', () => house.log.length === 1);
    expect(house.log[0]).toContain('outcome=client_gone status=499');
    expect((await house.ask(HI)).data.content).toEqual(TEXT.content);
  });

  test.each([true, false])('within its answer ends its turn at once (stream: %s)', async (stream) => {
    await setUp([CALL, HALTING, TEXT]);
    const { data } = await house.ask(HI);
    const next = goOn(HI, data.content, resultsFor(data.content));
    const { socket, heard } = sendAlone(next, stream);
    await until(
      'it is answered',
      () => house.calls.length === 2 && (!stream || heard().includes('content_block_delta')),
    );
    leave(socket);
    await until('its process waits', isNothingOpen);
    const again = await house.ask(next);
    expect(again.response.headers.get('isthmus-path')).toBe('replay');
    expect(again.data.content).toEqual(TEXT.content);
  });

  test('while its process is spawned ends that, and the model is not called', async () => {
    await setUp([TEXT], { faults: { spawn: NEVER } });
    const { socket } = sendAlone(HI, true);
    await until('it is spawned', () => house.engine.processes.length === 1);
    leave(socket);
    await until('it is gone', () => house.engine.processes.length === 0);
    expect(house.calls).toEqual([]);
  });

  test.each(['claim', 'continue'] as const)('while a process hangs at its %s ends that', async (fault) => {
    await setUp([TEXT], { spares: fault === 'claim' ? 1 : 0 });
    const { data } = await house.ask('before');
    if (fault === 'claim') await until('there is a spare', () => house.engine.spares.length === 1);
    house.engine.faults[fault] = NEVER;
    house.engine.faults.spawnSpare = 'fails';
    const before: Anthropic.MessageParam[] = [{ role: 'user', content: 'before' }];
    const { socket } = sendAlone(fault === 'claim' ? HI : goOn(before, data.content), true);
    const { status } = house.gateway;
    await until('it is waited for', () =>
      fault === 'claim' ? house.gateway.status.processes.spare === 0 : !isNothingOpen(),
    );
    expect(house.calls).toHaveLength(1);
    leave(socket);
    await until('it is gone', () => house.engine.spares.length === 0 && isNothingOpen());
    expect(house.engine.processes).toHaveLength(status.processes.idle - (fault === 'claim' ? 0 : 1));
    expect(house.calls).toHaveLength(1);
  });

  test('within its answer may say something else on the same process', async () => {
    await setUp([TEXT, HALTING, TEXT]);
    const { data } = await house.ask(HI);
    const { socket, heard } = sendAlone(goOn(HI, data.content), true);
    await until('it is answered', () => heard().includes('content_block_delta'));
    leave(socket);
    await until('its process waits', isNothingOpen);
    const again = await house.ask([...goOn(HI, data.content).slice(0, -1), { role: 'user', content: 'instead' }]);
    expect(again.response.headers.get('isthmus-path')).toBe('continue');
    expect(house.calls.at(-1)?.messages.at(-1)).toMatchObject({ content: [{ text: 'instead' }] });
    expect(house.engine.processes).toHaveLength(1);
  });

  test('within its answer ends its process if that cannot be cut back', async () => {
    await setUp([HALTING, TEXT], { faults: { giveUp: 'fails' } });
    const { socket, heard } = sendAlone(HI, true);
    await until('it is answered', () => heard().includes('content_block_delta'));
    leave(socket);
    await until('its process is gone', () => house.engine.processes.length === 0);
  });

  test('after the last event has its answer, and its conversation is continued', async () => {
    await setUp([TEXT]);
    const { socket, heard } = sendAlone(HI, true);
    await until('all has come', () => heard().includes('event: message_stop'));
    leave(socket);
    await until('it has left', () => socket.closed);
    const next = await house.ask(goOn(HI, TEXT.content as Anthropic.ContentBlock[]));
    expect(next.response.headers.get('isthmus-path')).toBe('continue');
  });
});

describe('a gateway that is drained', () => {
  const failing = (turn: Promise<unknown>): Promise<APIError> =>
    turn.then(
      () => Promise.reject(new Error('it was answered')),
      (error: APIError) => error,
    );
  const shuttingDown = {
    status: 503,
    error: {
      error: {
        type: 'overloaded_error',
        message: 'Isthmus is shutting down.',
        details: { error_code: 'shutting_down' },
      },
    },
  };

  test('lets turns under way finish, and takes no new ones', async () => {
    let letGo = () => {};
    const goes = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const { gateway, engine, calls } = await setUp([TEXT, { ...TEXT, pause: { after_events: 2, until: goes } }], {
      spares: 1,
    });
    await house.ask('before');
    const turn = house.ask(HI);
    await until('it is answered', () => calls.length === 2);
    const drained = gateway.drain(60_000);
    await until('what waits has ended', () => engine.processes.length === 1 && engine.spares.length === 0);
    const late = await failing(house.ask('late'));
    expect(late).toMatchObject(shuttingDown);
    // Until then the next gateway can be there.
    expect(late.headers?.get('retry-after')).toBe('60');
    expect(gateway.isDraining).toBe(true);
    expect(await failing(house.client().messages.countTokens({ model: 'm', messages: HI }))).toMatchObject(
      shuttingDown,
    );
    letGo();
    expect((await turn).data.content).toEqual(TEXT.content);
    await drained;
    expect(engine.processes).toEqual([]);
    expect(calls).toHaveLength(2);
  });

  test('tells what cannot finish in time, and what still waits', async () => {
    const { gateway, engine, calls } = await setUp([SILENT], { processes: 1 });
    const turns = [failing(house.ask(HI))];
    await until('it is asked', () => calls.length === 1);
    turns.push(failing(house.ask('queued')));
    await until('one waits', () => gateway.status.waiting === 1);
    await gateway.drain(1);
    for (const error of await Promise.all(turns)) {
      expect(error).toMatchObject(shuttingDown);
      expect(error.headers?.get('retry-after')).toBe('1');
    }
    expect(engine.processes).toEqual([]);
    expect(calls).toHaveLength(1);
  });

  test('ends an answer within its stream by an error event', async () => {
    const { gateway } = await setUp([HALTING]);
    const response = await house.stream(HI);
    await gateway.drain(1);
    expect(await response.text()).toMatch(/content_block_delta.*event: error\n.*shutting_down/s);
  });

  test('ends a spare that was just starting when it has started', async () => {
    let starts = () => {};
    const start = new Promise<void>((resolve) => {
      starts = resolve;
    });
    const { gateway, engine } = await setUp([TEXT], { spares: 1, faults: { spawnSpare: start } });
    await gateway.drain(1);
    starts();
    await engine.allGone();
    expect(engine.spares).toEqual([]);
  });
});
