import { parseArgs } from 'node:util';
import { isFlag, isSetting, SETTINGS, type Setting, type SettingName, standardOf } from '../config/setting-table.ts';
import { SettingsError } from '../config/settings-error.ts';
import { similar } from '../config/similar.ts';
import type { Flag } from './command.ts';
import { COMMAND_NAMES, COMMANDS, type CommandName, commandOf } from './command-table.ts';

/** A command line. */
export interface CommandLine {
  /** The first word; undefined without one. */
  command: string | undefined;
  /** The words behind it. */
  words: string[];
  /** What stands behind `--`. */
  rest: string[];
  /** The flags with their values; a switch has `true`. */
  flags: Record<string, string>;
}

/** Flags that every command has. */
export const COMMON_FLAGS: Readonly<Record<string, Flag>> = {
  help: { help: 'this text', short: 'h' },
  version: { help: 'the version of Isthmus' },
};

/** The flag that every command with settings has beside them. */
export const CONFIG_FLAG: Flag = {
  value: 'FILE',
  help: 'JSON file with these settings, and with `agents`; comments are welcome (default: ~/.config/isthmus/config.json)',
};

/** Settings that are flags of one letter, too. */
const SHORT_SETTINGS: Readonly<Record<string, string>> = { port: 'p' };

/** Every flag there is. A flag of two commands takes a value in both or in none. */
export const ALL_FLAGS: Readonly<Record<string, Flag>> = {
  ...Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, flagOf(name as SettingName)])),
  config: CONFIG_FLAG,
  ...Object.assign({}, ...Object.values(COMMANDS).map(({ flags }) => flags)),
  ...COMMON_FLAGS,
};

/** A setting as a flag. */
export function flagOf(name: SettingName): Flag {
  const { value, help }: Setting = SETTINGS[name];
  const short = SHORT_SETTINGS[name];
  return { help, ...(value === undefined ? {} : { value }), ...(short === undefined ? {} : { short }) };
}

/**
 * Splits a command line. `--name value` equals `--name=value`, `-p` equals `--port`, `-h` equals `--help`.
 *
 * @throws SettingsError when a flag has no value
 */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(ALL_FLAGS).map(([name, { value, short }]) => [
        name,
        { type: value === undefined ? ('boolean' as const) : ('string' as const), ...(short ? { short } : {}) },
      ]),
    ),
  });
  const end = tokens.find(({ kind }) => kind === 'option-terminator')?.index ?? args.length;
  const line: CommandLine = { command: undefined, words: [], rest: args.slice(end + 1), flags: {} };
  for (const token of tokens) {
    if (token.index >= end) break;
    if (token.kind === 'positional') {
      if (line.command === undefined) line.command = token.value;
      else line.words.push(token.value);
    } else if (token.kind === 'option') {
      const { name, value } = token;
      // A flag is no value: somebody left the value out.
      if (needsValue(name) && (value === undefined || (!token.inlineValue && value.startsWith('--')))) {
        throw new SettingsError(`--${name} needs a value: --${name} ${exampleOf(name)}`);
      }
      line.flags[name] = value ?? (Object.hasOwn(ALL_FLAGS, name) && isSwitch(name) ? 'true' : '');
    }
  }
  return line;
}

/**
 * Refuses flags that this command does not have.
 *
 * @throws SettingsError with the command that has the flag, or the flag that is meant
 */
export function checkFlags(name: CommandName, flags: Readonly<Record<string, string>>): void {
  const own = flagsOf(name);
  const command = commandOf(name);
  for (const flag of Object.keys(flags)) {
    if (Object.hasOwn(own, flag)) continue;
    // The settings' reader says how such a setting is given.
    if (command?.takesSettings && isSetting(flag)) continue;
    const owners = COMMAND_NAMES.filter((other) => Object.hasOwn(COMMANDS[other].flags, flag));
    if (owners.length > 0)
      throw new SettingsError(`--${flag} belongs to ${owners.map((owner) => `\`isthmus ${owner}\``).join(', ')}.`);
    if (flag === 'config' || isFlag(flag)) throw new SettingsError(`\`isthmus ${name}\` takes no --${flag}.`);
    const meant = similar(flag, Object.keys(own));
    throw new SettingsError(
      `There is no flag --${flag} of \`isthmus ${name}\`.${meant ? ` Did you mean --${meant}?` : ''}`,
    );
  }
}

/** The flags of a command, with those of the settings if it takes them. */
export function flagsOf(name: CommandName): Readonly<Record<string, Flag>> {
  const { flags, takesSettings } = COMMANDS[name];
  return {
    ...flags,
    ...(takesSettings ? { ...settingFlags(), config: CONFIG_FLAG } : {}),
    ...COMMON_FLAGS,
  };
}

/** The settings that are flags. */
export function settingFlags(): Readonly<Record<string, Flag>> {
  const names = (Object.keys(SETTINGS) as SettingName[]).filter(isFlag);
  return Object.fromEntries(names.map((name) => [name, flagOf(name)]));
}

function isSwitch(name: string): boolean {
  return ALL_FLAGS[name]?.value === undefined && !(isSetting(name) && !isFlag(name));
}

function needsValue(name: string): boolean {
  return ALL_FLAGS[name]?.value !== undefined;
}

function exampleOf(name: string): string {
  const standard = isSetting(name) ? standardOf(name) : undefined;
  return String(standard ?? ALL_FLAGS[name]?.value);
}
