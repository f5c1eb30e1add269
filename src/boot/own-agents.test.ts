import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ROOT } from '../../test/support/gateway.ts';
import type { DefinedAgent } from '../agents/define-agents.ts';
import type { AgentDefinition } from '../config/agent-definition.ts';
import { checkSettings } from '../config/check-settings.ts';
import { agentsOf, withoutWorkspaces } from './own-agents.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'isthmus-own-')));
afterAll(() => rmSync(root, { recursive: true }));
for (const name of ['home', 'workspace', 'tools']) mkdirSync(join(root, name));
const CLAUDE = join(root, 'tools', 'claude');
writeFileSync(CLAUDE, '');

function agents(given: Partial<AgentDefinition>, options: object = {}) {
  const docs = { level: 'edit' as const, workspace: join(root, 'workspace'), ...given };
  return agentsOf(checkSettings({ agents: { docs }, ...options }), { HOME: join(root, 'home') }, CLAUDE);
}

describe('a key is needed', () => {
  test.each([{ host: '0.0.0.0' }, { host: 'box' }, { allowedHosts: ['localhost', 'gateway.team'] }])(
    'with %j, for others than this machine',
    (options) => {
      expect(() => agents({}, options)).toThrow('agents.docs needs a key');
      expect(agents({ key: 'a-key-that-nobody-guesses' }, options)).toHaveLength(1);
    },
  );

  test.each([{}, { host: '::1' }, { allowedHosts: ['localhost', '127.0.0.2'] }])('with %j by nobody', (options) => {
    expect(agents({}, options)).toHaveLength(1);
  });
});

test('no agent writes where a program lies that Isthmus runs', () => {
  symlinkSync(dirname(process.execPath), join(root, 'link'));
  for (const [workspace, program] of [
    [ROOT, realpathSync(ROOT)],
    [join(root, 'link'), realpathSync(process.execPath)],
    [join(root, 'tools'), CLAUDE],
  ] as const) {
    expect(() => agents({ workspace })).toThrow(`could replace ${program}, which Isthmus runs`);
    expect(agents({ workspace, level: 'read' })).toHaveLength(1);
  }
});

function defined(level: string, workspace: string): DefinedAgent {
  return { agent: { name: 'a', level, workspace }, access: { origins: [] } } as unknown as DefinedAgent;
}

test('no program is taken from where an agent writes', () => {
  const operator = { PATH: '/w/node_modules/.bin:/usr/bin:bin:/work/bin:/w', HOME: '/h' };
  expect(withoutWorkspaces(operator, [defined('shell', '/w')])).toEqual({ PATH: '/usr/bin:/work/bin', HOME: '/h' });
  expect(withoutWorkspaces(operator, [defined('read', '/w')])).toBe(operator);
  expect(withoutWorkspaces({}, [defined('edit', '/w')])).toEqual({});
});
