import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../support/gateway.ts';

/** A program that may open no more files asks the real SDK for a process, at once and with a transcript to resume. */
const PROGRAM = `
  import { execFileSync } from 'node:child_process';
  import { openSync } from 'node:fs';
  import { query } from '@anthropic-ai/claude-agent-sdk';
  import { Spawner } from '${join(ROOT, 'dist', 'src', 'engine', 'process', 'spawner.js')}';

  const spawner = new Spawner(process.env.PATH);
  const spawnClaudeCodeProcess = (options) => spawner.spawn({ ...options, command: 'true', args: [] });
  const resumed = {
    resume: '11111111-1111-4111-8111-111111111111',
    sessionStore: { append: async () => undefined, load: async () => [] },
  };
  execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=64:']);
  try {
    for (;;) openSync('/dev/null');
  } catch {}
  const ends = [];
  for (const more of [{}, resumed]) {
    try {
      const options = { spawnClaudeCodeProcess, env: process.env, pathToClaudeCodeExecutable: 'true', ...more };
      await query({ prompt: (async function* () {})(), options }).next();
    } catch ({ failure }) {
      ends.push(failure);
    }
  }
  process.stdout.write(JSON.stringify(ends));
  process.exit(0);
`;

test.runIf(process.platform === 'linux')(
  'a process for which no file can be opened is a failure that names the limit',
  () => {
    const env = { PATH: process.env.PATH ?? '', HOME: '/nonexistent' };
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', PROGRAM], { cwd: ROOT, env });
    const failure = { code: 'machine_at_limit', mayRepeat: true, message: expect.stringContaining('`ulimit -n`') };
    expect(JSON.parse(String(output))).toMatchObject([failure, failure]);
  },
);
