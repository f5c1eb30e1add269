import { expect, test } from 'vitest';
import type { DefinedAgent } from '../agents/define-agents.ts';
import { withoutWorkspaces } from './own-agents.ts';

function defined(level: string, workspace: string): DefinedAgent {
  return { agent: { name: 'a', level, workspace }, access: { origins: [] } } as unknown as DefinedAgent;
}

test('no program is taken from where an agent writes', () => {
  const operator = { PATH: '/w/node_modules/.bin:/usr/bin:bin:/work/bin:/w', HOME: '/h' };
  expect(withoutWorkspaces(operator, [defined('shell', '/w')])).toEqual({ PATH: '/usr/bin:/work/bin', HOME: '/h' });
  expect(withoutWorkspaces(operator, [defined('read', '/w')])).toBe(operator);
  expect(withoutWorkspaces({}, [defined('edit', '/w')])).toEqual({});
});
