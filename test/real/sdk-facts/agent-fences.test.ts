import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Agent, AgentLevel } from '../../../src/spec/agent.ts';
import {
  ESCAPE_ATTEMPTS,
  type EscapeAttempt,
  layOut,
  type Place,
  reached,
  untouched,
} from '../../support/escape-attempts.ts';
import { QUICK } from '../../support/quick.ts';
import { NO_SANDBOX, SANDBOXED } from '../../support/sandbox.ts';
import { AgentRuns, type Call, type CallResult, type RunOptions } from './agent-runs.ts';

/**
 * The fences of agents, as Claude Code holds them with the product's options: what an agent reaches and what not, at each
 * level. `escape-attempts` is the table of what is tried.
 */

const LEVELS: AgentLevel[] = ['read', 'edit', 'shell'];

let runs: AgentRuns;
beforeAll(async () => {
  runs = await AgentRuns.open();
});
afterAll(() => runs.close());

const placeOf = ({ workspace }: Agent, { home, model } = runs): Omit<Place, 'gatewayFile'> => ({
  workspace,
  outside: join(dirname(workspace), 'outside'),
  home,
  configuration: join(home, 'isthmus'),
  port: model.port,
});

/** Lets an agent make all attempts in a hostile workspace. */
async function attempts(
  level: AgentLevel,
  tried: readonly EscapeAttempt[],
  options: RunOptions = {},
  runner: AgentRuns = runs,
) {
  const agent = runner.agent({ level });
  const place = placeOf(agent, runner);
  layOut(place);
  const before = untouched(place);
  const results = await runner.results(
    agent,
    ({ files }) => {
      const at = { ...place, gatewayFile: files.settings as string };
      return tried.map(({ tool, input }) => ({ name: tool, input: input(at) }));
    },
    options,
  );
  const told = tried.map(({ name }, at) => ({ name, ...(results[at] as CallResult) }));
  return { reached: told.filter(({ text }) => reached(text)), told, before, after: untouched(place) };
}

describe.each(LEVELS)('at the level %s', (level) => {
  const isSkipped = level === 'shell' && NO_SANDBOX !== undefined;
  const where = level === 'shell' ? SANDBOXED : '';

  test.skipIf(isSkipped)(`no attempt leaves the workspace ${where}`, QUICK, async () => {
    const { reached, before, after } = await attempts(level, ESCAPE_ATTEMPTS);
    expect(reached).toEqual([]);
    expect(after).toEqual(before);
  });

  test.skipIf(isSkipped)(`no attempt of a subagent does ${where}`, async () => {
    const { reached, before, after } = await attempts(level, ESCAPE_ATTEMPTS, { by: 'subagent' });
    expect(reached).toEqual([]);
    expect(after).toEqual(before);
  });
});

test('what is tried reaches something where no fences stand', async () => {
  const tried = ESCAPE_ATTEMPTS.filter(({ isReal }) => isReal);
  const tools = ['Read', 'Glob', 'Grep', 'Write', 'Edit'];
  // What is planted lies about.
  const open = await AgentRuns.open();
  try {
    const options = { settings: {}, profile: { tools, allowedTools: tools } };
    const { reached, told, before, after } = await attempts('edit', tried, options, open);
    const isWrite = (name: string) => /^(writes|edits) /.test(name);
    const vain = told.filter((one) => !isWrite(one.name) && !reached.includes(one));
    expect(vain).toEqual([]);
    const writes = tried.filter(({ name }) => isWrite(name));
    expect(Object.keys(after).length - Object.keys(before).length).toBe(writes.length);
  } finally {
    await open.close();
  }
});

/** What each tool does in its workspace, by the level that has it. */
const GOOD: ReadonlyArray<[level: AgentLevel, call: (workspace: string) => Call, told: string]> = [
  ['read', (workspace) => ({ name: 'Read', input: { file_path: `${workspace}/inside.txt` } }), 'All may see this.'],
  ['read', () => ({ name: 'Read', input: { file_path: 'sub/inner.txt' } }), 'All may see this, too.'],
  ['read', () => ({ name: 'Glob', input: { pattern: '**/*.txt' } }), 'sub/inner.txt'],
  ['read', () => ({ name: 'Grep', input: { pattern: 'too', output_mode: 'content' } }), 'All may see this, too.'],
  [
    'edit',
    (workspace) => ({ name: 'Write', input: { file_path: `${workspace}/new/a.txt`, content: 'new' } }),
    'created',
  ],
  [
    'edit',
    (workspace) => ({
      name: 'Edit',
      input: { file_path: `${workspace}/inside.txt`, old_string: 'All may', new_string: 'Nobody may' },
    }),
    'updated',
  ],
  [
    'shell',
    () => ({ name: 'Bash', input: { command: 'cat inside.txt && echo made > made.txt' } }),
    'Nobody may see this.',
  ],
  ['shell', () => ({ name: 'Bash', input: { command: 'for a in 1 2; do node -p "$a+1"; done' } }), '2\n3'],
];

test.each(LEVELS)('the level %s has its tools and no others', async (level) => {
  const agent = runs.agent({ level });
  layOut({ ...placeOf(agent), home: agent.workspace });
  const has = LEVELS.slice(0, LEVELS.indexOf(level) + 1);
  const results = await runs.results(
    agent,
    GOOD.map(([, call]) => call(agent.workspace)),
  );
  const isWithoutSandbox = level === 'shell' && NO_SANDBOX !== undefined;
  if (isWithoutSandbox) return;
  for (const [at, [least, , told]] of GOOD.entries()) {
    const { text, isError } = results[at] as CallResult;
    if (has.includes(least)) expect([isError, text]).toEqual([false, expect.stringContaining(told)]);
    else expect([isError, text]).toEqual([true, expect.stringContaining('No such tool available')]);
  }
  expect(runs.model.requests[0]?.body.tools?.map(({ name }) => name).sort()).toEqual(
    [...new Set(GOOD.filter(([least]) => has.includes(least)).map(([, call]) => call('').name))].sort(),
  );
});
