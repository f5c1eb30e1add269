/** What a service is made of: everything that its file says of this machine and user. */
export interface ServicePlan {
  /** The program with its arguments; the program and the first argument are absolute paths. */
  command: readonly [program: string, ...args: string[]];
  /** The file with variables that the user writes; it may be missing. */
  environmentFile: string;
  /** How long running turns may finish after a stop. */
  drainSeconds: number;
}

/** How much longer than the drain a stop may take, in seconds: the gateway ends its processes and closes its store. */
const AFTER_DRAIN_SECONDS = 15;

/** After so many seconds the service manager kills what has not ended. */
export function stopSecondsOf({ drainSeconds }: ServicePlan): number {
  return Math.ceil(drainSeconds) + AFTER_DRAIN_SECONDS;
}
