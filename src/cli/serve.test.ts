import { expect, test } from 'vitest';
import type { RunningGateway } from '../boot/create-gateway.ts';
import { greeting } from './serve.ts';

test('each agent has a line, with who may ask it', () => {
  const agents = [
    { name: 'docs', level: 'read' as const, workspace: '/srv/docs', hasKey: true },
    { name: 'fix', level: 'edit' as const, workspace: '/srv/code', hasKey: false },
  ];
  const gateway = { executable: { path: 'claude', why: 'x' }, agents, warnings: ['w'] } as unknown as RunningGateway;
  expect(greeting(gateway).slice(-3)).toEqual([
    '  agent       docs: read in /srv/docs, for clients with its key',
    '  agent       fix: edit in /srv/code, for any client',
    '  warning     w',
  ]);
});
