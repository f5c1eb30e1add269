import { BootError } from '../boot/boot-error.ts';
import { ownVersion } from '../boot/own-version.ts';
import { SettingsError } from '../config/settings-error.ts';
import { similar } from '../config/similar.ts';
import { CANNOT_START } from '../service/exit-code.ts';
import { escapeUnseen } from '../telemetry/escape-unseen.ts';
import { checkFlags, parseCommandLine } from './arguments.ts';
import { CommandError } from './command-error.ts';
import { COMMAND_NAMES, type CommandName, commandOf } from './command-table.ts';
import { commandHelp, programHelp } from './help.ts';
import { print } from './print.ts';

/** Runs one command line. Every expected problem is one line on stderr and an exit code other than 0. */
export async function main(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  // The reader of the output may go, or its disk fill up: turns must go on without the log.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined);
  try {
    await runCommandLine(args, environment);
  } catch (error) {
    if (!(error instanceof SettingsError || error instanceof BootError || error instanceof CommandError)) throw error;
    process.stderr.write(`isthmus: ${escapeUnseen(error.message)}\n`);
    process.exitCode = error instanceof CommandError ? 1 : CANNOT_START;
  }
}

async function runCommandLine(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const { command: named, words, rest, flags } = parseCommandLine(args);
  if ('version' in flags) return print([ownVersion()]);
  // `isthmus help serve` equals `isthmus serve --help`.
  const wantsHelp = 'help' in flags || named === 'help';
  const name = named === 'help' ? words[0] : named;
  if (name === undefined) {
    if (wantsHelp) return print(programHelp());
    throw new CommandError(
      'Which command? `isthmus launch` runs a client, `isthmus serve` the gateway, `isthmus demo` shows it; see `isthmus --help`.',
    );
  }
  const command = commandOf(name);
  if (command === undefined) {
    const meant = similar(name, COMMAND_NAMES);
    throw new CommandError(
      `There is no command ${JSON.stringify(name)}${meant ? `. Did you mean ${meant}?` : `; there are ${COMMAND_NAMES.join(', ')}.`}`,
    );
  }
  if (wantsHelp) return print(commandHelp(name as CommandName));
  checkFlags(name as CommandName, flags);
  if (command.usage === '' && words.length > 0)
    throw new CommandError(
      `Unexpected ${words.map((word) => JSON.stringify(word)).join(' ')}; settings are given as --name value.`,
    );
  const { run } = await command.load();
  await run({
    words,
    rest,
    flags,
    environment,
    settings: async () => {
      const { readSettings } = await import('../config/settings.ts');
      const own = Object.keys(command.flags);
      return readSettings({
        flags: Object.fromEntries(Object.entries(flags).filter(([flag]) => !own.includes(flag))),
        environment,
      });
    },
  });
}
