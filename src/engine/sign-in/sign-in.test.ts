import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SignIn } from './sign-in.ts';

const MINUTE = 60_000;

let folder: string;
let signIn: SignIn;
let renewals: Array<() => void>;
beforeEach(() => {
  vi.useFakeTimers();
  folder = mkdtempSync(join(tmpdir(), 'isthmus-test-'));
  renewals = [];
  signIn = new SignIn({ CLAUDE_CONFIG_DIR: folder }, () => new Promise((resolve) => renewals.push(resolve)));
});
afterEach(() => {
  signIn.close();
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

test('turns that need a renewal at the same time share one', async () => {
  const both = Promise.all([signIn.renew(), signIn.renew()]);
  expect(renewals).toHaveLength(1);
  renewals[0]?.();
  await both;
  void signIn.renew();
  expect(renewals).toHaveLength(2);
});

test('it is gone when its file has gone, and only where there was one', () => {
  expect([signIn.version, signIn.isGone]).toEqual(['none', false]);
  const file = join(folder, '.credentials.json');
  writeFileSync(file, '{}');
  expect(signIn.isGone).toBe(false);
  rmSync(file);
  expect([signIn.version, signIn.isGone]).toEqual(['none', true]);
  writeFileSync(file, '{}');
  expect(signIn.isGone).toBe(false);
});

test('a renewal that fails is none, and the next one starts', async () => {
  const failing = new SignIn({ CLAUDE_CONFIG_DIR: folder }, async () => {
    throw new Error('no process');
  });
  await expect(failing.renew()).resolves.toBeUndefined();
  failing.close();
});

test('is renewed every few minutes while turns use it, and once an hour while none does', async () => {
  signIn.use();
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect(renewals).toHaveLength(1);
  renewals[0]?.();
  await vi.advanceTimersByTimeAsync(50 * MINUTE);
  expect(renewals).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(20 * MINUTE);
  expect(renewals).toHaveLength(2);
});

test('is renewed when the machine has slept', async () => {
  await vi.advanceTimersByTimeAsync(3 * MINUTE);
  vi.setSystemTime(Date.now() + 20 * MINUTE);
  await vi.advanceTimersByTimeAsync(2 * MINUTE);
  expect(renewals).toHaveLength(1);
});

test('another file is another version, and so is none', () => {
  const file = join(folder, '.credentials.json');
  const versions = [signIn.version];
  writeFileSync(file, 'one');
  versions.push(signIn.version);
  writeFileSync(file, 'another');
  versions.push(signIn.version);
  expect(new Set(versions).size).toBe(3);
  rmSync(file);
  expect(signIn.version).toBe(versions[0]);
});
