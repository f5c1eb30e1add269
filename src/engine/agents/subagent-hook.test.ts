import { expect, test } from 'vitest';
import { subagentHook } from './subagent-hook.ts';

const TASK = { description: 'look', prompt: 'Look around.' };

/** What the hook makes of a task; undefined if it stays as it is. */
async function looked(input: object, renamed: string[] = []): Promise<unknown> {
  const { PreToolUse = [] } = subagentHook(['looker'], (asked, meant) => renamed.push(`${asked} is ${meant}`));
  const [hook] = PreToolUse[0]?.hooks ?? [];
  const answer = await hook?.({ tool_input: input } as never, undefined, {} as never);
  return (answer as { hookSpecificOutput?: { updatedInput?: unknown } }).hookSpecificOutput?.updatedInput;
}

test('a task for a declared subagent stays as it is', async () => {
  expect(await looked({ ...TASK, subagent_type: 'looker' })).toBeUndefined();
  expect(await looked(TASK)).toBeUndefined();
});

test('a name is put right, and one that means none is left to the SDK', async () => {
  const renamed: string[] = [];
  expect(await looked({ ...TASK, subagent_type: 'Looker-Agent' }, renamed)).toEqual({
    ...TASK,
    subagent_type: 'looker',
  });
  expect(renamed).toEqual(['Looker-Agent is looker']);
  expect(await looked({ ...TASK, subagent_type: 'nobody' })).toBeUndefined();
});

test.each([
  { model: 'opus' },
  { effort: 'max' },
  { mode: 'bypassPermissions' },
  { isolation: 'worktree' },
  { run_in_background: true },
  { name: 'bob', team_name: 'a' },
])('a task cannot wish for %j', async (wish) => {
  const task = { ...TASK, subagent_type: 'looker' };
  expect(await looked({ ...task, ...wish })).toEqual(task);
  expect(await looked({ ...TASK, ...wish })).toEqual(TASK);
});
