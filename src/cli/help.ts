import { type SettingName, standardOf, variableName } from '../config/setting-table.ts';
import { COMMON_FLAGS, CONFIG_FLAG, settingFlags } from './arguments.ts';
import type { Command, Flag } from './command.ts';
import { COMMAND_NAMES, COMMANDS, type CommandName } from './command-table.ts';

const WIDTH = 27;

const row = (words: string, help: string) => `  ${words.padEnd(WIDTH)} ${help}`;

/** The help text of the program. */
export function programHelp(): string[] {
  return [
    'Usage: isthmus <command> [flags]',
    '',
    'Commands',
    ...COMMAND_NAMES.map((name) => row(name, COMMANDS[name].summary)),
    '',
    'Flags',
    ...flagRows(COMMON_FLAGS),
    '',
    '`isthmus <command> --help` says more of a command; `isthmus serve --help` lists the settings.',
  ];
}

/** The help text of one command. */
export function commandHelp(name: CommandName): string[] {
  const { summary, usage, words, flags, takesSettings }: Command = COMMANDS[name];
  return [
    `Usage: ${usageOf(name)}`,
    '',
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
    ...(words && usage.startsWith('CLIENT') ? [`CLIENT is one of ${words.join(', ')}.`] : []),
    '',
    'Flags',
    ...flagRows({ ...flags, ...COMMON_FLAGS }),
    ...(takesSettings ? ['', ...settingsHelp(name)] : []),
  ];
}

/** How a command is called: `isthmus launch CLIENT [flags] [-- ARGUMENTS]`. */
export function usageOf(name: CommandName): string {
  // What stands behind `--` is not read, so the flags come before it.
  const [words = '', rest] = COMMANDS[name].usage.split(/(?=\[--)/);
  return ['isthmus', name, words.trim(), '[flags]', rest].filter(Boolean).join(' ');
}

/** `serve` lists the settings; the other commands take the same. */
function settingsHelp(name: CommandName): string[] {
  if (name !== 'serve') return ['It takes the settings of `isthmus serve` as well, such as --port and --config.'];
  return [
    'Settings',
    ...Object.entries(settingFlags()).map(([setting, flag]) => settingRow(setting as SettingName, flag)),
    ...flagRows({ config: CONFIG_FLAG }),
    '',
    `Each setting is also a key of the file, and, as \`--config\` is, an environment variable: ${variableName('max-processes')}=8.`,
  ];
}

function settingRow(name: SettingName, flag: Flag): string {
  const standard = standardOf(name);
  return row(wordsOf(name, flag), `${flag.help}${standard === undefined ? '' : ` (${standard})`}`);
}

function flagRows(flags: Readonly<Record<string, Flag>>): string[] {
  return Object.entries(flags).map(([name, flag]) => row(wordsOf(name, flag), flag.help));
}

/** `-p, --port PORT`. */
function wordsOf(name: string, { value, short }: Flag): string {
  return `${short ? `-${short}, ` : ''}--${name}${value === undefined ? '' : ` ${value}`}`;
}
