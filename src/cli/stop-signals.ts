import { isatty } from 'node:tty';

/**
 * GNU `nohup` takes the terminal from all three; others leave the input. It also has the signal ignored, but Node undoes that
 * when it starts, and does not tell.
 */
const STANDARD_STREAMS = process.platform === 'linux' ? [0, 1, 2] : [1, 2];

/** What the signals are about. */
export interface Stoppable {
  /** How many requests are open; undefined until the gateway is ready. */
  openRequests: () => number | undefined;
  /** How long they have after the first signal. */
  drainSeconds: number;
  /** Says a line to the user. */
  say: (line: string) => void;
  /** Whether a terminal belongs to this program; by default it is looked up. */
  hasTerminal?: boolean;
}

/**
 * Resolves at the first SIGINT or SIGTERM, or when the terminal has closed; the second ends this process at once. Call it before
 * you start anything: before that a signal ends this process and leaves what it started. Without a terminal a SIGHUP changes
 * nothing, so that `nohup` works.
 */
export function firstSignal({
  openRequests,
  drainSeconds,
  say,
  hasTerminal = STANDARD_STREAMS.some(isatty),
}: Stoppable): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false;
    const onSignal = (name: NodeJS.Signals) => {
      if (name === 'SIGHUP' && !hasTerminal)
        return say('SIGHUP is ignored: Isthmus has no terminal that could have closed.');
      if (isStopping) process.exit(1);
      isStopping = true;
      say(stopping(openRequests(), drainSeconds, name === 'SIGINT' ? 'Press Ctrl-C again' : 'Send the signal again'));
      resolve();
    };
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  });
}

function stopping(open: number | undefined, drainSeconds: number, again: string): string {
  if (open === undefined) return `Stopping when the start is over. ${again} to end it now.`;
  if (open === 0) return 'Stopping.';
  const [are, them] = open === 1 ? ['request is', 'it'] : ['requests are', 'them'];
  return `Stopping: ${open} ${are} under way, with ${drainSeconds} ${drainSeconds === 1 ? 'second' : 'seconds'} to finish. ${again} to end ${them} now.`;
}
