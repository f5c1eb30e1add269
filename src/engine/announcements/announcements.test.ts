import { afterEach, beforeEach, expect, type Mock, test, vi } from 'vitest';
import type { Announcement } from './announcement.ts';
import { Announcements, type EngineLog } from './announcements.ts';

const ENVIRONMENT = { type: 'environment', snapshot: { workingDirectory: '/w' } };
const modelOf = (model: string) => ({ type: 'model', identity: { modelId: model } });
const shown = (attachment: Announcement) => ({
  type: 'attachment',
  attachment,
  rendered: [{ content: '<system-reminder>words</system-reminder>' }],
});

let probes: Array<[model: string, ofLogin: boolean]>;
let found: (model: string, ofLogin: boolean) => Promise<Announcement[]>;
let log: Mock<EngineLog>;
let signIn: string | undefined;
let announcements: Announcements;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-25T20:30:00Z') });
  probes = [];
  found = async (model) => [ENVIRONMENT, modelOf(model), { type: 'date', date: '2026-11-25' }];
  log = vi.fn();
  signIn = undefined;
  announcements = new Announcements(
    (model, ofLogin) => {
      probes.push([model, ofLogin]);
      return found(model, ofLogin);
    },
    log,
    () => signIn,
  );
});
afterEach(() => vi.useRealTimers());

const announced = (model: string) => announcements.silence(model).announced;

test('a probe is made once for each model, also for turns at the same time', async () => {
  await Promise.all([announcements.prepare('a'), announcements.prepare('a'), announcements.prepare('b')]);
  await announcements.prepare('a');
  expect(probes).toEqual([
    ['a', false],
    ['b', false],
  ]);
  expect(announced('a')).toEqual([ENVIRONMENT, modelOf('a'), { type: 'date', date: '2026-11-26' }]);
});

test('a probe that fails is told, is not made again, and holds no turn up', async () => {
  found = async () => {
    throw new Error('no process');
  };
  await announcements.prepare('a');
  await announcements.prepare('a');
  expect(probes).toHaveLength(1);
  expect(log.mock.calls).toEqual([['probe failed', { model: 'a', error: 'Error: no process' }]]);
  expect(announced('a')).toEqual([{ type: 'date', date: '2026-11-26' }]);
});

test('a probe that fails for a renewed sign-in forgets nothing', async () => {
  signIn = 'one';
  await announcements.prepare('a');
  const before = announced('a');
  signIn = 'renewed';
  found = async () => {
    throw new Error('the disk is full');
  };
  await announcements.prepare('a');
  expect(announced('a')).toEqual(before);
});

test('what a process announces after all is learned, and told once', () => {
  const { hear } = announcements.silence('a');
  const novel = { type: 'of a later release', words: 1 };
  hear([shown(modelOf('a')), shown(novel), { type: 'user' }, { type: 'attachment', attachment: ENVIRONMENT }]);
  hear([shown(novel)]);
  expect(announced('a')).toEqual([novel, modelOf('a'), { type: 'date', date: '2026-11-26' }]);
  expect(announced('b')).toEqual([novel, { type: 'date', date: '2026-11-26' }]);
  expect(log.mock.calls).toEqual([
    ['announced', { type: 'model', model: 'a' }],
    ['announced', { type: 'of a later release', model: 'a' }],
  ]);
});

test('our own silent entries are not taken for announcements', () => {
  announcements.silence('a').hear([
    { ...shown(ENVIRONMENT), rendered: [{ content: ' ' }] },
    { ...shown(ENVIRONMENT), rendered: [] },
  ]);
  expect(announced('a')).toHaveLength(1);
  expect(log).not.toHaveBeenCalled();
});

test('another sign-in is probed anew, and forgets the address of the one before', async () => {
  const address = { type: 'session_context', context: { userEmail: 'one' } };
  found = async (model, ofLogin) => [ENVIRONMENT, modelOf(model), ...(ofLogin ? [address] : [])];
  signIn = 'one';
  await announcements.prepare('a');
  await announcements.prepare('b');
  expect(announced('b')).toContainEqual(address);
  const { staleness } = announcements.silence('a');
  expect(staleness()).toBeUndefined();
  signIn = 'two';
  expect(staleness()).toBe('the sign-in has changed');
  found = async (model) => [ENVIRONMENT, modelOf(model)];
  await announcements.prepare('b');
  expect(announced('b')).not.toContainEqual(address);
  expect(probes).toEqual([
    ['a', true],
    ['b', false],
    ['b', true],
  ]);
});

test('a process stays until shortly before the midnight of its zone', () => {
  const { variables, staleness } = announcements.silence('a');
  expect(variables.TZ).toBe('Etc/GMT-4');
  vi.setSystemTime(Date.parse('2026-11-26T19:49:00Z'));
  expect(staleness()).toBeUndefined();
  vi.setSystemTime(Date.parse('2026-11-26T19:51:00Z'));
  expect(staleness()).toBe('the date is about to change');
});
