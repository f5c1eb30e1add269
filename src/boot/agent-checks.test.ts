import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { plainAgent } from '../../test/support/agents.ts';
import type { DefinedAgent } from '../agents/define-agents.ts';
import { SettingsError } from '../config/settings-error.ts';
import type { RunDirectory } from '../engine/files/run-directory.ts';
import { KnownModels } from '../models/known-models.ts';
import type { AgentLevel } from '../spec/agent.ts';
import { BootError } from './boot-error.ts';
import { checkAgainstModels, checkCommands } from './own-agents.ts';

function defined(level: AgentLevel, workspace: string, name = 'a'): DefinedAgent {
  return { agent: plainAgent({ name, level, workspace }), access: { origins: [] } };
}

describe('an agent whose name is that of a model is refused', () => {
  const models = new KnownModels();
  models.offer([{ id: 'claude-opus-5-5', aliases: ['opus', 'best'] }]);
  const check = (...names: string[]) =>
    checkAgainstModels(
      names.map((name) => defined('read', '/w', name)),
      models,
    );

  test.each(['claude-opus-5-5', 'opus', 'best'])('%s', (name) => {
    expect(() => check('docs', name)).toThrow(SettingsError);
    expect(() => check('docs', name)).toThrow(`agents: ${JSON.stringify(name)} `);
  });

  test('and no other', () => {
    expect(() => check('docs', 'worst', 'opus-docs')).not.toThrow();
  });
});

describe('without a sandbox', () => {
  const directory = { temporary: '/tmp' } as RunDirectory;
  const empty = mkdtempSync(join(tmpdir(), 'isthmus-no-programs-'));
  const check = (...agents: DefinedAgent[]) => checkCommands(agents, { PATH: empty }, directory);

  test('agents that run commands are refused by their names', async () => {
    const checking = check(
      defined('edit', '/w', 'one'),
      defined('shell', '/w', 'two'),
      defined('shell', '/w', 'three'),
    );
    await expect(checking).rejects.toThrow(BootError);
    await expect(check(defined('shell', '/w', 'two'))).rejects.toThrow(/^agents: two: /);
    await expect(checking).rejects.toThrow(/^agents: two, three: /);
  });

  test('the others need none', async () => {
    await expect(check(defined('read', '/w'), defined('edit', '/w'))).resolves.toBeUndefined();
    rmSync(empty, { recursive: true });
  });
});
