import { afterEach, expect, test, vi } from 'vitest';
import { firstSignal } from './stop-signals.ts';

const NAMES = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

afterEach(() => {
  for (const name of NAMES) process.removeAllListeners(name);
  vi.restoreAllMocks();
});

/** A program that waits for its first signal. */
function program(open: number | undefined, hasTerminal: boolean) {
  const said: string[] = [];
  let isStopped = false;
  void firstSignal({ openRequests: () => open, drainSeconds: 30, say: (line) => said.push(line), hasTerminal }).then(
    () => {
      isStopped = true;
    },
  );
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
  const signal = async (name: NodeJS.Signals) => {
    process.emit(name, name);
    await Promise.resolve();
    return { isStopped, exits: exit.mock.calls.flat(), said: said.splice(0) };
  };
  return { signal };
}

test.each([
  [undefined, 'Stopping when the start is over. Press Ctrl-C again to end it now.'],
  [0, 'Stopping.'],
  [1, 'Stopping: 1 request is under way, with 30 seconds to finish. Press Ctrl-C again to end it now.'],
  [3, 'Stopping: 3 requests are under way, with 30 seconds to finish. Press Ctrl-C again to end them now.'],
])('Ctrl-C with %j open requests says what ends, and the second ends it now', async (open, words) => {
  const { signal } = program(open, true);
  expect(await signal('SIGINT')).toEqual({ isStopped: true, exits: [], said: [words] });
  expect((await signal('SIGINT')).exits).toEqual([1]);
});

test('another signal stops it too, and says how to end it now', async () => {
  const { said } = await program(2, false).signal('SIGTERM');
  expect(said).toEqual([
    'Stopping: 2 requests are under way, with 30 seconds to finish. Send the signal again to end them now.',
  ]);
});

test('a terminal that closes stops what runs in it, and nothing else', async () => {
  expect(await program(0, true).signal('SIGHUP')).toMatchObject({ isStopped: true, said: ['Stopping.'] });
});

test('without a terminal a SIGHUP stops nothing, and is no first signal', async () => {
  const { signal } = program(0, false);
  for (let times = 0; times < 2; times += 1)
    expect(await signal('SIGHUP')).toEqual({ isStopped: false, exits: [], said: [expect.stringContaining('SIGHUP')] });
  expect(await signal('SIGTERM')).toMatchObject({ isStopped: true, exits: [] });
});
