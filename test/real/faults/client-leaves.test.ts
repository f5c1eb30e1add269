import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect } from 'vitest';
import { type Conversation, call, FaultStage, type Turn, words } from '../../support/fault-stage.ts';
import { until } from '../../support/gateway.ts';
import { testParts } from '../../support/test-parts.ts';

/**
 * A client that goes away, in every phase of its request, and comes back with the same one. Every day each phase is left by
 * one of the two ways, by turns, and those that every path has on one path.
 */

let stage: FaultStage;
beforeAll(async () => {
  stage = await FaultStage.open(['--spares', '0', '--keep-alive-seconds', '0.5']);
});
afterAll(() => stage?.close());

const ANSWER = words('an answer that takes several deltas');
const SILENT = { ...ANSWER, delay_ms: 60_000 };
const SLOW = { ...ANSWER, gap_ms: 150 };

const WAYS_TO_LEAVE: Record<string, (socket: Socket) => void> = {
  FIN: (socket) => socket.end(),
  RST: (socket) => socket.resetAndDestroy(),
};

/** What the conversation begins with, for each path that the request takes. */
const FIRST = { start: undefined, continue: ANSWER, 'continue with a tool result': call('a', 'b'), replay: ANSWER };

/** The path of the same turn when it comes once more: its process has gone back to before it. */
const AGAIN = {
  start: 'start',
  continue: 'continue',
  'continue with a tool result': 'replay',
  replay: 'continue',
} satisfies Record<keyof typeof FIRST, string>;

const PATHS = Object.keys(FIRST) as Array<keyof typeof FIRST>;

/** A conversation whose next turn takes this path. */
async function on(path: keyof typeof FIRST): Promise<Conversation> {
  const before = await stage.settledProcesses();
  const conversation = stage.conversation([], stage.ownKey());
  const first = FIRST[path];
  if (first) await conversation.take(first);
  if (path === 'replay') {
    const own = (await stage.settledProcesses()).filter((pid) => !before.includes(pid));
    for (const pid of own) await stage.loseProcess(pid);
  }
  return conversation;
}

/** A turn that was left while its process came up: the process is gone, and nobody calls the model. */
async function expectGone(turn: Turn, processes: number): Promise<void> {
  await until('its process is gone', () => stage.processes().length <= processes);
  await until('nothing is under way', () => stage.isQuiet());
  expect(turn.calls).toEqual([]);
}

/** A turn that was left within its answer: its call is over, nobody calls again by himself, and its process waits. */
async function expectGivenUp(turn: Turn, path: keyof typeof FIRST, before: number[]): Promise<void> {
  await until('nothing is under way', () => stage.isQuiet());
  expect(turn.calls.map(({ outcome }) => outcome)).toEqual(['aborted']);
  const processes = await stage.settledProcesses();
  if (path.startsWith('continue')) expect(processes).toEqual(before);
  else expect(processes).toHaveLength(before.length + 1);
}

/** A request of which a part is sent starts nothing, and its conversation goes on in the same process. */
async function expectUnheard(
  conversation: Conversation,
  turn: Turn,
  socket: Socket,
  leave: (socket: Socket) => void,
  processes: number[],
): Promise<void> {
  await until('it is sent', () => socket.bytesWritten > 0 && socket.writableLength === 0);
  leave(socket);
  await until('it has left', () => socket.closed);
  conversation.keep(turn, await turn.send());
  expect(turn.calls).toHaveLength(1);
  expect(stage.processes()).toEqual(processes);
}

async function again(conversation: Conversation, turn: Turn, path: string): Promise<void> {
  const { length } = turn.calls;
  const outcome = await turn.send();
  expect(outcome).toMatchObject({ kind: 'answer', path });
  conversation.keep(turn, outcome);
  expect(turn.calls).toHaveLength(length + 1);
  expect(await conversation.take(ANSWER)).toBe('continue');
}

type When = 'npm test' | 'every day' | 'soak';
const rows: Array<readonly [name: string, way: string, run: () => Promise<void>, when: When]> = [];

for (const [way, leave] of Object.entries(WAYS_TO_LEAVE)) {
  const isReset = way === 'RST';
  let phases = 0;

  /** @param when it is left by one of the ways; by the other one in the soak alone */
  function row(name: string, run: () => Promise<void>, when: When = 'every day'): void {
    phases += 1;
    // `npm test` resets.
    const isItsWay = when === 'npm test' ? isReset : isReset === (phases % 2 === 0);
    rows.push([name, way, run, isItsWay ? when : 'soak']);
  }

  row('while it sends the head of its request: nothing is started, and its conversation stays as it was', async () => {
    const conversation = await on('continue with a tool result');
    const processes = await stage.settledProcesses();
    const turn = conversation.next(ANSWER);
    const socket = connect(Number(new URL(stage.gateway.url).port), '127.0.0.1').on('error', () => undefined);
    socket.resume();
    const head = turn.toSend().split('\r\n\r\n')[0] ?? '';
    socket.write(head.slice(0, -10));
    await expectUnheard(conversation, turn, socket, leave, processes);
  });

  row(
    'while it sends its request: nothing is started, and its conversation stays as it was',
    async () => {
      const conversation = await on('continue with a tool result');
      const processes = await stage.settledProcesses();
      const turn = conversation.next(ANSWER);
      const { socket } = turn.sendAlone({}, 0.5);
      await expectUnheard(conversation, turn, socket, leave, processes);
    },
    'npm test',
  );

  for (const path of ['start', 'replay'] as const) {
    row(
      `while the process of its ${path} starts`,
      async () => {
        const conversation = await on(path);
        const before = await stage.settledProcesses();
        const turn = conversation.next(ANSWER);
        const { socket } = turn.sendAlone();
        // It may take the place of another one.
        await until('it starts', () => stage.processes().some((pid) => !before.includes(pid)));
        leave(socket);
        await expectGone(turn, before.length);
        await again(conversation, turn, path);
      },
      path === 'replay' ? 'npm test' : 'every day',
    );
  }

  for (const [path, stream] of PATHS.flatMap((path) => [true, false].map((stream) => [path, stream] as const))) {
    row(
      `before the first byte of the answer to a ${path} (stream: ${stream})`,
      async () => {
        const conversation = await on(path);
        const before = await stage.settledProcesses();
        const turn = conversation.next(SILENT, ANSWER);
        const { socket } = turn.sendAlone({ stream });
        await until('the model is called', () => turn.calls.length === 1);
        leave(socket);
        await expectGivenUp(turn, path, before);
        await again(conversation, turn, AGAIN[path]);
      },
      path === 'continue with a tool result' && !stream ? 'npm test' : path === 'start' ? 'every day' : 'soak',
    );
  }

  for (const path of PATHS) {
    row(
      `in the middle of the answer to a ${path}`,
      async () => {
        const conversation = await on(path);
        const before = await stage.settledProcesses();
        const turn = conversation.next(SLOW, ANSWER);
        const connection = turn.sendAlone();
        await until('a part has come', () => connection.heard.includes('content_block_delta'));
        leave(connection.socket);
        await expectGivenUp(turn, path, before);
        await again(conversation, turn, AGAIN[path]);
      },
      path === 'start' ? 'npm test' : path === 'replay' ? 'every day' : 'soak',
    );
  }

  for (const path of PATHS) {
    row(
      `after a ping, before the answer to a ${path}`,
      async () => {
        const conversation = await on(path);
        const before = await stage.settledProcesses();
        const turn = conversation.next(SILENT, ANSWER);
        const connection = turn.sendAlone();
        await until('a ping has come', () => connection.heard.includes('event: ping') && turn.calls.length === 1);
        leave(connection.socket);
        await expectGivenUp(turn, path, before);
        await again(conversation, turn, AGAIN[path]);
      },
      path === 'continue' ? 'every day' : 'soak',
    );
  }

  row('in the middle of an answer that does not stream', async () => {
    const conversation = await on('continue with a tool result');
    const before = await stage.settledProcesses();
    const turn = conversation.next(SLOW, ANSWER);
    const { socket } = turn.sendAlone({ stream: false });
    await until('the model answers', () => (turn.calls[0]?.events ?? 0) >= 4);
    leave(socket);
    await expectGivenUp(turn, 'continue with a tool result', before);
    await again(conversation, turn, AGAIN['continue with a tool result']);
  });

  row('in the middle of an answer, and no process is used again: its own is gone', async () => {
    const cold = await FaultStage.open(['--spares', '0', '--reuse', 'off']);
    try {
      const conversation = cold.conversation();
      await conversation.take(call('a'));
      const turn = conversation.next(SLOW, ANSWER);
      const connection = turn.sendAlone();
      await until('a part has come', () => connection.heard.includes('content_block_delta'));
      leave(connection.socket);
      await until('its process is gone', () => cold.processes().length === 0);
      await until('nothing is under way', () => cold.isQuiet());
      expect(turn.calls.map(({ outcome }) => outcome)).toEqual(['aborted']);
      await again(conversation, turn, 'replay');
    } finally {
      await cold.close();
    }
  });

  row(
    'while the gateway waits for its answer to stop: it stops at once, and its successor has the history',
    async () => {
      const stopping = await FaultStage.open(['--spares', '0']);
      try {
        const conversation = stopping.conversation();
        await conversation.take(call('a'));
        const turn = conversation.next({ ...ANSWER, gap_ms: 10_000 }, ANSWER);
        const { socket } = turn.sendAlone();
        await until('the model answers', () => (turn.calls[0]?.events ?? 0) >= 1);
        const { child, url } = stopping.gateway;
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        await until('it takes no more', () =>
          fetch(`${url}/health`).then(
            () => false,
            () => true,
          ),
        );
        expect(child.exitCode).toBeNull();
        leave(socket);
        expect(await exited).toEqual([0, null]);
        await until('the call is over', () => turn.calls[0]?.outcome === 'aborted');
        await stopping.restart();
        await again(conversation, turn, 'replay');
      } finally {
        await stopping.close();
      }
    },
  );

  row('after the last event: the answer is its, and the conversation is continued', async () => {
    const conversation = await on('continue');
    for (const reply of [call('a'), ANSWER]) {
      const turn = conversation.next(reply);
      const connection = turn.sendAlone();
      await until('all has come', () => connection.heard.includes('event: message_stop'));
      leave(connection.socket);
      await until('it has left', () => connection.socket.closed);
      conversation.keepHeard(turn, connection);
    }
    expect(await conversation.take(ANSWER)).toBe('continue');
  });

  row('while it waits for a place: its place in the queue is free, and nothing is started', async () => {
    const small = await FaultStage.open(['--spares', '0', '--max-processes', '1']);
    try {
      const busy = small.conversation().next(SLOW);
      const answering = busy.send();
      await until('the only place is taken', () => busy.calls.length === 1);
      const conversation = small.conversation();
      const turn = conversation.next(ANSWER);
      const { socket } = turn.sendAlone();
      await until('it waits', async () => (await small.gateway.health()).waiting === 1);
      leave(socket);
      await until('it waits no more', async () => (await small.gateway.health()).waiting === 0);
      busy.expectAnswer(await answering);
      expect(turn.calls).toEqual([]);
      conversation.keep(turn, await turn.send());
    } finally {
      await small.close();
    }
  });
}

testParts('clientLeaves', rows, {
  isQuick: ([, , , when]) => when === 'npm test',
  isEveryday: ([, , , when]) => when === 'every day',
})('%s, by %s', async (_name, _way, run) => run());
