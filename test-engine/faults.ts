import type { Failure } from '../src/spec/failures.ts';

/** What goes wrong: `fails`, or a promise to wait for; with {@link NEVER} it hangs. */
export type Fault = 'fails' | Promise<unknown>;

/** For a fault that hangs. */
export const NEVER: Promise<never> = new Promise(() => undefined);

/** What goes wrong with the processes of an engine. A change holds for the processes that come after it. */
export interface Faults {
  /** The files of a process that is made for a request cannot be written. */
  files?: 'fails';
  /** A process that is made for a request does not come up. */
  spawn?: Fault;
  /** The most processes that the machine bears: a limit that is met when one is spawned, or before. */
  machine?: { most: number; met: 'when spawned' | 'before' };
  spawnSpare?: Fault;
  /** A spare cannot become the process of a conversation. */
  claim?: Fault;
  /** A process ends before it has taken its next turn. */
  continue?: Fault;
  /** A process ends before it has taken another conversation. */
  load?: Fault;
  /** A process ends when its turn is given up. */
  giveUp?: 'fails';
  /** No process takes another conversation. */
  reuse?: 'off';
  /** Whether the cause of a failure is mended; by default that of missing tools. */
  recover?: (failure: Failure) => boolean;
  /** Why no process may take another turn. */
  staleness?: string;
  /** The sign-in that pays, as the engine tells it. */
  signIn?: string;
  count?: Fault;
  introduction?: Fault;
}
