import { parseArgs } from 'node:util';

/** A command line: the words before the flags, and the flags with their values (`''` for a flag without one). */
export interface CommandLine {
  words: string[];
  flags: Record<string, string>;
  switches: Set<string>;
}

/** Flags that take no value. */
const SWITCHES = ['help', 'version', 'once'] as const;

/** Flags of one letter. */
const SHORT: Readonly<Record<string, string>> = { help: 'h', port: 'p' };

/**
 * Splits a command line. `--name value` equals `--name=value`, `-p` equals `--port`, `-h` equals `--help`. The reader of the
 * flags decides which ones exist.
 *
 * @param settings the names of the settings; `value` is empty for those that are on when named
 */
export function parseCommandLine(
  args: readonly string[],
  settings: Readonly<Record<string, { value: string }>>,
): CommandLine {
  const isToggle = (name: string) => Object.hasOwn(settings, name) && settings[name]?.value === '';
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: {
      config: { type: 'string' },
      ...Object.fromEntries(
        Object.keys(settings).map((name) => [
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
      if ((SWITCHES as readonly string[]).includes(token.name)) line.switches.add(token.name);
      else line.flags[token.name] = token.value ?? (isToggle(token.name) ? 'true' : '');
    }
  }
  return line;
}

function short(name: string): { short?: string } {
  const letter = SHORT[name];
  return letter === undefined ? {} : { short: letter };
}
