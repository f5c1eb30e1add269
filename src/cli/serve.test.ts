import { expect, test } from 'vitest';
import type { RunningGateway } from '../boot/create-gateway.ts';
import { greeting } from './serve.ts';

const GATEWAY = {
  url: 'http://127.0.0.1:3456',
  host: '127.0.0.1',
  port: 3456,
  names: ['localhost', '127.0.0.1'],
  executable: { path: 'claude', why: 'x' },
  agents: [],
  warnings: [],
} as unknown as RunningGateway;

test('it says at which address clients call it, and by which names if there are more', () => {
  const [first, , , ...rest] = greeting(GATEWAY);
  expect([first, rest.map((line) => line.trim().split(' ')[0])]).toEqual([
    'Isthmus listens on http://127.0.0.1:3456',
    ['clients', 'SDKs'],
  ]);
  expect(greeting({ ...GATEWAY, host: '0.0.0.0', names: ['localhost', '10.0.0.5', 'gateway.team'] }).at(-1)).toBe(
    '  names       localhost, 10.0.0.5, gateway.team; any other needs --allowed-hosts',
  );
});

test.each([
  [{}, 'isthmus launch CLIENT; '],
  [{ port: 4000 }, 'isthmus launch CLIENT --port 4000; '],
  [{ host: '::1', port: 4000 }, 'isthmus launch CLIENT --host ::1 --port 4000; '],
])('it says how a client is launched that finds it: %j', (other, line) => {
  expect(greeting({ ...GATEWAY, ...other })[3]).toContain(line);
});

test('on a socket it says how to call it', () => {
  const socket = "/run/user/1/it's here.sock";
  const lines = greeting({ ...GATEWAY, url: 'http://localhost', host: 'localhost', names: ['localhost'], socket });
  expect([lines[0], ...lines.slice(3)]).toEqual([
    `Isthmus listens on ${socket}`,
    `  curl        curl --unix-socket '/run/user/1/it'\\''s here.sock' http://localhost/v1/models`,
  ]);
});

test('each agent has a line, with who may ask it', () => {
  const agents = [
    { name: 'docs', level: 'read' as const, workspace: '/srv/docs', hasKey: true },
    { name: 'fix', level: 'edit' as const, workspace: '/srv/code', hasKey: false },
  ];
  expect(greeting({ ...GATEWAY, agents, warnings: ['w'] }).slice(-3)).toEqual([
    '  agent       docs: read in /srv/docs, for clients with its key',
    '  agent       fix: edit in /srv/code, for any client',
    '  warning     w',
  ]);
});
