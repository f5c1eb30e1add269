import { afterEach, expect, test, vi } from 'vitest';
import { FailureError } from '../spec/failures.ts';
import { type BudgetLimits, NEW_PROCESS_BYTES, ProcessBudget } from './budget.ts';

const never = new AbortController().signal;
const MANY_BYTES = 1e15;
const noneLeaves = () => false;

function budget(
  limits: Partial<BudgetLimits>,
  evict: () => boolean = () => false,
  memoryBytes: () => number = () => 0,
) {
  return new ProcessBudget(
    { processes: 2, memoryBytes: MANY_BYTES, queueLength: 2, queueDeadlineMs: 60_000, ...limits },
    { evict, memoryBytes },
  );
}

afterEach(() => void vi.useRealTimers());

async function failureOf(promise: Promise<unknown>) {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof FailureError ? error.failure : undefined;
}

test('gives so many places and no more without a wait', () => {
  const limited = budget({});
  expect(limited.tryReserve(noneLeaves)).toBeDefined();
  expect(limited.tryReserve(noneLeaves)).toBeDefined();
  expect(limited.tryReserve(noneLeaves)).toBeUndefined();
});

test('a released place goes to the one who has waited longest', async () => {
  const limited = budget({ processes: 1 });
  const first = await limited.reserve(never);
  const order: string[] = [];
  const second = limited.reserve(never).then((place) => {
    order.push('second');
    return place;
  });
  const third = limited.reserve(never).then(() => order.push('third'));
  expect(limited.waiting).toBe(2);
  first.release();
  first.release();
  (await second).release();
  await third;
  expect(order).toEqual(['second', 'third']);
  expect(limited.taken).toBe(1);
});

test('evicts before it lets anyone wait', async () => {
  const places: Array<{ release(): void }> = [];
  const evict = vi.fn(() => {
    places.shift()?.release();
    return true;
  });
  const limited = budget({ processes: 1 }, evict);
  places.push(await limited.reserve(never));
  await limited.reserve(never);
  expect(evict).toHaveBeenCalledOnce();
});

test('counts memory, but always lets one process be', async () => {
  let used = 0;
  const limited = budget({ processes: 10, memoryBytes: NEW_PROCESS_BYTES / 2 }, undefined, () => used);
  await limited.reserve(never);
  used = NEW_PROCESS_BYTES;
  expect(limited.tryReserve(noneLeaves)).toBeUndefined();
});

test('refuses with 529 and a delay beyond the queue and past the deadline', async () => {
  const limited = budget({ processes: 1, queueLength: 1, queueDeadlineMs: 20 });
  await limited.reserve(never);
  const waiting = failureOf(limited.reserve(never));
  const beyond = { code: 'overloaded', status: 529, type: 'overloaded_error', retryAfterSeconds: 5 };
  expect(await failureOf(limited.reserve(never))).toMatchObject(beyond);
  expect(await waiting).toMatchObject(beyond);
  expect(limited.waiting).toBe(0);
});

test('forgets who has gone', async () => {
  const limited = budget({ processes: 1 });
  const place = await limited.reserve(never);
  const gone = new AbortController();
  const waiting = failureOf(limited.reserve(gone.signal));
  gone.abort();
  expect(await waiting).toMatchObject({ code: 'client_gone' });
  place.release();
  expect(limited.taken).toBe(0);
});

test('a spare gets a place by an eviction of its own, and none while others wait', async () => {
  const places: Array<{ release(): void }> = [];
  const leaves = () => {
    places.shift()?.release();
    return true;
  };
  const limited = budget({ processes: 1 });
  places.push(await limited.reserve(never));
  const spare = limited.tryReserve(leaves);
  expect([spare === undefined, limited.taken]).toEqual([false, 1]);
  const waiting = limited.reserve(never);
  expect(limited.tryReserve(leaves)).toBeUndefined();
  spare?.release();
  await waiting;
});

test('nobody who waits is refused while the queue moves, however long it takes', async () => {
  vi.useFakeTimers();
  const limited = budget({ processes: 1, queueLength: 40, queueDeadlineMs: 60_000 });
  let current = await limited.reserve(never);
  const waiting = Array.from({ length: 10 }, () => limited.reserve(never));
  for (const next of waiting) {
    await vi.advanceTimersByTimeAsync(59_000);
    current.release();
    current = await next;
  }
  const last = failureOf(limited.reserve(never));
  await vi.advanceTimersByTimeAsync(59_999);
  expect(limited.waiting).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await last).toMatchObject({ code: 'overloaded' });
});

test('a refusal tells how long the queue is, as measured', async () => {
  vi.useFakeTimers();
  const limited = budget({ processes: 1, queueLength: 4 });
  let current = await limited.reserve(never);
  const waiting = Array.from({ length: 4 }, () => limited.reserve(never));
  const refusal = async () => (await failureOf(limited.reserve(never)))?.retryAfterSeconds;
  expect(await refusal()).toBe(5);
  await vi.advanceTimersByTimeAsync(7_000);
  current.release();
  current = (await waiting[0]) ?? current;
  waiting.push(limited.reserve(never));
  expect(await refusal()).toBe(28);
  await vi.advanceTimersByTimeAsync(1_000);
  current.release();
  await waiting[1];
  waiting.push(limited.reserve(never));
  expect(await refusal()).toBe(16);
});

test('who would wait in vain is refused at once, but not before the queue was measured', async () => {
  vi.useFakeTimers();
  const limited = budget({ processes: 1, queueLength: 40, queueDeadlineMs: 300_000 });
  let current = await limited.reserve(never);
  const waiting = Array.from({ length: 4 }, () => limited.reserve(never));
  await vi.advanceTimersByTimeAsync(80_000);
  waiting.push(limited.reserve(never));
  expect(limited.waiting).toBe(5);
  for (const next of waiting.slice(0, 3)) {
    current.release();
    current = await next;
    await vi.advanceTimersByTimeAsync(80_000);
  }
  void limited.reserve(never);
  expect(await failureOf(limited.reserve(never))).toMatchObject({ code: 'overloaded', retryAfterSeconds: 240 });
  expect(limited.waiting).toBe(3);
});

test('who can do without a place does so before anything is evicted, at once or when its turn comes', async () => {
  const evict = vi.fn(() => false);
  const limited = budget({ processes: 1 }, evict);
  const instead = vi.fn(() => true);
  const place = await limited.reserve(never, 'turn', instead);
  expect([place === undefined, instead.mock.calls.length]).toEqual([false, 0]);
  expect(await limited.reserve(never, 'turn', instead)).toBeUndefined();
  expect([instead.mock.calls.length, evict.mock.calls.length, limited.taken]).toEqual([1, 0, 1]);

  const served: string[] = [];
  const wait = (name: string, can?: () => boolean) =>
    limited.reserve(never, 'turn', can).then((given) => served.push(`${name} ${given ? 'by a place' : 'without'}`));
  let isPossible = false;
  const waiting = [wait('first', () => isPossible), wait('second')];
  limited.admit();
  expect(limited.waiting).toBe(2);
  isPossible = true;
  limited.admit();
  expect(limited.waiting).toBe(1);
  place?.release();
  await Promise.all(waiting);
  expect(served).toEqual(['first without', 'second by a place']);
});
