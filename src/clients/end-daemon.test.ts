import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { endDaemon } from './end-daemon.ts';

const folder = mkdtempSync(join(tmpdir(), 'isthmus-daemon-'));
const file = join(folder, 'hub.json');

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each<[string, string, NodeJS.Signals]>([
  ['asks it to end', 'console.log(1); setInterval(() => {}, 1000)', 'SIGTERM'],
  [
    'kills one that does not',
    "process.on('SIGTERM', () => {}); console.log(1); setInterval(() => {}, 1000)",
    'SIGKILL',
  ],
])('%s', async (_, program, signal) => {
  const daemon = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(daemon, 'exit');
  await once(daemon.stdout, 'data');
  writeFileSync(file, JSON.stringify({ pid: daemon.pid }));
  await endDaemon(file, 500);
  expect(await ended).toEqual([null, signal]);
});

test.each([['{}'], ['{"pid":1}'], ['{"pid":-5}'], ['{"pid":"7"}'], ['{"pi'], ['null']])(
  'leaves everyone alone for %s',
  async (text) => {
    writeFileSync(file, text);
    await endDaemon(file);
  },
);

test('needs no file', async () => {
  await endDaemon(join(folder, 'none.json'));
});
