import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { expansionRecord } from '../../test/support/expansion-records.ts';
import { folderInMemory } from '../../test/support/folder-in-memory.ts';
import type { ExpansionRecord } from '../spec/expansion-store.ts';
import { databaseFile } from '../store/database-file.ts';
import { DatabaseTable } from '../store/database-table.ts';
import { parseCommandLine } from './arguments.ts';
import { run as sessions } from './sessions.ts';

let home: string;
let file: string;
beforeEach(() => {
  home = folderInMemory('isthmus-sessions-');
  file = databaseFile(join(home, 'isthmus'));
});
afterEach(() => rmSync(home, { recursive: true }));

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const NOW = Date.now();

async function put(...records: ExpansionRecord[]): Promise<void> {
  const table = await DatabaseTable.open(file);
  await table.write(records);
  await table.close();
}

/** What `isthmus sessions …` prints. */
async function run(line: string): Promise<string> {
  const written: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    const call = parseCommandLine(['sessions', ...line.split(' ').filter((word) => word !== '')]);
    const settings = () => Promise.reject(new Error('It takes none.'));
    await sessions({ ...call, environment: { XDG_STATE_HOME: home }, settings });
  } finally {
    write.mockRestore();
  }
  return written.join('');
}

async function listedIds(): Promise<string[]> {
  const lines = (await run('list')).trimEnd().split('\n');
  return lines.slice(1).map((line) => line.split(' ')[0] ?? '');
}

const SECRET = Buffer.from('what a message says');

const STORED = [
  expansionRecord({ session: '1111aaaa-1', agent: 'docs', at: NOW - 3 * DAY, expansion: SECRET, turn: 'req_1' }),
  expansionRecord({ session: '1111aaaa-1', agent: 'docs', at: NOW - 2 * MINUTE, expansion: SECRET, turn: 'req_2' }),
  expansionRecord({ session: '2222bbbb-2', agent: 'web', at: NOW - 9 * DAY, bytes: 3_000_000 }),
  expansionRecord({ session: '2222bbbc-3', agent: 'web', at: NOW - 8 * DAY, bytes: 2_000 }),
];

describe('isthmus sessions', () => {
  test('without a store says so, and makes none', async () => {
    expect(await run('list')).toMatch(/^There are no sessions yet: .*\n$/);
    expect(await run('purge --all')).toBe('Removed 0 sessions.\n');
    await expect(run('show 1111')).rejects.toThrow('There is no session "1111"');
    expect(readdirSync(home)).toEqual([]);
  });

  test('list names each, the newest first, by what tells them apart', async () => {
    await put(...STORED, expansionRecord({ session: '3333cccc-00001-a', agent: 'odd\u001b[31m', at: NOW - 20 * DAY }));
    const time = '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d';
    const lines = (await run('list')).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^session +agent +turns +size +first turn +last turn$/);
    expect(lines[1]).toMatch(new RegExp(`^1111aaaa +docs +2 +2 KB +${time} +${time}$`));
    expect(lines[2]).toMatch(/^2222bbbc +web +1 +3 KB /);
    expect(lines[3]).toMatch(/^2222bbbb +web +1 +2\.9 MB /);
    expect(lines[4]).toMatch(/^3333cccc +odd\\u001b\[31m +1 +5 KB /);
    expect(lines).toHaveLength(5);
    await put(expansionRecord({ session: '3333cccc-00002-a', at: NOW - 21 * DAY }));
    expect((await listedIds()).slice(-2)).toEqual(['3333cccc-00001', '3333cccc-00002']);
  });

  test('show lists the steps and changed files of each turn, and nothing that was said', async () => {
    const steps = [{ tool: 'Bash', about: 'echo \u001b[2J\nSession', isError: false }];
    await put(...STORED, expansionRecord({ session: 'odd', steps: { steps, changedFiles: ['a\u202eb'] } }));
    const output = await run('show 1111');
    const shown = [
      /^Session 1111aaaa-1 of the agent docs: 2 turns, 2 KB$/,
      /^$/,
      /^\d{4}-\d\d-\d\d \d\d:\d\d {2}req_1$/,
      /^ {2}Read {2}src\/läufer.ts$/,
      /^ {2}Bash {2}npm test \(failed\) \(by reviewer\)$/,
      /^ {2}changed: src\/läufer.ts$/,
      /^$/,
      /req_2$/,
    ];
    expect(output.split('\n').slice(0, shown.length)).toEqual(shown.map((line) => expect.stringMatching(line)));
    expect(output).not.toContain('says');
    const ofTerminal = ['  Bash  echo \\u001b[2J\\u000aSession', '  changed: a\\u202eb', ''];
    expect((await run('show odd')).split('\n').slice(3)).toEqual(ofTerminal);
    await expect(run('show 3')).rejects.toThrow('There is no session "3"; see isthmus sessions list.');
    await expect(run('purge 2222')).rejects.toThrow('Several sessions begin with "2222": give more of the id.');
    expect(await run('show 2222bbbc')).toMatch(/^Session 2222bbbc-3 /);
  });

  test('purge removes one, those that have not gone on for so long, or all', async () => {
    await put(...STORED);
    expect(await run('purge --older-than 30')).toBe('Removed 0 sessions.\n');
    expect(await run('purge --older-than 8.5')).toBe('Removed 1 session.\n');
    expect(await listedIds()).toEqual(['1111aaaa', '2222bbbc']);
    await put(...STORED);
    expect(await run('purge 2222bbbb-2')).toBe('Removed 1 session.\n');
    expect(await listedIds()).toEqual(['1111aaaa', '2222bbbc']);
    // Its first turn is older; its last one is not.
    expect(await run('purge --older-than 1')).toBe('Removed 1 session.\n');
    expect(await run('show 1111')).toContain('2 turns');
    expect(await run('purge --all')).toBe('Removed 1 session.\n');
    expect(await run('list')).toBe('There are no sessions.\n');
  });

  test('what is purged is gone from the disk, and its room is free', async () => {
    await put(...STORED);
    await run('purge --all');
    const left = readdirSync(dirname(file)).map((name) => readFileSync(join(dirname(file), name)));
    expect(left.some((bytes) => bytes.includes(SECRET))).toBe(false);
    expect(left.reduce((sum, bytes) => sum + bytes.byteLength, 0)).toBeLessThan(200_000);
  });

  test('a store that cannot be read is one line with its place', async () => {
    mkdirSync(dirname(file));
    writeFileSync(file, 'This is no database. '.repeat(500));
    await expect(run('list')).rejects.toThrow(`The store ${file} cannot be used: file is not a database.`);
  });

  test.each([
    ['', 'What about sessions? isthmus sessions list'],
    ['lst', 'There is no command sessions "lst". Did you mean list?'],
    ['list 1111', '`isthmus sessions list` takes no id'],
    ['list --all', '--all and --older-than belong to'],
    ['show', 'Which session?'],
    ['purge', 'What should go?'],
    ['purge 1111 --all', 'What should go?'],
    ['purge --older-than', '--older-than needs a value: --older-than DAYS'],
    ['purge --older-than x', '--older-than must be a number of days (it is "x").'],
    ['purge --older-than=-1', '--older-than must be a number of days (it is "-1").'],
  ])('%j is refused with the cure', async (line, words) => {
    await expect(run(line)).rejects.toThrow(words);
  });
});
