import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readUserSettings, unloadedProblem } from './user-settings.ts';

const home = mkdtempSync(join(tmpdir(), 'isthmus-settings-'));
const folder = join(home, '.claude');
const path = join(folder, 'settings.json');
mkdirSync(folder);
afterAll(() => rmSync(home, { recursive: true }));

const isOwnAddress = (url: string) => url === 'http://127.0.0.1:3456';

function read(settings: unknown, operator: Record<string, string> = {}) {
  writeFileSync(path, typeof settings === 'string' ? settings : JSON.stringify(settings));
  return readUserSettings({ HOME: home, ...operator }, isOwnAddress);
}

test('the commands are carried, and nothing else', () => {
  const commands = { apiKeyHelper: 'a', awsAuthRefresh: 'b', awsCredentialExport: 'c', gcpAuthRefresh: 'd' };
  const settings = { ...commands, model: 'opus', hooks: {}, permissions: { allow: ['Bash'] } };
  expect(read(settings)).toEqual({ path, commands, unloaded: [] });
});

test.each<[string, unknown]>([
  ['no object', '[1]'],
  ['nothing', 'null'],
  ['no JSON', '{'],
  ['commands of another type', { apiKeyHelper: 7, awsAuthRefresh: '', env: 'x' }],
])('a file of %s says nothing', (_name, settings) => {
  expect(read(settings)).toEqual({ path, commands: {}, unloaded: [] });
});

test('a file may begin with a byte order mark', () => {
  expect(read('\uFEFF{"apiKeyHelper":"a"}').commands).toEqual({ apiKeyHelper: 'a' });
});

test('of the env block the names are kept that say who pays, unless the environment has them', () => {
  const env = {
    CLAUDE_CODE_USE_BEDROCK: 'secret',
    AWS_REGION: 'secret',
    HTTPS_PROXY: 'secret',
    EDITOR: 'vi',
    PATH: 'x',
  };
  const settings = read({ env }, { AWS_REGION: 'r' });
  expect(settings.unloaded).toEqual(['CLAUDE_CODE_USE_BEDROCK', 'HTTPS_PROXY']);
  expect(unloadedProblem(settings)).toBe(
    `${path} sets CLAUDE_CODE_USE_BEDROCK, HTTPS_PROXY in its env block, which Isthmus does not load: put those variables into the environment of Isthmus.`,
  );
  expect(JSON.stringify(settings)).not.toContain('secret');
  expect(unloadedProblem(read({ env: { EDITOR: 'vi' } }))).toBeUndefined();
});

test('what points Claude Code at this gateway is nothing that it misses', () => {
  const ofSetup = { ANTHROPIC_BASE_URL: 'http://127.0.0.1:3456', ANTHROPIC_AUTH_TOKEN: 'isthmus' };
  expect(read({ env: ofSetup }).unloaded).toEqual([]);
  expect(read({ env: { ...ofSetup, ANTHROPIC_AUTH_TOKEN: 'mine' } }).unloaded).toEqual(['ANTHROPIC_AUTH_TOKEN']);
  expect(read({ env: { ...ofSetup, ANTHROPIC_BASE_URL: 'http://127.0.0.1:1' } }).unloaded).toEqual(
    Object.keys(ofSetup),
  );
});

test('CLAUDE_CONFIG_DIR says where the file lies', () => {
  const other = join(home, 'other');
  expect(readUserSettings({ HOME: home, CLAUDE_CONFIG_DIR: other }, isOwnAddress).path).toBe(
    join(other, 'settings.json'),
  );
});
