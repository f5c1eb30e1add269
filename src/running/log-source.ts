import { join } from 'node:path';

/** The names under which the service of this user runs. */
export const SERVICE_UNIT = 'isthmus.service';

/** Where the log of a gateway that runs as a service is. */
export type LogSource =
  /** `command` shows it. */
  { kind: 'command'; command: [program: string, ...args: string[]]; from: string } | { kind: 'none'; why: string };

/** What decides where the log is. */
export interface LogSearch {
  platform: NodeJS.Platform;
  environment: Readonly<Record<string, string | undefined>>;
  /** Whether there is a file. */
  isThere: (path: string) => boolean;
  /** How many of the last lines. */
  lines: number;
  /** Whether it goes on with each new line. */
  follows: boolean;
}

/** Where the service manager of this system keeps the log: systemd in its journal, launchd in a file. */
export function logSource({ platform, environment, isThere, lines, follows }: LogSearch): LogSource {
  const { HOME = '', XDG_CONFIG_HOME } = environment;
  const none: LogSource = {
    kind: 'none',
    why: 'No service of this user is installed, and `isthmus serve` writes its log to stderr where it runs: to its terminal, its container (`docker logs`), or the file that you gave it (`2>>isthmus.log`). `isthmus service install` makes a service.',
  };
  if (platform === 'linux') {
    const unit = join(XDG_CONFIG_HOME || join(HOME, '.config'), 'systemd', 'user', SERVICE_UNIT);
    if (!isThere(unit)) return none;
    const args = ['--user', '--unit', SERVICE_UNIT, '--lines', String(lines), '--output', 'cat', '--no-pager'];
    const command: [string, ...string[]] = ['journalctl', ...args, ...(follows ? ['--follow'] : [])];
    return { kind: 'command', command, from: `the journal of systemd’s user unit ${SERVICE_UNIT}` };
  }
  if (platform === 'darwin') {
    const file = join(HOME, 'Library', 'Logs', 'isthmus.log');
    if (!isThere(file)) return none;
    return { kind: 'command', command: ['tail', '-n', String(lines), ...(follows ? ['-F'] : []), file], from: file };
  }
  return none;
}
