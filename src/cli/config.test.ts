import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { folderInMemory } from '../../test/support/folder-in-memory.ts';
import { parseCommandLine } from './arguments.ts';
import { run } from './config.ts';

const folder = folderInMemory('isthmus-config-');
const file = join(folder, 'config.json');
afterAll(() => rmSync(folder, { recursive: true }));

/** What `isthmus config …` prints. */
async function printed(line: string, environment: Record<string, string> = {}): Promise<string> {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    const call = parseCommandLine(['config', ...line.split(' ')]);
    const settings = () => Promise.reject(new Error('It traces them.'));
    await run({ ...call, environment: { HOME: folder, ...environment }, settings });
    return write.mock.calls.map(([text]) => String(text)).join('');
  } finally {
    write.mockRestore();
  }
}

test('show says where each value comes from, and no value of a variable that the file names', async () => {
  const key = '$DOCS_KEY';
  const agents = { docs: { level: 'read', workspace: '/work/docs', key } };
  writeFileSync(file, JSON.stringify({ host: '$MY_HOST', 'max-processes': 3, agents }));
  const output = await printed(`show --config ${file} --spares 1`, { MY_HOST: 'secret.host', ISTHMUS_STRICT: 'true' });
  expect(output).toContain(`The file is ${file}.\n`);
  const rows = output.split('\n').map((row) => row.split(/ {2,}/));
  expect(rows).toContainEqual(['host', '$MY_HOST', 'file']);
  expect(rows).toContainEqual(['max-processes', '3', 'file']);
  expect(rows).toContainEqual(['spares', '1', 'flag']);
  expect(rows).toContainEqual(['strict', 'true', 'variable']);
  expect(rows).toContainEqual(['port', '3456', 'default']);
  expect(rows).toContainEqual(['claude', '-', 'default']);
  expect(rows).toContainEqual(['agents', 'docs: read in /work/docs', 'file']);
  expect(output).not.toContain('secret.host');
  expect(output).not.toContain(key);
});

test('check says that the settings are right, or what is wrong', async () => {
  const workspace = join(folder, 'work');
  mkdirSync(workspace);
  writeFileSync(file, JSON.stringify({ port: 1, agents: { docs: { level: 'read', workspace } } }));
  expect(await printed(`check --config ${file}`)).toMatch(
    new RegExp(`^The settings are right: 2 given, \\d+ by default; agents: 1. The file is ${file}.\n$`),
  );
  writeFileSync(file, JSON.stringify({ agents: { docs: { level: 'read', workspace: '/no/such' } } }));
  await expect(printed(`check --config ${file}`)).rejects.toThrow('agents.docs.workspace');
  writeFileSync(file, '{"port": "x"}');
  await expect(printed(`check --config ${file}`)).rejects.toThrow('"port" in the configuration file must be a number');
});

test.each([
  ['chek', 'There is no `isthmus config chek`. Did you mean check?'],
  ['all', 'There is no `isthmus config all`; there are `isthmus config check`, `isthmus config show`.'],
  ['show me', 'Unexpected "me".'],
])('%j is refused with the cure', async (line, message) => {
  await expect(printed(line)).rejects.toThrow(message);
});
