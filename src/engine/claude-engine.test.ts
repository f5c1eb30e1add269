import { afterEach, beforeEach, expect, test } from 'vitest';
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
function engineWithoutProcesses() {
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
