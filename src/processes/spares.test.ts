import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Engine, Spare } from '../spec/engine.ts';
import { failed, failureOf } from '../spec/failures.ts';
import type { MessagesRequest } from '../spec/messages.ts';
import type { ProcessEnd } from '../spec/process-end.ts';
import { ProcessBudget } from './budget.ts';
import { SpareHealth, toldOfFailing } from './spare-health.ts';
import { Spares } from './spares.ts';
import { SpawnGate } from './spawn-gate.ts';

const ASKED = { model: 'm', system: 's', betas: [] as string[] } as MessagesRequest;
const PATIENT = new AbortController().signal;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const END: ProcessEnd = { code: 3, signal: null, stderr: 'no licence' };

/** A spare whose process exits when it is told. */
function spare() {
  let exit = () => {};
  const exited = new Promise<ProcessEnd>((resolve) => {
    exit = () => resolve(END);
  });
  return { exited, exit, end: vi.fn() };
}

function setUp({ wanted = 1, processes = 3, sparesServe = 'any request' } = {}) {
  const starts: Array<PromiseWithResolvers<Spare>> = [];
  const spawnSpare = vi.fn(() => {
    const start = withResolvers<Spare>();
    starts.push(start);
    return start.promise;
  });
  const budget = new ProcessBudget(
    { processes, memoryBytes: 1e15, queueLength: 9, queueDeadlineMs: 1e6 },
    { evict: () => spares.evict(), memoryBytes: () => 0 },
  );
  const gate = new SpawnGate(1, 1e6);
  const ends: Array<[inARow: number, waitMs: number]> = [];
  const health = new SpareHealth((_end, ...rest) => ends.push(rest));
  const evictOneShot = vi.fn(() => false);
  const engine = { spawnSpare, sparesServe, reuseKey: ({ system }: MessagesRequest) => system };
  const spares: Spares = new Spares(engine as unknown as Engine, wanted, budget, gate, health, evictOneShot);
  /** The start under way succeeds. */
  const started = async () => {
    const made = spare();
    starts.shift()?.resolve(made as unknown as Spare);
    await settled();
    return made;
  };
  /** Whether a process for a request may be spawned. */
  const refusal = () => {
    try {
      spares.assertWorks();
      return undefined;
    } catch (error) {
      return failureOf(error);
    }
  };
  return { spares, budget, gate, health, ends, refusal, spawnSpare, evictOneShot, starts, started };
}

const settled = () => vi.advanceTimersByTimeAsync(0);

test('starts as many as are wanted, one after the other', async () => {
  const { spares, budget, spawnSpare, started } = setUp({ wanted: 2 });
  spares.refill();
  spares.refill();
  await settled();
  expect(spawnSpare).toHaveBeenCalledTimes(1);
  await started();
  expect([spares.ready.length, spares.spawning, spawnSpare.mock.calls.length]).toEqual([1, 1, 2]);
  await started();
  expect([spares.ready.length, spares.spawning, spawnSpare.mock.calls.length, budget.taken]).toEqual([2, 0, 2, 2]);
});

test('starts none while another process starts, or without room', async () => {
  const { spares, budget, gate, spawnSpare } = setUp({ processes: 1 });
  const leave = await gate.enter();
  spares.refill();
  expect(spawnSpare).not.toHaveBeenCalled();
  leave();
  const place = await budget.reserve(PATIENT);
  spares.refill();
  await settled();
  expect(spawnSpare).not.toHaveBeenCalled();
  place.release();
  spares.refill();
  await settled();
  expect(spawnSpare).toHaveBeenCalledOnce();
});

test('gives out the oldest with its place', async () => {
  const { spares, budget, started } = setUp({ wanted: 2 });
  spares.refill();
  await settled();
  const oldest = await started();
  await started();
  const taken = await spares.take(ASKED, PATIENT);
  expect(taken?.spare).toBe(oldest);
  expect([spares.ready.length, budget.taken]).toEqual([1, 2]);
  taken?.place.release();
  expect(budget.taken).toBe(1);
  expect(oldest.end).not.toHaveBeenCalled();
});

test('whose process exits is forgotten, and replaced', async () => {
  const { spares, budget, spawnSpare, started } = setUp();
  spares.refill();
  await settled();
  (await started()).exit();
  await settled();
  expect([spares.ready.length, spawnSpare.mock.calls.length, budget.taken]).toEqual([0, 2, 1]);
});

test('one that is taken and exits is not replaced by itself', async () => {
  const { spares, budget, spawnSpare, started } = setUp();
  spares.refill();
  await settled();
  const made = await started();
  await spares.take(ASKED, PATIENT);
  made.exit();
  await settled();
  expect([spawnSpare.mock.calls.length, budget.taken]).toEqual([1, 1]);
});

test.each<[string, (set: ReturnType<typeof setUp>) => Promise<void>]>([
  ['do not come up', async ({ starts }) => starts.shift()?.reject(failed('process_spawn_failed', END))],
  ['end when they are up', async ({ started }) => (await started()).exit()],
])('that %s are tried ever more seldom, and requests are refused meanwhile', async (_how, fail) => {
  const set = setUp();
  const { spares, budget, health, ends, refusal, spawnSpare } = set;
  spares.refill();
  for (const waitMs of [0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
    await settled();
    const spawned = spawnSpare.mock.calls.length;
    expect(refusal()?.code).toBe(ends.length < 3 ? undefined : 'claude_failing');
    await fail(set);
    await settled();
    expect(ends.at(-1)).toEqual([spawned, waitMs]);
    if (waitMs === 0) continue;
    // Others ask for spares meanwhile.
    await vi.advanceTimersByTimeAsync(waitMs - 1);
    spares.refill();
    await settled();
    expect([spawnSpare.mock.calls.length, budget.taken]).toEqual([spawned, 0]);
    await vi.advanceTimersByTimeAsync(1);
    expect(spawnSpare.mock.calls.length).toBe(spawned + 1);
  }
  const { failing } = health;
  expect(failing).toEqual({ inARow: 8, end: END, endedAt: Date.now() - 30_000, retrySeconds: 1 });
  expect(failing && toldOfFailing(failing)).toEqual({
    inARow: 8,
    end: { code: 3, signal: null, at: new Date(Date.now() - 30_000).toISOString() },
    retrySeconds: 1,
  });
});

test('that have ended twice in a row are tried one at a time', async () => {
  const { spares, spawnSpare, started } = setUp({ wanted: 2 });
  spares.refill();
  await settled();
  const both = [await started(), await started()];
  for (const one of both) one.exit();
  await vi.advanceTimersByTimeAsync(1_000);
  await started();
  expect([spares.ready.length, spares.spawning, spawnSpare.mock.calls.length]).toEqual([1, 0, 3]);
});

test('one that lives on shows that processes work again, and the others follow', async () => {
  const { spares, health, refusal, spawnSpare, started } = setUp({ wanted: 2 });
  spares.refill();
  for (const waitMs of [0, 1_000, 2_000]) {
    await settled();
    (await started()).exit();
    await settled();
    expect(refusal()?.retryAfterSeconds).toBe(waitMs === 2_000 ? 2 : undefined);
    await vi.advanceTimersByTimeAsync(waitMs);
  }
  await started();
  await vi.advanceTimersByTimeAsync(9_999);
  expect([refusal(), health.failing?.inARow, spawnSpare.mock.calls.length]).toEqual([undefined, 3, 4]);
  await vi.advanceTimersByTimeAsync(1);
  expect([health.failing, spawnSpare.mock.calls.length]).toEqual([undefined, 5]);
});

test('an answer shows that processes work again', async () => {
  const { spares, health, refusal, starts, spawnSpare } = setUp();
  for (let times = 0; times < 3; times += 1) {
    spares.refill();
    await settled();
    starts.shift()?.reject(failed('process_spawn_failed', END));
    await vi.advanceTimersByTimeAsync(times < 2 ? 1_000 : 0);
  }
  expect(refusal()?.message).toContain('(exit code 3)');
  health.works();
  expect([refusal(), health.failing]).toEqual([undefined, undefined]);
  spares.refill();
  await settled();
  expect(spawnSpare).toHaveBeenCalledTimes(4);
});

test('without room for a spare a request may try whether processes work again', async () => {
  const { spares, budget, refusal, starts } = setUp({ processes: 1 });
  for (let times = 0; times < 3; times += 1) {
    spares.refill();
    await settled();
    starts.shift()?.reject(failed('process_spawn_failed', END));
    await vi.advanceTimersByTimeAsync(times < 2 ? 1_000 : 0);
  }
  await budget.reserve(PATIENT);
  expect(refusal()?.code).toBe('claude_failing');
  await vi.advanceTimersByTimeAsync(2_000);
  expect(refusal()).toBeUndefined();
});

test.each([
  ['a full disk', failed('files_not_written', { folder: '/full', problem: 'ENOSPC' })],
  [
    'too many open files',
    failed('process_spawn_failed', { code: null, signal: null, spawnError: 'EMFILE', stderr: '' }),
  ],
  ['another error', new Error('no')],
])('%s stays the turns’ own failure, however often spares meet it', async (_what, error) => {
  const { spares, ends, refusal, starts } = setUp();
  for (let times = 0; times < 4; times += 1) {
    spares.refill();
    await settled();
    starts.shift()?.reject(error);
    await vi.advanceTimersByTimeAsync(times < 3 ? 2_000 : 0);
  }
  expect([refusal(), ends.at(-1)]).toEqual([undefined, [4, 4_000]]);
});

test('an evicted one is ended and gives its place back; without any there is nothing to evict', async () => {
  const { spares, budget, started } = setUp();
  expect(spares.evict()).toBe(false);
  spares.refill();
  await settled();
  const made = await started();
  expect(spares.evict()).toBe(true);
  expect(made.end).toHaveBeenCalledOnce();
  expect([spares.ready.length, budget.taken]).toEqual([0, 0]);
});

test('who waits for room gets that of a spare which was just starting', async () => {
  const { spares, budget, started } = setUp({ processes: 1 });
  spares.refill();
  await settled();
  const waiting = budget.reserve(PATIENT);
  expect(budget.waiting).toBe(1);
  const made = await started();
  await waiting;
  expect(made.end).toHaveBeenCalledOnce();
  expect([spares.ready.length, budget.taken]).toEqual([0, 1]);
});

test('closing ends all, and the one that is starting when it has started', async () => {
  const { spares, budget, spawnSpare, started } = setUp({ wanted: 2 });
  spares.refill();
  await settled();
  const ready = await started();
  spares.close();
  expect(ready.end).toHaveBeenCalledOnce();
  const late = await started();
  expect(late.end).toHaveBeenCalledOnce();
  spares.refill();
  await settled();
  expect([spares.ready.length, spawnSpare.mock.calls.length, budget.taken]).toEqual([0, 2, 0]);
});

test('a conversation takes the next one to come up, and its place', async () => {
  const { spares, budget, spawnSpare, started } = setUp({ processes: 1 });
  spares.refill();
  await settled();
  const taken = spares.take(ASKED, PATIENT);
  expect(await spares.take(ASKED, PATIENT)).toBeUndefined();
  const made = await started();
  expect((await taken)?.spare).toBe(made);
  expect([spares.ready.length, budget.taken, spawnSpare.mock.calls.length]).toEqual([0, 1, 1]);
  spares.close();
  expect(made.end).not.toHaveBeenCalled();
});

test.each(['it fails', 'it takes too long', 'the client goes'])(
  'who waits for one to come up goes without it when %s',
  async (why) => {
    const { spares, starts, started } = setUp();
    spares.refill();
    await settled();
    const client = new AbortController();
    const taken = spares.take(ASKED, client.signal);
    if (why === 'it fails') starts.shift()?.reject(new Error('no'));
    if (why === 'it takes too long') await vi.advanceTimersByTimeAsync(10_000);
    if (why === 'the client goes') client.abort();
    expect(await taken).toBeUndefined();
    if (why === 'it fails') return;
    // Nobody waits for what has taken too long.
    if (why === 'it takes too long') expect(await spares.take(ASKED, PATIENT)).toBeUndefined();
    await started();
    expect(spares.ready).toHaveLength(1);
  },
);

test('there are more while conversations begin, and fewer again when they do not', async () => {
  const { spares, budget, started } = setUp({ processes: 9 });
  for (let begun = 0; begun < 3; begun += 1) await spares.take(ASKED, PATIENT);
  spares.refill();
  await settled();
  const made = [await started(), await started(), await started()];
  expect([spares.ready.length, spares.spawning]).toEqual([3, 0]);
  spares.trim();
  expect(spares.ready).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(30_000);
  spares.trim();
  expect([spares.ready.length, budget.taken]).toEqual([1, 1]);
  expect(made.map(({ end }) => end.mock.calls.length)).toEqual([1, 1, 0]);
});

test('one takes the place of a finished one-shot', async () => {
  const { spares, budget, spawnSpare, evictOneShot } = setUp({ processes: 1 });
  const oneShot = await budget.reserve(PATIENT);
  spares.refill();
  expect([evictOneShot.mock.calls.length, spawnSpare.mock.calls.length]).toEqual([1, 0]);
  evictOneShot.mockImplementation(() => {
    oneShot.release();
    return true;
  });
  spares.refill();
  await settled();
  expect([spawnSpare.mock.calls.length, budget.taken]).toEqual([1, 1]);
});

interface PromiseWithResolvers<Value> {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
  reject: (error: Error) => void;
}

function withResolvers<Value>(): PromiseWithResolvers<Value> {
  let resolve: (value: Value) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<Value>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  return { promise, resolve, reject };
}

test('spares that serve alike requests alone are those of the latest conversation that found none', async () => {
  const { spares, spawnSpare, started } = setUp({ processes: 2, sparesServe: 'alike requests' });
  const other = { ...ASKED, system: 'other' };
  spares.refill();
  expect(spawnSpare).not.toHaveBeenCalled();
  expect(await spares.take(ASKED, PATIENT)).toBeUndefined();
  spares.refill();
  await settled();
  expect(spawnSpare).toHaveBeenLastCalledWith({ model: 'm', system: 's', betas: [] });
  // Nobody waits for one that is coming up: it may serve another request.
  expect(await spares.take(ASKED, PATIENT)).toBeUndefined();
  const first = await started();
  expect((await spares.take(ASKED, PATIENT))?.spare).toBe(first);
  spares.refill();
  await settled();
  const second = await started();
  expect(await spares.take(other, PATIENT)).toBeUndefined();
  expect(second.end).toHaveBeenCalled();
  spares.refill();
  await settled();
  expect(spawnSpare).toHaveBeenLastCalledWith({ model: 'm', system: 'other', betas: [] });
  // It comes up too late for its kind.
  expect(await spares.take(ASKED, PATIENT)).toBeUndefined();
  const third = await started();
  expect(third.end).toHaveBeenCalled();
});
