import type { Environment } from './environment.ts';
import { findLeftDirectories } from './run-directory.ts';
import { SessionRecords } from './session-records.ts';

/**
 * Removes what this user's gateways have left that are no more: session records, transcripts, run directories.
 *
 * A session record is judged by its run directory. Where that is not to be seen, as from another container with the same
 * home, the record stays: nobody knows whether its gateway lives.
 *
 * @param variables of the processes; they say where the session records are
 */
export async function removeLeftovers(variables: Environment): Promise<void> {
  const records = new SessionRecords(variables);
  for (const { work, remove } of await findLeftDirectories()) {
    records.removeAll(work);
    try {
      remove();
    } catch {
      // A process of that gateway may still be ending; the next gateway removes it.
    }
  }
}
