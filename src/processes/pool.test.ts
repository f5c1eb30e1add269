import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { BegunTurn, ConversationProcess, Engine, ProcessListener } from '../spec/engine.ts';
import type { MessagesRequest } from '../spec/messages.ts';
import { ProcessPool } from './pool.ts';

const LIMITS = {
  spares: 0,
  processes: 1,
  memoryBytes: Number.POSITIVE_INFINITY,
  spawnsAtATime: 1,
  queueLength: 0,
  queueDeadlineMs: 1_000,
  idleMs: 60_000,
  heldMs: 60_000,
};

test('a process that lives keeps nothing of the request that it was made for', async () => {
  const listeners: ProcessListener[] = [];
  const engine = {
    prepare: async () => undefined,
    replay: (_request: MessagesRequest, listener: ProcessListener) => {
      listeners.push(listener);
      return { process: { state: 'streaming', end: () => undefined } as unknown as ConversationProcess } as BegunTurn;
    },
  } as unknown as Engine;
  const pool = new ProcessPool(
    engine,
    LIMITS,
    () => undefined,
    () => undefined,
  );
  const request = await replayed(pool);
  listeners[0]?.onSpawned();
  await sleep(0);
  collectGarbage();
  expect(pool.counts.streaming).toBe(1);
  expect(request.deref()).toBeUndefined();
  pool.endAll();
});

async function replayed(pool: ProcessPool): Promise<WeakRef<MessagesRequest>> {
  const request = { model: 'any', messages: [], tools: [] } as unknown as MessagesRequest;
  await pool.replay({ request, caller: { id: 'c' }, signal: new AbortController().signal, marks: {} });
  return new WeakRef(request);
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}
