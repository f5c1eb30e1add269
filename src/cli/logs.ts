import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { logSource } from '../running/log-source.ts';
import type { RunCommand } from './command.ts';
import { CommandError } from './command-error.ts';

const STANDARD_LINES = '100';

/** `isthmus logs`: the log of the gateway that runs as a service, from where its service manager keeps it. */
export const run: RunCommand = async ({ flags, environment }) => {
  const { lines = STANDARD_LINES } = flags;
  if (!/^\d+$/.test(lines)) throw new CommandError(`--lines must be a whole number (it is ${JSON.stringify(lines)}).`);
  const source = logSource({
    platform: process.platform,
    environment,
    isThere: existsSync,
    lines: Number(lines),
    follows: 'follow' in flags,
  });
  if (source.kind === 'none') throw new CommandError(source.why);
  const [program, ...args] = source.command;
  // On stderr, so that a pipe gets the log alone.
  process.stderr.write(`From ${source.from}:\n`);
  // Ctrl-C ends it by itself.
  process.on('SIGINT', () => undefined);
  const shown = spawn(program, args, { env: environment, stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(shown, 'close').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`The log is shown by ${program}, which cannot be run (${error.code}). Install it.`);
  });
  process.exitCode = code ?? 0;
};
