import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Agent } from '../spec/agent.ts';
import { Agents, type Asker } from './agents.ts';
import type { AgentAccess } from './define-agents.ts';

const digest = (key: string) => createHash('sha256').update(key).digest();
const defined = (name: string, access: Partial<AgentAccess>) => ({
  agent: { name, level: 'read' } as Agent,
  access: { origins: [], ...access },
});
const agents = new Agents([
  defined('open', {}),
  defined('keyed', { keyDigest: digest('right') }),
  defined('paged', { keyDigest: digest('right'), origins: ['https://chat.example'] }),
]);
const asker = (key: string, origin?: string): Asker => ({ keyDigest: digest(key), origin });

test.each([
  ['nobody', asker(''), ['open']],
  ['another key', asker('wrong'), ['open']],
  ['the right key', asker('right'), ['open', 'keyed', 'paged']],
  ['a page that one agent lists', asker('right', 'https://CHAT.example'), ['paged']],
  ['that page without the key', asker('', 'https://chat.example'), []],
  ['another page with the key', asker('right', 'https://chat.example.evil'), []],
])('%s may ask %s', (_who, who, names) => {
  expect(agents.for(who).map(({ name }) => name)).toEqual(names);
  const found = ['open', 'keyed', 'paged', 'none', 'constructor'].filter((name) => agents.find(name, who));
  expect(found).toEqual(names);
});

test('anyone may know names and levels', () => {
  expect(agents.has('keyed')).toBe(true);
  expect(agents.has('none')).toBe(false);
  expect(agents.summary).toEqual(['open', 'keyed', 'paged'].map((name) => ({ name, level: 'read' })));
  agents.hear('open', ['wiki']);
  expect(agents.summary[0]).toEqual({ name: 'open', level: 'read', failingServers: ['wiki'] });
  agents.hear('open', []);
  expect(agents.summary[0]).toEqual({ name: 'open', level: 'read' });
});
