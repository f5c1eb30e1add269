/** How a process ended. */
export interface ProcessEnd {
  /** The exit code, unless a signal ended it. */
  code: number | null;
  /** The signal, such as `SIGKILL`. */
  signal: string | null;
  /** Set when the process could not be spawned. */
  spawnError?: string;
  /**
   * Its last words on stderr, else what it wrote to stdout in place of messages; 2,000 characters at most. For the operator
   * alone: they may name an upstream's host.
   */
  stderr: string;
}
