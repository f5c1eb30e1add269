import { BootError } from '../boot/boot-error.ts';
import { ownVersion } from '../boot/create-gateway.ts';
import { readSettings, SETTINGS, SettingsError, variableName } from '../config/settings.ts';
import { parseCommandLine } from './arguments.ts';
import { demo } from './demo.ts';
import { print, serve } from './serve.ts';

const USAGE = `Usage: isthmus <command> [flags]

Commands
  serve          run the gateway
  demo           show it at work against a scripted model, without any account; --once ends after the walk

Flags
${Object.entries(SETTINGS)
  .map(([name, { value, help, schema }]) => {
    const standard = schema.safeParse(undefined).data;
    const isShown = standard !== undefined && value !== '';
    return `  ${`--${name} ${value}`.padEnd(27)} ${help}${isShown ? ` (${standard})` : ''}`;
  })
  .join('\n')}
  --config FILE               JSON file with these settings (default: ~/.config/isthmus/config.json)
  -h, --help; --version; -p is short for --port

Each flag is also an environment variable, for example ${variableName('max-processes')}=8.`;

/** Runs one command line. Every expected problem is one line on stderr and an exit code other than 0. */
export async function main(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  // The reader of the output may go, or its disk fill up: turns must go on without the log.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined);
  try {
    const { words, flags, switches } = parseCommandLine(args, SETTINGS);
    const [command, ...rest] = words;
    if (switches.has('version')) return print([ownVersion()]);
    if (switches.has('help') || command === 'help') return print([USAGE]);
    const settings = readSettings({ flags, environment });
    if (command === undefined)
      throw new SettingsError(
        'Which command? `isthmus serve` runs the gateway, `isthmus demo` shows it; see `isthmus --help`.',
      );
    if (rest.length > 0)
      throw new SettingsError(
        `Unexpected ${rest.map((word) => JSON.stringify(word)).join(' ')}; settings are given as --name value.`,
      );
    if (command !== 'serve' && command !== 'demo') {
      throw new SettingsError(`There is no command ${JSON.stringify(command)}; there are serve and demo.`);
    }
    if (switches.has('once') && command !== 'demo') throw new SettingsError('--once belongs to `isthmus demo`.');
    if (command === 'serve') await serve(settings, environment);
    else await demo(settings, environment, switches.has('once'));
  } catch (error) {
    if (!(error instanceof SettingsError || error instanceof BootError)) throw error;
    process.stderr.write(`isthmus: ${error.message}\n`);
    process.exitCode = 1;
  }
}
