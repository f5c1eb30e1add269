import { parseArgs } from 'node:util';
import { isFlag, isSetting, SETTINGS, SettingsError, standardOf } from '../config/settings.ts';

/** A command line: the words before the flags, and the flags with their values. */
export interface CommandLine {
  words: string[];
  flags: Record<string, string>;
  switches: Set<string>;
}

/** Flags that are no settings and take no value. */
export const SWITCHES = ['help', 'version', 'once', 'with-agent', 'all'] as const;

/** Flags that are no settings and take a value, with what stands for it in words. */
const VALUES: Readonly<Record<string, string>> = { config: 'FILE', 'older-than': 'DAYS' };

/** Flags of one letter. */
const SHORT: Readonly<Record<string, string>> = { help: 'h', port: 'p' };

/**
 * Splits a command line. `--name value` equals `--name=value`, `-p` equals `--port`, `-h` equals `--help`. The reader of the
 * flags decides which ones exist.
 *
 * @throws SettingsError when a setting has no value
 */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: {
      ...Object.fromEntries(Object.keys(VALUES).map((name) => [name, { type: 'string' as const }])),
      ...Object.fromEntries(
        Object.keys(SETTINGS).map((name) => [
          name,
          { type: isToggle(name) ? ('boolean' as const) : ('string' as const), ...short(name) },
        ]),
      ),
      ...Object.fromEntries(SWITCHES.map((name) => [name, { type: 'boolean' as const, ...short(name) }])),
    },
  });
  const line: CommandLine = { words: [], flags: {}, switches: new Set() };
  for (const token of tokens) {
    if (token.kind === 'positional') line.words.push(token.value);
    else if (token.kind === 'option') {
      const { name, value } = token;
      if ((SWITCHES as readonly string[]).includes(name)) line.switches.add(name);
      // A flag is no value: somebody left the value out.
      else if (needsValue(name) && (value === undefined || (!token.inlineValue && value.startsWith('--')))) {
        throw new SettingsError(`--${name} needs a value: --${name} ${exampleOf(name)}`);
      } else line.flags[name] = value ?? (isToggle(name) ? 'true' : '');
    }
  }
  return line;
}

/** Whether this setting is on when it is named. */
function isToggle(name: string): boolean {
  return isSetting(name) && SETTINGS[name].value === '';
}

function needsValue(name: string): boolean {
  return Object.hasOwn(VALUES, name) || (isFlag(name) && !isToggle(name));
}

function exampleOf(name: string): string {
  return isSetting(name) ? String(standardOf(name) ?? SETTINGS[name].value) : (VALUES[name] ?? '');
}

function short(name: string): { short?: string } {
  const letter = SHORT[name];
  return letter === undefined ? {} : { short: letter };
}
