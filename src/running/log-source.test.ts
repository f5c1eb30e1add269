import { expect, test } from 'vitest';
import { type LogSearch, logSource } from './log-source.ts';

const LINUX: LogSearch = {
  platform: 'linux',
  environment: { HOME: '/home/x' },
  isThere: (path) => path === '/home/x/.config/systemd/user/isthmus.service',
  lines: 50,
  follows: false,
};

test('systemd keeps it in the journal of the unit', () => {
  const args = ['--user', '--unit', 'isthmus.service', '--lines', '50', '--output', 'cat', '--no-pager'];
  expect(logSource(LINUX)).toMatchObject({ kind: 'command', command: ['journalctl', ...args] });
  expect(logSource({ ...LINUX, follows: true })).toMatchObject({ command: ['journalctl', ...args, '--follow'] });
});

test('launchd keeps it in a file', () => {
  const file = '/Users/x/Library/Logs/isthmus.log';
  const mac: LogSearch = {
    ...LINUX,
    platform: 'darwin',
    environment: { HOME: '/Users/x' },
    isThere: (path) => path === file,
  };
  expect(logSource(mac)).toMatchObject({ kind: 'command', command: ['tail', '-n', '50', file] });
  expect(logSource({ ...mac, follows: true })).toMatchObject({ command: ['tail', '-n', '50', '-F', file] });
});

test.each<Partial<LogSearch>>([
  { isThere: () => false },
  { platform: 'darwin', isThere: () => false },
  { platform: 'win32' },
  { environment: { HOME: '/home/x', XDG_CONFIG_HOME: '/etc/x' } },
])('without a service there is none, and it says where else to look: %j', (more) => {
  expect(logSource({ ...LINUX, ...more })).toMatchObject({ kind: 'none', why: expect.stringContaining('stderr') });
});
