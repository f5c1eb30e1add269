import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RootCommand } from '@bomb.sh/tab';
import { SETTINGS, type Setting, type SettingName } from '../config/setting-table.ts';
import { flagsOf } from './arguments.ts';
import { chooseWord } from './choose-word.ts';
import type { Command, Flag, RunCommand } from './command.ts';
import { COMMAND_NAMES, COMMANDS } from './command-table.ts';

/** Values that are paths. */
const PATHS = new Set(['FILE', 'DIR', 'PATH']);

/**
 * `isthmus complete SHELL` prints the script that a shell loads; the script asks `isthmus complete -- WORDS…` at each TAB, and gets
 * a line for each candidate.
 */
export const run: RunCommand = ({ words, rest }) => {
  if (words.length === 0 && rest.length > 0) {
    return completions(rest.at(-1) ?? '').parse([...rest]);
  }
  new RootCommand().setup('isthmus', 'isthmus', chooseWord('complete', words));
};

/** Every command with its words and flags. @param typed the word that the cursor is at */
function completions(typed: string): RootCommand {
  const root = new RootCommand();
  for (const name of COMMAND_NAMES) {
    const { summary, words = [] }: Command = COMMANDS[name];
    const own = root.command(name, summary);
    own.argument('word', (complete) => {
      for (const word of words) complete(word, '');
    });
    for (const [flag, row] of Object.entries(flagsOf(name))) addFlag(own, flag, row, typed);
  }
  return root;
}

function addFlag(
  command: ReturnType<RootCommand['command']>,
  name: string,
  { value, help, short }: Flag,
  typed: string,
): void {
  if (value === undefined) {
    if (short === undefined) command.option(name, help);
    else command.option(name, help, short);
    return;
  }
  const values = (complete: (value: string, about: string) => void) => {
    const found = PATHS.has(value) ? pathsAt(typed.replace(/^--[^=]*=/, '')) : choicesOf(name);
    for (const one of found) complete(one, '');
  };
  command.option(name, help, values, short);
}

function choicesOf(name: string): readonly string[] {
  const row: Setting | undefined = SETTINGS[name as SettingName];
  return row?.kind === 'choice' ? row.of : [];
}

/** What begins with this path; folders end with a slash. */
function pathsAt(typed: string): string[] {
  const folder = typed.endsWith('/') ? typed : dirname(typed || '.');
  try {
    return readdirSync(folder, { withFileTypes: true }).map((entry) => {
      const path = typed.startsWith('./') || folder !== '.' ? join(folder, entry.name) : entry.name;
      return `${typed.startsWith('./') ? './' : ''}${path}${entry.isDirectory() ? '/' : ''}`;
    });
  } catch {
    return [];
  }
}
