import { expect, test } from 'vitest';
import { agentSessionFrom, type HeaderReader } from './request-headers.ts';

const headers =
  (given: Record<string, string>): HeaderReader =>
  (name) =>
    given[name];

test.each<[given: Record<string, string>, id: string | undefined, clientId: string | undefined]>([
  [{}, undefined, undefined],
  [{ 'isthmus-session': 'a-1_B' }, 'a-1_B', undefined],
  [{ 'x-claude-session-id': 'a' }, 'a', undefined],
  [{ 'isthmus-session': 'ours', 'x-claude-session-id': 'older' }, 'ours', undefined],
  [{ 'x-session-id': 'c' }, undefined, 'c'],
  [{ 'x-session-affinity': 'c' }, undefined, 'c'],
  [{ 'x-claude-code-session-id': 'c' }, undefined, 'c'],
  [{ 'x-opencode-session': 'o', 'x-session-id': 'c' }, undefined, 'o'],
  [{ 'isthmus-session': 'ours', 'x-session-id': 'c' }, 'ours', 'c'],
  // No id of ours.
  [{ 'isthmus-session': '' }, undefined, undefined],
  [{ 'isthmus-session': 'a b' }, undefined, undefined],
  [{ 'isthmus-session': 'a'.repeat(65) }, undefined, undefined],
])('%j names our conversation %j and the client’s %j', (given, id, clientId) => {
  expect(agentSessionFrom(headers(given))).toEqual({ id, clientId });
});
