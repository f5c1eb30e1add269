import { spawn } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Agent, AgentLevel } from '../../../src/spec/agent.ts';
import {
  ESCAPE_ATTEMPTS,
  type EscapeAttempt,
  layOut,
  type Place,
  reached,
  untouched,
} from '../../support/escape-attempts.ts';
import { until } from '../../support/gateway.ts';
import { QUICK } from '../../support/quick.ts';
import { NO_SANDBOX, SANDBOXED } from '../../support/sandbox.ts';
import { testParts } from '../../support/test-parts.ts';
import { AgentRuns, type Call, type CallResult, type RunOptions } from './agent-runs.ts';

/**
 * The fences of agents, as Claude Code holds them with the product's options: what an agent reaches and what not, at each
 * level. `escape-attempts` is the table of what is tried.
 */

const LEVELS: AgentLevel[] = ['read', 'edit', 'shell'];

/** Without a deny rule. */
const NEVER_WRITTEN = [
  '.git/config',
  '.git/hooks/pre-commit',
  '.vscode/settings.json',
  '.idea/workspace.xml',
  '.husky/pre-commit',
  '.envrc',
  '.npmrc',
  '.bashrc',
  '.gitconfig',
  '.mcp.json',
  '.claude/settings.json',
  '.claude/agents/a.md',
];
/** The presets of deny rules are for these. */
const WRITTEN = [
  'package.json',
  '.gitattributes',
  'CLAUDE.md',
  'AGENTS.md',
  '.github/workflows/a.yml',
  'opencode.json',
];

/** Swaps a folder and a link to outside, as fast as it can. */
const SWAP = `
const { mkdirSync, symlinkSync, renameSync, writeFileSync, rmSync } = require('node:fs');
mkdirSync('real'); writeFileSync('real/secret.txt', 'nothing to see'); symlinkSync('../outside', 'lead');
renameSync('real', 'swap');
for (;;) { renameSync('swap', 'real'); renameSync('lead', 'swap'); renameSync('swap', 'lead'); renameSync('real', 'swap'); }
`;

let runs: AgentRuns;
beforeAll(async () => {
  runs = await AgentRuns.open();
});
afterAll(() => runs.close());

const placeOf = ({ workspace }: Agent, { home, model } = runs): Omit<Place, 'gatewayFile'> => ({
  workspace,
  outside: join(dirname(workspace), 'outside'),
  home,
  configuration: join(home, 'isthmus'),
  port: model.port,
});

/** Lets an agent make all attempts in a hostile workspace. */
async function attempts(
  level: AgentLevel,
  tried: readonly EscapeAttempt[],
  options: RunOptions = {},
  runner: AgentRuns = runs,
) {
  const agent = runner.agent({ level });
  const place = placeOf(agent, runner);
  layOut(place);
  const before = untouched(place);
  const results = await runner.results(
    agent,
    ({ files }) => {
      const at = { ...place, gatewayFile: files.settings as string };
      return tried.map(({ tool, input }) => ({ name: tool, input: input(at) }));
    },
    options,
  );
  const told = tried.map(({ name }, at) => ({ name, ...(results[at] as CallResult) }));
  return { reached: told.filter(({ text }) => reached(text)), told, before, after: untouched(place) };
}

describe.each(LEVELS)('at the level %s', (level) => {
  const isSkipped = level === 'shell' && NO_SANDBOX !== undefined;
  const where = level === 'shell' ? SANDBOXED : '';

  // The sandbox makes it slow.
  const tags = level === 'shell' ? {} : QUICK;
  test.skipIf(isSkipped)(`no attempt leaves the workspace ${where}`, tags, async () => {
    const { reached, before, after } = await attempts(level, ESCAPE_ATTEMPTS);
    expect(reached).toEqual([]);
    expect(after).toEqual(before);
  });

  test.skipIf(isSkipped)(`no attempt of a subagent does ${where}`, async () => {
    const { reached, before, after } = await attempts(level, ESCAPE_ATTEMPTS, { by: 'subagent' });
    expect(reached).toEqual([]);
    expect(after).toEqual(before);
  });
});

test('what is tried reaches something where no fences stand', async () => {
  const tried = ESCAPE_ATTEMPTS.filter(({ isReal }) => isReal);
  const tools = ['Read', 'Glob', 'Grep', 'Write', 'Edit'];
  // What is planted lies about.
  const open = await AgentRuns.open();
  try {
    const options = { settings: {}, profile: { tools, allowedTools: tools } };
    const { reached, told, before, after } = await attempts('edit', tried, options, open);
    const isWrite = (name: string) => /^(writes|edits) /.test(name);
    const vain = told.filter((one) => !isWrite(one.name) && !reached.includes(one));
    expect(vain).toEqual([]);
    const written = Object.keys(after).filter((path) => !(path in before));
    expect(written.map((path) => basename(path)).sort(), JSON.stringify(told)).toEqual([
      'edited.txt',
      'planted-up.txt',
      'planted.txt',
      'planted.txt',
      'planted.txt',
    ]);
  } finally {
    await open.close();
  }
});

/** What each tool does in its workspace, by the level that has it. */
const GOOD: ReadonlyArray<[level: AgentLevel, call: (workspace: string) => Call, told: string]> = [
  ['read', (workspace) => ({ name: 'Read', input: { file_path: `${workspace}/inside.txt` } }), 'All may see this.'],
  ['read', () => ({ name: 'Read', input: { file_path: 'sub/inner.txt' } }), 'All may see this, too.'],
  ['read', () => ({ name: 'Glob', input: { pattern: '**/*.txt' } }), 'sub/inner.txt'],
  ['read', () => ({ name: 'Grep', input: { pattern: 'too', output_mode: 'content' } }), 'All may see this, too.'],
  [
    'edit',
    (workspace) => ({ name: 'Write', input: { file_path: `${workspace}/new/a.txt`, content: 'new' } }),
    'created',
  ],
  [
    'edit',
    (workspace) => ({
      name: 'Edit',
      input: { file_path: `${workspace}/inside.txt`, old_string: 'All may', new_string: 'Nobody may' },
    }),
    'updated',
  ],
  [
    'shell',
    () => ({ name: 'Bash', input: { command: 'cat inside.txt && echo made > made.txt' } }),
    'Nobody may see this.',
  ],
  ['shell', () => ({ name: 'Bash', input: { command: 'for a in 1 2; do node -p "$a+1"; done' } }), '2\n3'],
];

test.each(LEVELS)('the level %s has its tools and no others', async (level) => {
  const agent = runs.agent({ level });
  layOut({ ...placeOf(agent), home: agent.workspace });
  const has = LEVELS.slice(0, LEVELS.indexOf(level) + 1);
  const results = await runs.results(
    agent,
    GOOD.map(([, call]) => call(agent.workspace)),
  );
  const isWithoutSandbox = level === 'shell' && NO_SANDBOX !== undefined;
  if (isWithoutSandbox) return;
  for (const [at, [least, , told]] of GOOD.entries()) {
    const { text, isError } = results[at] as CallResult;
    if (has.includes(least)) expect([isError, text]).toEqual([false, expect.stringContaining(told)]);
    else expect([isError, text]).toEqual([true, expect.stringContaining('No such tool available')]);
  }
  expect(runs.model.requests[0]?.body.tools?.map(({ name }) => name).sort()).toEqual(
    [...new Set(GOOD.filter(([least]) => has.includes(least)).map(([, call]) => call('').name))].sort(),
  );
});

/** What goes wrong within a workspace; behind it the agent goes on. */
const BAD: ReadonlyArray<[name: string, input: Call['input'], isError: boolean, told: RegExp]> = [
  ['Read', { file_path: 'none.txt' }, true, /does not exist/],
  // Claude Code lets it change a file that it has not read.
  ['Edit', { file_path: 'unread.txt', old_string: 'may', new_string: 'x' }, false, /updated/],
  ['Write', { file_path: 'unread.txt', content: 'x' }, false, /updated/],
  ['Read', { file_path: 'inside.txt' }, false, /All may see this/],
  ['Edit', { file_path: 'inside.txt', old_string: 'absent', new_string: 'x' }, true, /not found in file/],
  ['Glob', { pattern: '**/*.absent' }, false, /^No files found$/],
  ['Grep', { pattern: 'absent' }, false, /^No files found$/],
  ['Grep', { pattern: 'absent', output_mode: 'content' }, false, /^No matches found$/],
];
const FAILING_COMMAND: (typeof BAD)[number] = [
  'Bash',
  { command: 'echo so far; exit 3' },
  true,
  /Exit code 3\s+so far/,
];

test(`what goes wrong is told the model ${SANDBOXED}`, async () => {
  const agent = runs.agent({ level: NO_SANDBOX ? 'edit' : 'shell' });
  const inside = join(agent.workspace, 'inside.txt');
  for (const file of [inside, join(agent.workspace, 'unread.txt')]) writeFileSync(file, 'All may see this.');
  const tried = NO_SANDBOX ? BAD : [...BAD, FAILING_COMMAND];
  const calls = tried.map(([name, { file_path, ...input }]) => ({
    name,
    input: { ...input, ...(file_path !== undefined && { file_path: join(agent.workspace, String(file_path)) }) },
  }));
  const results = await runs.results(agent, calls);
  for (const [at, [name, input, isError, told]] of tried.entries()) {
    const { text, isError: wasError } = results[at] as CallResult;
    expect([wasError, text], `${name} ${JSON.stringify(input)}`).toEqual([isError, expect.stringMatching(told)]);
  }
  expect(runs.model.requests).toHaveLength(2);
  expect(readFileSync(inside, 'utf8')).toBe('All may see this.');
});

test('a hard link to a file outside is read: no fence tells it from a file of the workspace', async () => {
  const agent = runs.agent();
  const place = placeOf(agent);
  layOut(place);
  linkSync(join(place.outside, 'secret.txt'), join(agent.workspace, 'hard'));
  const [result] = await runs.results(agent, [{ name: 'Read', input: { file_path: `${agent.workspace}/hard` } }]);
  expect(reached(result?.text ?? '')).toBe(true);
});

/** By whom, at which level. */
const SWAPPED: ReadonlyArray<[level: 'edit' | 'shell', by: 'an agent' | 'a subagent']> = [
  ['edit', 'an agent'],
  ['edit', 'a subagent'],
  ['shell', 'an agent'],
  ['shell', 'a subagent'],
];

testParts('agents', NO_SANDBOX ? SWAPPED.filter(([level]) => level !== 'shell') : SWAPPED, {
  isEveryday: ([level, by]) => level === 'edit' && by === 'an agent',
})('a folder that becomes a link to outside, again and again, leads nowhere: at %s for %s', async (level, by) => {
  const agent = runs.agent({ level });
  const place = placeOf(agent);
  layOut(place);
  const before = untouched(place);
  const swapper = spawn(process.execPath, ['-e', SWAP], { cwd: agent.workspace });
  try {
    await until('the folder is there', () => existsSync(join(agent.workspace, 'swap')));
    const file_path = `${agent.workspace}/swap/secret.txt`;
    // A sandbox takes a second to stand, and longer beside the swaps.
    const calls = Array.from({ length: level === 'shell' ? 12 : 40 }, (_, at): Call[] => [
      { name: 'Read', input: { file_path } },
      { name: 'Write', input: { file_path: `${agent.workspace}/swap/planted-${at}.txt`, content: 'planted' } },
      { name: 'Grep', input: { pattern: 'secret', path: `${agent.workspace}/swap`, output_mode: 'content' } },
      ...(level === 'shell'
        ? [{ name: 'Bash', input: { command: `cat swap/secret.txt; echo planted > swap/planted-${at}.txt` } }]
        : []),
    ]).flat();
    const results = await runs.results(agent, calls, by === 'a subagent' ? { by: 'subagent' } : {});
    expect(results.filter(({ text }) => reached(text))).toEqual([]);
    // Else nothing was swapped, or nothing was tried.
    expect(new Set(results.map(({ isError }) => isError))).toEqual(new Set([true, false]));
  } finally {
    swapper.kill('SIGKILL');
  }
  expect(untouched(place)).toEqual(before);
});

describe('deny rules', () => {
  const DENY = ['Read(**/.env)', 'Edit(**/*.lock)'];
  const layOutSecrets = ({ workspace }: Agent) => {
    for (const folder of ['', 'deep/deeper']) {
      mkdirSync(join(workspace, folder), { recursive: true });
      writeFileSync(join(workspace, folder, '.env'), 'KEY=hush\n');
      writeFileSync(join(workspace, folder, 'a.lock'), 'locked\n');
    }
    symlinkSync('deep/deeper/.env', join(workspace, 'innocent.txt'));
  };

  test('hold for each tool, however the file is reached', async () => {
    const agent = runs.agent({ level: 'edit', deny: DENY });
    layOutSecrets(agent);
    const at = (path: string) => join(agent.workspace, path);
    const results = await runs.results(agent, [
      { name: 'Read', input: { file_path: at('.env') } },
      { name: 'Read', input: { file_path: at('deep/deeper/.env') } },
      { name: 'Read', input: { file_path: at('innocent.txt') } },
      { name: 'Grep', input: { pattern: 'KEY', output_mode: 'content' } },
      { name: 'Grep', input: { pattern: 'KEY', path: at('deep/deeper/.env'), output_mode: 'content' } },
      { name: 'Glob', input: { pattern: '**/.env' } },
      { name: 'Write', input: { file_path: at('new.lock'), content: 'x' } },
      { name: 'Edit', input: { file_path: at('deep/deeper/a.lock'), old_string: '', new_string: 'x' } },
    ]);
    expect(results.filter(({ text }) => text.includes('hush') || text.includes('deeper/.env\n'))).toEqual([]);
    expect(existsSync(at('new.lock'))).toBe(false);
    expect(readFileSync(at('deep/deeper/a.lock'), 'utf8')).toBe('locked\n');
  });

  test.skipIf(NO_SANDBOX)(`of reading hold for commands, also for a file made later ${SANDBOXED}`, async () => {
    const agent = runs.agent({ level: 'shell', deny: DENY });
    layOutSecrets(agent);
    const commands = [
      'cat .env deep/deeper/.env innocent.txt',
      'grep -r KEY .',
      'cp -r deep copied; cat copied/deeper/.env',
      'mkdir late; echo KEY=hu""sh > late/.env; cat late/.env',
    ];
    const results = await runs.results(
      agent,
      commands.map((command) => ({ name: 'Bash', input: { command } })),
    );
    expect(results.filter(({ text }) => text.includes('hush'))).toEqual([]);
  });

  test.skipIf(NO_SANDBOX)(`of writing hold for commands where they name a place ${SANDBOXED}`, async () => {
    const held = ['plain', 'folder/a', 'top'];
    const notHeld = ['a.lock', 'deep/top'];
    const deny = ['Edit(plain)', 'Edit(folder/**)', 'Edit(**/top)', 'Edit(**/*.lock)'];
    const agent = runs.agent({ level: 'shell', deny });
    const path = (name: string) => join(agent.workspace, name);
    for (const name of [...held, ...notHeld]) {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), 'old');
    }
    await runs.results(
      agent,
      [...held, ...notHeld].map((name) => ({ name: 'Bash', input: { command: `echo new > ${name}` } })),
    );
    expect(held.map((name) => readFileSync(path(name), 'utf8'))).toEqual(held.map(() => 'old'));
    // So the documentation says.
    expect(notHeld.map((name) => readFileSync(path(name), 'utf8'))).toEqual(notHeld.map(() => 'new\n'));
  });

  test('that make no sense leave the others and the fences in force', async () => {
    const agent = runs.agent({ deny: ['Read(', '(((', '', ...DENY] });
    layOutSecrets(agent);
    const place = placeOf(agent);
    layOut(place);
    const results = await runs.results(agent, [
      { name: 'Read', input: { file_path: `${agent.workspace}/.env` } },
      { name: 'Read', input: { file_path: join(place.outside, 'secret.txt') } },
      { name: 'Read', input: { file_path: `${agent.workspace}/inside.txt` } },
    ]);
    expect(results.map(({ isError }) => isError)).toEqual([true, true, false]);
  });
});

test('what runs later without anybody asking is refused by itself in part only', async () => {
  const agent = runs.agent({ level: 'edit' });
  mkdirSync(join(agent.workspace, '.git', 'hooks'), { recursive: true });
  const paths = [...NEVER_WRITTEN, ...WRITTEN];
  const results = await runs.results(
    agent,
    paths.map((path) => ({ name: 'Write', input: { file_path: join(agent.workspace, path), content: 'x' } })),
  );
  const written = paths.filter((path) => existsSync(join(agent.workspace, path)));
  expect(written, JSON.stringify(results)).toEqual(WRITTEN);
});
