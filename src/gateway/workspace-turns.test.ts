import { expect, test } from 'vitest';
import type { Agent } from '../spec/agent.ts';
import { WorkspaceTurns } from './workspace-turns.ts';

const PATIENT = new AbortController().signal;

function agent(level: Agent['level'], workspace = '/w'): Agent {
  return { name: 'docs', level, workspace } as Agent;
}

/** Whether a promise is settled once all that waits has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  await new Promise((resolve) => setTimeout(resolve, 5));
  return settled;
}

test('turns that change files of one workspace take turns', async () => {
  const turns = new WorkspaceTurns(60_000);
  const leaveFirst = await turns.enter(agent('edit'), 'one', PATIENT);
  const second = turns.enter(agent('shell'), 'two', PATIENT);
  const third = turns.enter(agent('edit'), 'three', PATIENT);
  expect(await isSettled(second)).toBe(false);
  leaveFirst();
  const leaveSecond = await second;
  expect(await isSettled(third)).toBe(false);
  leaveSecond();
  (await third)();
  (await turns.enter(agent('edit'), 'one', PATIENT))();
});

test('other workspaces, and agents that only read, do not wait', async () => {
  const turns = new WorkspaceTurns(60_000);
  await turns.enter(agent('edit'), 'one', PATIENT);
  await turns.enter(agent('edit', '/other'), 'two', PATIENT);
  await turns.enter(agent('read'), 'three', PATIENT);
  await turns.enter(agent('read'), 'four', PATIENT);
});

test.each(['read', 'edit', 'shell'] as const)('the same turn does not run twice at the level %s', async (level) => {
  const turns = new WorkspaceTurns(60_000);
  const leave = await turns.enter(agent(level), 'one', PATIENT);
  await expect(turns.enter(agent(level), 'one', PATIENT)).rejects.toMatchObject({
    failure: { code: 'agent_turn_running' },
  });
  leave();
  (await turns.enter(agent(level), 'one', PATIENT))();
});

test('who waits too long is refused, who leaves is let go, and neither keeps the others', async () => {
  const turns = new WorkspaceTurns(20);
  const leave = await turns.enter(agent('edit'), 'one', PATIENT);
  const gone = new AbortController();
  const impatient = turns.enter(agent('edit'), 'two', gone.signal);
  const late = turns.enter(agent('edit'), 'three', PATIENT);
  gone.abort();
  await expect(impatient).rejects.toMatchObject({ failure: { code: 'client_gone' } });
  await expect(late).rejects.toMatchObject({ failure: { code: 'workspace_busy' } });
  leave();
  (await turns.enter(agent('edit'), 'two', PATIENT))();
});
