import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { query } from '@anthropic-ai/claude-agent-sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ScriptedBlock } from '../../../scripted-model/script.ts';
import { type ScriptedModel, startScriptedModel } from '../../../scripted-model/testing.ts';
import { DENY_PRESETS } from '../../../src/agents/deny-rules.ts';
import { findExecutable } from '../../../src/engine/environment/executable.ts';
import { surroundings } from '../../support/gateway.ts';

let model: ScriptedModel;
const here = surroundings('http://127.0.0.1:9');
const workspace = join(here.home, 'workspace');
const SECRET = 'what nobody may read';
const WORDS = 'what nobody may write';

beforeAll(async () => {
  model = await startScriptedModel();
});
afterAll(async () => {
  await model.close();
  here.remove();
});

const rules = [...new Set(Object.values(DENY_PRESETS).flat())];

/** Files that the rules of a tool are about, at the top of the workspace and in a folder below. */
function filesOf(tool: string, below: string): string[] {
  const patterns = rules.flatMap((rule) => new RegExp(`^${tool}\\(\\*\\*/(.*)\\)$`).exec(rule)?.[1] ?? []);
  const names = patterns.map((pattern) => pattern.replace('**', 'some/file').replaceAll('*', 'some'));
  return ['', below].flatMap((folder) => names.map((name) => join(workspace, folder, name)));
}

/** Has a process make these calls in one answer; the results as JSON, by the ids of the calls. */
async function run(calls: ScriptedBlock[]): Promise<Map<string, string>> {
  model.use([{ replies: [{ content: calls }, { content: [{ type: 'text', text: 'done' }] }] }]);
  const turn = query({
    prompt: 'go',
    options: {
      cwd: workspace,
      env: { ...here.env, ANTHROPIC_BASE_URL: model.url, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' },
      pathToClaudeCodeExecutable: findExecutable(undefined).path,
      model: 'claude-sonnet-5',
      tools: ['Read', 'Write'],
      permissionMode: 'acceptEdits',
      settingSources: [],
      settings: { permissions: { denyInsteadOfPrompting: true, deny: rules } },
    },
  });
  for await (const _ of turn);
  expect(model.requests).toHaveLength(2);
  const blocks = (model.requests[1]?.body.messages ?? []).flatMap(({ content }) =>
    typeof content === 'string' ? [] : content,
  );
  return new Map(blocks.map((block) => [String(block.tool_use_id), JSON.stringify(block)]));
}

test('every rule of the presets holds, at the top of a workspace and below, and for no other file', async () => {
  const [secrets, writable] = [filesOf('Read', 'read/below'), filesOf('Edit', 'written/below')];
  const free = [join(workspace, 'free.txt'), join(workspace, 'new.txt')] as const;
  for (const path of [...secrets, free[0]]) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, SECRET);
  }
  const idOf = (tool: string, path: string) => `toolu_${tool}_${path}`.replaceAll(/\W/g, '_');
  const read = (path: string): ScriptedBlock => ({
    type: 'tool_use',
    id: idOf('read', path),
    name: 'Read',
    input: { file_path: path },
  });
  const write = (path: string): ScriptedBlock => ({
    type: 'tool_use',
    id: idOf('write', path),
    name: 'Write',
    input: { file_path: path, content: WORDS },
  });
  // A file that is there could not be written without having been read.
  const unwritten = writable.filter((path) => !existsSync(path));
  const results = await run([...secrets.map(read), ...unwritten.map(write), read(free[0]), write(free[1])]);
  const wordsOf = (tool: string, path: string) => results.get(idOf(tool, path)) ?? 'no result';
  const isDenied = (words: string) => words.includes('"is_error":true');
  expect(wordsOf('read', free[0])).toContain(SECRET);
  expect(readFileSync(free[1], 'utf8')).toBe(WORDS);
  expect(secrets.filter((path) => !isDenied(wordsOf('read', path)))).toEqual([]);
  expect(unwritten.filter((path) => !isDenied(wordsOf('write', path)) || existsSync(path))).toEqual([]);
});
