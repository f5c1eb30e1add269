import { expect, test } from 'vitest';
import type { Purpose } from './purpose.ts';
import { SpawnGate } from './spawn-gate.ts';

test('lets one in when one leaves, in their order, and leaving twice counts once', async () => {
  const gate = new SpawnGate(1, 60_000);
  const leave = await gate.enter();
  const order: string[] = [];
  const enter = async (name: string) => {
    const done = await gate.enter();
    order.push(name);
    return done;
  };
  const [second, third] = [enter('second'), enter('third')];
  leave();
  leave();
  const leaveSecond = await second;
  expect(order).toEqual(['second']);
  leaveSecond();
  (await third)();
  expect(order).toEqual(['second', 'third']);
  expect(gate.isFree).toBe(true);
});

test('turns go before counts that came first', async () => {
  const gate = new SpawnGate(1, 60_000);
  const leave = await gate.enter();
  const order: string[] = [];
  const enter = async (name: string, purpose: Purpose) => {
    const done = await gate.enter(undefined, purpose);
    order.push(name);
    done();
  };
  const all = [enter('first count', 'count'), enter('second count', 'count'), enter('turn', 'turn')];
  leave();
  await Promise.all(all);
  expect(order).toEqual(['turn', 'first count', 'second count']);
});

test('who goes away while waiting is told so, and takes nobody’s turn', async () => {
  const gate = new SpawnGate(1, 60_000);
  const leave = await gate.enter();
  const gone = new AbortController();
  const waiting = gate.enter(gone.signal);
  const behind = gate.enter();
  gone.abort();
  await expect(waiting).rejects.toMatchObject({ failure: { code: 'client_gone' } });
  leave();
  (await behind)();
  expect(gate.isFree).toBe(true);
  await expect(gate.enter(gone.signal)).resolves.toBeTypeOf('function');
  await expect(gate.enter(gone.signal)).rejects.toMatchObject({ failure: { code: 'client_gone' } });
});

test('who does not leave lets the next one in all the same, once', async () => {
  const gate = new SpawnGate(1, 10);
  const leave = await gate.enter();
  const leaveSecond = await gate.enter();
  leave();
  expect(gate.isFree).toBe(false);
  leaveSecond();
  expect(gate.isFree).toBe(true);
});
