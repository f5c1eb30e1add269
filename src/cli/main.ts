import { BootError } from '../boot/boot-error.ts';
import { ownVersion } from '../boot/own-version.ts';
import {
  isFlag,
  readSettings,
  SETTINGS,
  type SettingName,
  SettingsError,
  standardOf,
  variableName,
} from '../config/settings.ts';
import { similar } from '../config/similar.ts';
import { escapeUnseen } from '../telemetry/escape-unseen.ts';
import { parseCommandLine, SWITCHES } from './arguments.ts';
import { CommandError } from './command-error.ts';
import { print } from './print.ts';

const COMMANDS = ['serve', 'demo', 'sessions'] as const;

/** Flags that one command alone has. */
const OF_COMMAND: Readonly<Record<string, string>> = { once: 'demo', 'with-agent': 'demo', all: 'sessions' };

/** A flag of the help text and what it is for. */
const row = (flag: string, help: string) => `  ${flag.padEnd(27)} ${help}`;

const USAGE = `Usage: isthmus <command> [flags]

Commands
  serve          run the gateway
  demo           show it at work against a scripted model, without any account; --once ends after the walk,
                 --with-agent lets an agent mend a bug, too
  sessions       what is kept of conversations with agents: list, show ID, purge ID | --all | --older-than DAYS

Flags
${Object.entries(SETTINGS)
  .filter(([name]) => isFlag(name))
  .map(([name, { value, help }]) => {
    const standard = standardOf(name as SettingName);
    const isShown = String(standard ?? '') !== '' && value !== '';
    return row(`--${name} ${value}`, `${help}${isShown ? ` (${standard})` : ''}`);
  })
  .join('\n')}
${row('--config FILE', 'JSON file with these settings, and with `agents` (default: ~/.config/isthmus/config.json)')}
${row('-p PORT', 'short for --port')}
${row('-h, --help', 'this text')}
${row('--version', 'the version of Isthmus')}

Each flag but the last three is also an environment variable, for example ${variableName('max-processes')}=8.`;

/** Runs one command line. Every expected problem is one line on stderr and an exit code other than 0. */
export async function main(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  // The reader of the output may go, or its disk fill up: turns must go on without the log.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined);
  try {
    const { words, flags, switches } = parseCommandLine(args);
    const [command, ...rest] = words;
    if (switches.has('version')) return print([ownVersion()]);
    if (switches.has('help') || command === 'help') return print([USAGE]);
    if (command === 'sessions') {
      refuseForeign(switches, command);
      const { sessions } = await import('./sessions.ts');
      return await sessions({ words: rest, flags, switches }, environment);
    }
    const otherFlags = SWITCHES.filter((name) => [undefined, command].includes(OF_COMMAND[name]));
    const settings = readSettings({ flags, otherFlags, environment });
    if (command === undefined)
      throw new SettingsError(
        'Which command? `isthmus serve` runs the gateway, `isthmus demo` shows it; see `isthmus --help`.',
      );
    if (rest.length > 0)
      throw new SettingsError(
        `Unexpected ${rest.map((word) => JSON.stringify(word)).join(' ')}; settings are given as --name value.`,
      );
    if (command !== 'serve' && command !== 'demo') {
      const meant = similar(command, COMMANDS);
      throw new SettingsError(
        `There is no command ${JSON.stringify(command)}${meant ? `. Did you mean ${meant}?` : `; there are ${COMMANDS.join(', ')}.`}`,
      );
    }
    refuseForeign(switches, command);
    if (command === 'serve') {
      const { serve } = await import('./serve.ts');
      await serve(settings, environment, flags.config ?? environment[variableName('config')]);
    } else {
      const { demo } = await import('./demo.ts');
      await demo(settings, environment, { once: switches.has('once'), withAgent: switches.has('with-agent') });
    }
  } catch (error) {
    if (!(error instanceof SettingsError || error instanceof BootError || error instanceof CommandError)) throw error;
    process.stderr.write(`isthmus: ${escapeUnseen(error.message)}\n`);
    process.exitCode = 1;
  }
}

/** Refuses switches that belong to another command. */
function refuseForeign(switches: ReadonlySet<string>, command: string): void {
  for (const name of switches) {
    const owner = OF_COMMAND[name] ?? command;
    if (owner !== command) throw new SettingsError(`--${name} belongs to \`isthmus ${owner}\`.`);
  }
}
