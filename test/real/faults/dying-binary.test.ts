import { afterEach, expect, test } from 'vitest';
import { type Health, startGateway, surroundings, until } from '../../support/gateway.ts';
import { childrenOf } from '../../support/process-table.ts';
import { LAST_WORDS, standInClaude } from '../../support/stand-in-claude.ts';

/** A `claude` that says that it is ready, and dies: the SDK is real, the binary is a stand-in. */

const cleanups: Array<() => unknown> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

test('a binary that dies when it is ready is told at once, is tried ever more seldom, and heals', async () => {
  const { home, remove } = surroundings('http://127.0.0.1:9');
  cleanups.push(remove);
  const claude = standInClaude(home);
  const gateway = await startGateway('http://127.0.0.1:9', ['--claude', claude.path, '--spares', '1'], { home });
  cleanups.push(() => gateway.stop(undefined, 'keeps its home'));
  const health = async () => (await gateway.health()) as Health & { status: string; failing?: { inARow: number } };
  const ended = () => gateway.output().match(/ spare ended .*/g) ?? [];
  await until('its spare is ready', async () => (await health()).processes.spare === 1);
  expect(await health()).toMatchObject({ status: 'ok' });
  expect(ended()).toEqual([]);

  claude.break();
  for (const pid of childrenOf(Number(gateway.child.pid))) process.kill(pid, 'SIGKILL');
  await until('it is seen', async () => (await health()).failing?.inARow === 3);
  expect(await health()).toMatchObject({
    status: 'claude_failing',
    failing: { end: { code: 3, signal: null, at: expect.stringMatching(/^20.*Z$/) } },
    processes: { spare: 0 },
  });
  expect(JSON.stringify(await health())).not.toContain(LAST_WORDS);
  expect(ended()).toEqual([
    ' spare ended exit=SIGKILL in_a_row=1 next_in_ms=0',
    ` spare ended exit=3 stderr="${LAST_WORDS}" in_a_row=2 next_in_ms=1000`,
    ` spare ended exit=3 stderr="${LAST_WORDS}" in_a_row=3 next_in_ms=2000`,
  ]);

  const refused = await fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] }),
  });
  expect([refused.status, refused.headers.get('isthmus-error')]).toEqual([503, 'claude_failing']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  const told = await refused.text();
  expect(JSON.parse(told)).toMatchObject({
    error: { type: 'api_error', message: expect.stringMatching(/exit code 3.* in Isthmus's log\.$/) },
  });
  expect(told).not.toContain(LAST_WORDS);

  claude.mend();
  await until('it has healed', async () => (await health()).status === 'ok');
  expect((await health()).processes.spare).toBe(1);
});
