import { SETTINGS, type Setting, type SettingName } from '../config/setting-table.ts';
import { ALL_FLAGS, COMMON_FLAGS, flagsOf } from './arguments.ts';
import type { Command, Flag } from './command.ts';
import { COMMAND_NAMES, COMMANDS, type CommandName, commandOf } from './command-table.ts';

/** What the word at the cursor may become, and what it is about in a few words. */
export type Candidate = readonly [word: string, about?: string];

/** In place of candidates: the shell knows best which files there are, and how their names are quoted. */
export const FILES: Candidate = [':files'];

/** Values that are paths. */
const PATHS = new Set(['FILE', 'DIR', 'PATH']);

/**
 * What the last word of a line may become. A shell leaves out what does not begin as the word does.
 *
 * @param line the words behind `isthmus`; the last one, which may be empty, is at the cursor
 */
export function candidatesOf(line: readonly string[]): readonly Candidate[] {
  const typed = line.at(-1) ?? '';
  const { positionals, open, isOver } = readWords(line.slice(0, -1));
  const [name] = positionals;
  // What stands behind `--` is of the client that is launched.
  if (isOver) return name === 'launch' ? [FILES] : [];
  if (open !== undefined) return valuesOf(open);
  const [, flag] = /^--([^=]+)=/.exec(typed) ?? [];
  if (flag !== undefined) return valuesOf(flag).map((candidate) => within(`--${flag}=`, candidate));
  if (name === undefined) return typed.startsWith('-') ? flagRows(COMMON_FLAGS) : [...commandRows(), HELP];
  if (name === 'help') return positionals.length === 1 ? commandRows() : [];
  const command = commandOf(name);
  if (command === undefined) return [];
  if (typed.startsWith('-') || command.usage === '') return flagRows(flagsOf(name as CommandName));
  return positionals.length === 1 ? (command.words ?? []).map((word): Candidate => [word]) : [];
}

const HELP: Candidate = ['help', 'what a command does, and its flags'];

/** What stands before the cursor: words that are no flags, the flag that waits for its value, and whether `--` has been. */
function readWords(words: readonly string[]): { positionals: string[]; open: string | undefined; isOver: boolean } {
  const positionals: string[] = [];
  let open: string | undefined;
  for (const word of words) {
    if (open !== undefined) open = undefined;
    else if (word === '--') return { positionals, open, isOver: true };
    else if (word.startsWith('-')) open = waitingFlag(word);
    else positionals.push(word);
  }
  return { positionals, open, isOver: false };
}

/** The flag whose value is the next word: `--port` and `-p`, not `--port=1`. */
function waitingFlag(word: string): string | undefined {
  const named = Object.entries(ALL_FLAGS).find(([name, { short }]) => word === `--${name}` || word === `-${short}`);
  return named?.[1].value === undefined ? undefined : named[0];
}

function valuesOf(flag: string): readonly Candidate[] {
  const row = Object.hasOwn(ALL_FLAGS, flag) ? ALL_FLAGS[flag] : undefined;
  if (row?.value !== undefined && PATHS.has(row.value)) return [FILES];
  const setting: Setting | undefined = SETTINGS[flag as SettingName];
  const choices = row?.of ?? (setting?.kind === 'choice' ? setting.of : []);
  return choices.map((choice): Candidate => [choice]);
}

function within(prefix: string, candidate: Candidate): Candidate {
  return candidate === FILES ? FILES : [`${prefix}${candidate[0]}`];
}

function commandRows(): Candidate[] {
  return COMMAND_NAMES.map((name) => [name, (COMMANDS[name] satisfies Command).summary]);
}

function flagRows(flags: Readonly<Record<string, Flag>>): Candidate[] {
  return Object.entries(flags).map(([name, { help }]) => [`--${name}`, help]);
}
