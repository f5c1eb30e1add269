import { callableUrl } from '../access/callable-url.ts';
import { envLines, SHELLS, shellNamed, shellOf } from '../clients/sdk-variables.ts';
import type { RunCommand } from './command.ts';
import { CommandError } from './command-error.ts';
import { print } from './print.ts';

/** `isthmus env`: the lines that point SDKs, and what is made with them, at Isthmus. */
export const run: RunCommand = async ({ flags, environment, settings }) => {
  const shell = flags.shell === undefined ? shellNamed(environment.SHELL, process.platform) : shellOf(flags.shell);
  if (!shell) {
    throw new CommandError(`--shell must be ${SHELLS.join(', ')} (it is ${JSON.stringify(flags.shell)}).`);
  }
  const { host, port, socket } = await settings();
  if (socket !== undefined)
    throw new CommandError(
      'SDKs call no Unix socket. Leave the setting socket out, and let `isthmus serve` listen on a port.',
    );
  if (port === 0) throw new CommandError('Port 0 is another one at each start: name the one that it has: --port 3456');
  print(envLines(shell, callableUrl({ host, port })));
};
