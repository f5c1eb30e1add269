import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { plainAgent } from '../../test/support/agents.ts';
import { NO_LISTENER, request, user } from '../../test/support/engine.ts';
import type { Agent } from '../spec/agent.ts';
import { ClaudeEngine } from './claude-engine.ts';
import { buildEnvironment } from './environment/environment.ts';
import { createRunDirectory, type RunDirectory } from './files/run-directory.ts';
import type { Spawner } from './process/spawner.ts';

let directory: RunDirectory;
beforeEach(() => {
  directory = createRunDirectory();
});
afterEach(() => directory.remove());

/** An engine with a token that can spawn nothing, and how often it has tried. */
function engineWithoutProcesses(...agents: Agent[]) {
  const tried: unknown[] = [];
  const spawn = (options: unknown) => {
    tried.push(options);
    throw new Error('nothing is spawned here');
  };
  const engine = new ClaudeEngine({
    executable: { path: process.execPath, why: 'any program' },
    environment: buildEnvironment({
      operator: { CLAUDE_CODE_OAUTH_TOKEN: 'dummy' },
      id: '0123456789abcdef',
      isOwnAddress: () => false,
    }),
    directory,
    spawner: { spawn } as unknown as Spawner,
    stallMs: 1_000,
    retries: 'client',
    log: () => undefined,
    onLimits: () => undefined,
    onModel: () => undefined,
    agents: new Map(agents.map((agent) => [agent.name, agent])),
  });
  return { engine, tried };
}

test('with a token no agent waits for a probe: it is told what a probe would find', async () => {
  const { engine, tried } = engineWithoutProcesses();
  await engine.prepare({ model: 'claude-sonnet-5', agent: { name: 'docs' } });
  expect(tried).toHaveLength(0);
  await engine.prepare({ model: 'claude-sonnet-5' });
  expect(tried).toHaveLength(1);
});

test('no process of an agent is spawned where a link, or nothing, has taken the place of its workspace', () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'isthmus-moved-')));
  const path = join(root, 'workspace');
  const elsewhere = join(root, 'elsewhere');
  mkdirSync(elsewhere);
  try {
    const { engine, tried } = engineWithoutProcesses(plainAgent({ workspace: path }));
    const turn = () => engine.replay(request([user('hi')], { agent: { name: 'docs' } }), NO_LISTENER);
    const moved = expect.objectContaining({
      failure: expect.objectContaining({ code: 'workspace_moved', status: 500 }),
    });
    expect(turn).toThrow(moved);
    symlinkSync(elsewhere, path);
    expect(turn).toThrow(moved);
    rmSync(path);
    mkdirSync(path);
    expect(tried).toEqual([]);
    expect(turn).not.toThrow(moved);
  } finally {
    rmSync(root, { recursive: true });
  }
});
