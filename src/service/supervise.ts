import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { type ChildEnd, type RestartLimits, RestartPolicy } from './restart-policy.ts';

/** The most characters of the child's stderr that are kept for the last words. */
const LONGEST_WORDS = 2_000;

/** How many lines of them are said. */
const LAST_LINES = 5;

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** What is supervised. */
export interface Supervised {
  /** The program and its arguments. */
  command: readonly [program: string, ...args: string[]];
  environment: NodeJS.ProcessEnv;
  /** Says a line to the user. */
  say: (line: string) => void;
  /** For tests; by default those of the product. */
  limits?: RestartLimits;
}

/**
 * Runs a program, and starts it again after a crash, ever later and not for ever. Signals go to the program, which then ends for
 * good. It loads nothing of the gateway, so that it stays small.
 *
 * The program runs in a session of its own: from a terminal it would get each Ctrl-C twice. It has a channel that closes when this
 * process is gone, however that came about.
 *
 * @returns the exit code for this process: the program's last one, as a shell tells it
 */
export async function supervise({ command, environment, say, limits }: Supervised): Promise<number> {
  const policy = new RestartPolicy(limits);
  let child: ChildProcess | undefined;
  let isStopping = false;
  let wake: () => void = () => undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    // Between two lives nobody else knows that a hangup without a terminal means nothing.
    if (child === undefined && signal === 'SIGHUP' && ![0, 1, 2].some(isatty)) return;
    if (signal !== 'SIGHUP' || child === undefined) isStopping = true;
    child?.kill(signal);
    wake();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    for (;;) {
      let words = '';
      const begun = performance.now();
      const [program, ...args] = command;
      child = spawn(program, args, { env: environment, detached: true, stdio: ['inherit', 'inherit', 'pipe', 'ipc'] });
      child.stderr?.pipe(process.stderr, { end: false });
      child.stderr?.on('data', (chunk: Buffer) => {
        words = (words + chunk.toString('utf8')).slice(-LONGEST_WORDS);
      });
      const how = await ended(child);
      child = undefined;
      const end: ChildEnd = { ...how, ranMs: performance.now() - begun };
      if (isStopping) return exitCodeOf(end);
      const verdict = policy.judge(end);
      if (verdict.kind === 'end') return exitCodeOf(end);
      if (verdict.kind === 'gives-up') {
        say(
          `The gateway has crashed ${verdict.crashes} times in a row, at last with ${describe(end)}: it is not started again.`,
        );
        for (const line of words.trimEnd().split('\n').slice(-LAST_LINES)) if (line !== '') say(`  ${line}`);
        return exitCodeOf(end) || 1;
      }
      say(`The gateway has crashed with ${describe(end)}. It is started again in ${verdict.afterMs / 1000} s.`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, verdict.afterMs);
        wake = () => {
          if (!isStopping) return;
          clearTimeout(timer);
          resolve();
        };
      });
      if (isStopping) return 0;
    }
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

/** Waits until a child is gone and its last words are read, or could not be spawned. */
function ended(child: ChildProcess): Promise<Omit<ChildEnd, 'ranMs'>> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      process.stderr.write(`${error.message}\n`);
      if (child.pid === undefined) resolve({ code: 127, signal: null });
    });
    child.once('exit', (code, signal) => {
      // Its own processes may hold the pipe open for a moment longer.
      const timer = setTimeout(() => resolve({ code, signal }), 200);
      child.once('close', () => {
        clearTimeout(timer);
        resolve({ code, signal });
      });
    });
  });
}

function describe({ code, signal }: ChildEnd): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

/** As a shell tells it: 128 and the signal's number. */
function exitCodeOf({ code, signal }: ChildEnd): number {
  return signal === null ? (code ?? 1) : 128 + constants.signals[signal];
}
