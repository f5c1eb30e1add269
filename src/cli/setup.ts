import { callableUrl } from '../access/callable-url.ts';
import { type Plan, planSetup, planUndo, printedSetup } from '../setup/plan-setup.ts';
import { SetupError } from '../setup/setup-error.ts';
import { type ClientFile, clientFileOf } from '../setup/setup-table.ts';
import { escapeUnseen } from '../telemetry/escape-unseen.ts';
import { ask } from './ask.ts';
import { chooseWord } from './choose-word.ts';
import type { CommandCall, RunCommand } from './command.ts';
import { CommandError } from './command-error.ts';
import { print } from './print.ts';

/** `isthmus setup CLIENT`: shows what it would change in the client's own file, asks, and writes it. */
export const run: RunCommand = async (call) => {
  const client = clientIn(call.words);
  const { print: prints, undo } = call.flags;
  if (prints && undo) throw new CommandError('--print and --undo exclude each other: give one of them.');
  try {
    if (prints) {
      const { path, text } = printedSetup(client, await urlOf(call), call.environment);
      // The text alone on stdout: it can go into a file.
      process.stderr.write(`${client.title} reads ${escapeUnseen(path)}; put this into it:\n`);
      return print([text.trimEnd()]);
    }
    const plan = undo ? planUndo(client, call.environment) : planSetup(client, await urlOf(call), call.environment);
    say([...plan.words, ...plan.diff]);
    if (plan.diff.length > 0 && !(await isAgreed(plan, call))) {
      process.exitCode = 1;
      return print(['Nothing was written.']);
    }
    say(plan.carryOut());
  } catch (error) {
    throw error instanceof SetupError ? new CommandError(error.message) : error;
  }
};

/** @throws CommandError unless there is one word, and it names a client */
function clientIn(words: readonly string[]): ClientFile {
  const [word = '', ...others] = words;
  const named = others.length === 0 ? clientFileOf(word) : undefined;
  return named ?? (clientFileOf(chooseWord('setup', words)) as ClientFile);
}

/** Tabs stay: they indent. */
function say(lines: readonly string[]): void {
  if (lines.length > 0) print(lines.map((line) => line.split('\t').map(escapeUnseen).join('\t')));
}

async function isAgreed({ path }: Plan, { flags }: CommandCall): Promise<boolean> {
  if (flags.yes) return true;
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new CommandError(`Nothing was written, since there is no terminal to ask on. Add --yes to write ${path}.`);
  }
  const answer = await ask(`Write ${escapeUnseen(path)}? [y/N] `, { input: process.stdin, output: process.stdout });
  return /^y(es)?$/i.test(answer?.trim() ?? '');
}

/** Where a client on this machine reaches the gateway. */
async function urlOf({ settings }: CommandCall): Promise<string> {
  const { host, port, socket } = await settings();
  if (socket !== undefined) {
    throw new CommandError(
      'Clients call no Unix socket. Leave the setting socket out, and let `isthmus serve` listen on a port.',
    );
  }
  if (port === 0) throw new CommandError('--port 0 is another port at each start: name the one that the gateway has.');
  return callableUrl({ host, port });
}
