import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { folderInMemory } from '../../test/support/folder-in-memory.ts';
import { readSettings } from '../config/settings.ts';
import { CLIENT_FILES } from '../setup/setup-table.ts';
import { parseCommandLine } from './arguments.ts';
import { COMMANDS } from './command-table.ts';
import { run as setup } from './setup.ts';

let home: string;
let file: string;
beforeEach(() => {
  home = folderInMemory('isthmus-setup-cli-');
  file = join(home, '.claude', 'settings.json');
});
afterEach(() => {
  process.exitCode = undefined;
  rmSync(home, { recursive: true });
});

/** What `isthmus setup …` prints without a terminal. */
async function run(line: string): Promise<string> {
  const written: string[] = [];
  const take = (text: string | Uint8Array) => written.push(String(text)) > 0;
  const writes = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write').mockImplementation(take));
  const environment = { HOME: home };
  try {
    const call = parseCommandLine(['setup', ...line.split(' ')]);
    const { yes: _, undo: __, print: ___, ...flags } = call.flags;
    await setup({ ...call, environment, settings: async () => readSettings({ flags, environment }) });
  } finally {
    for (const write of writes) write.mockRestore();
  }
  return written.join('');
}

test('the words of the command are the clients', () => {
  expect(COMMANDS.setup.words).toEqual(CLIENT_FILES.map(({ name }) => name));
});

test('a client has other words too', async () => {
  expect(await run('claude --print')).toBe(await run('claude-code --print'));
  expect(await run('oh-my-opencode --print')).toBe(await run('opencode --print'));
});

test('without a terminal it shows what it would do, and writes nothing', async () => {
  await expect(run('claude-code')).rejects.toThrow(`there is no terminal to ask on. Add --yes to write ${file}.`);
  expect(existsSync(file)).toBe(false);
});

test('with --yes it writes; --undo takes it back, and asks as well', async () => {
  mkdirSync(dirname(file));
  writeFileSync(file, '{\n\t"model": "opus"\n}');
  const said = await run('claude-code --yes -p 4000');
  expect(said).toContain('+\t\t"ANTHROPIC_BASE_URL": "http://127.0.0.1:4000",');
  expect(said).toContain('Claude Code is set up');
  expect(await run('claude-code --yes -p 4000')).toBe(
    `Claude Code is set up already: ${file} points at http://127.0.0.1:4000.\n`,
  );
  await expect(run('claude-code --undo')).rejects.toThrow('Add --yes');
  expect(readFileSync(file, 'utf8')).toContain('4000');
  expect(await run('claude-code --undo --yes')).toContain(`${file} is what it was before.`);
  expect(readFileSync(file, 'utf8')).toBe('{\n\t"model": "opus"\n}');
});

test.each([
  ['--host 0.0.0.0', 'http://127.0.0.1:3456'],
  ['--host ::', 'http://[::1]:3456'],
  ['--host 192.168.1.2 --port 80', 'http://192.168.1.2:80'],
])('with %s a client is pointed at an address that it can reach', async (flags, url) => {
  expect(await run(`claude-code --print ${flags}`)).toBe(
    `Claude Code reads ${file}; put this into it:\n{\n  "env": {\n    "ANTHROPIC_BASE_URL": "${url}",\n    "ANTHROPIC_AUTH_TOKEN": "isthmus"\n  }\n}\n`,
  );
  expect(existsSync(file)).toBe(false);
});

test.each([
  ['claude-kode', /Did you mean claude-code/],
  ['claude-code pi', /Unexpected "pi"/],
  ['claude-code --undo', /There is nothing to undo/],
  ['claude-code --undo --print', /exclude each other/],
  ['claude-code --socket /run/isthmus.sock', /call no Unix socket\. Leave the setting socket out/],
  ['claude-code --print --socket /run/isthmus.sock', /call no Unix socket/],
  ['claude-code --port 0', /another port at each start/],
])('`isthmus setup %s` is refused', async (line, message) => {
  await expect(run(line)).rejects.toThrow(message);
});
