import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, expect, test } from 'vitest';
import { readSettings } from './settings.ts';
import { settingsSchema } from './settings-schema.ts';

const folder = mkdtempSync(join(tmpdir(), 'isthmus-schema-'));
const file = join(folder, 'config.json');
afterAll(() => rmSync(folder, { recursive: true }));

const isValid = new Ajv2020({ strict: false }).compile(settingsSchema());
const docs = { level: 'read', workspace: '/work/docs' };

test.each<[unknown, boolean]>([
  [{}, true],
  [{ $schema: './config.schema.json', port: 1, host: 'localhost', strict: true, reuse: 'off' }, true],
  [{ port: '$PORT', 'allowed-hosts': ['a'], 'queue-seconds': 0.5 }, true],
  [{ 'allowed-hosts': 'a,b', agents: { docs: { ...docs, key: '$KEY', mcpServers: { a: { command: 'x' } } } } }, true],
  [{ port: 70_000 }, false],
  [{ prot: 1 }, false],
  [{ reuse: 'maybe' }, false],
  [{ strict: 'sometimes' }, false],
  [{ host: '' }, false],
  [{ agents: { docs: { level: 'read' } } }, false],
  [{ agents: { docs: { ...docs, lvel: 'read' } } }, false],
  [[], false],
])('an editor says of %j what the program says', async (configuration, is) => {
  expect(isValid(configuration)).toBe(is);
  writeFileSync(file, JSON.stringify(configuration));
  const read = () => readSettings({ flags: { config: file }, environment: { PORT: '1', KEY: 'k' } });
  if (is) await read();
  else await expect(read()).rejects.toThrow();
});
